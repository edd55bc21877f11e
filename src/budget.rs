//! Admission: work is let in by the memory and the cores it takes.
//!
//! An event reserves its memory in one step, waiting in line inside its deadline; while it waits it holds none. Later
//! it may find that it needs more: then it grows at once, or gives back everything and waits in line for the whole. A
//! core is asked for last, with the memory in hand, and its holder waits for nothing, so the order memory, core admits no
//! deadlock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How much memory there is in all, in bytes, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// The operator: what takes more is refused for good.
    Configured(u64),
    /// The container that this instance happens to run in: what takes more may fit into another.
    Derived(u64),
}

/// The memory and cores that events share.
#[derive(Debug, Clone)]
pub struct Budget {
    capacity: Capacity,
    memory: Arc<Memory>,
    cores: Arc<Semaphore>,
}

/// A semaphore would give a waiter what is free piece by piece, and leave nothing to those who could finish with it.
#[derive(Debug)]
struct Memory {
    free: Mutex<u64>,
    given_back: Notify,
    /// Held by the first in line.
    line: tokio::sync::Mutex<()>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The work alone exceeds the whole budget, so it never fits.
    #[error("{bytes} bytes of working memory are over the budget of {budget}")]
    Never {
        /// What the work takes, in bytes.
        bytes: u64,
        /// The whole budget.
        budget: Capacity,
    },
    /// Other work has the memory now.
    #[error("other work has the memory")]
    Now,
}

impl Capacity {
    /// The memory, in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::Configured(bytes) | Self::Derived(bytes) => bytes,
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured(bytes) => write!(f, "{bytes} (MEMORY_BUDGET)"),
            Self::Derived(bytes) => write!(f, "{bytes} (from the container's memory limit)"),
        }
    }
}

impl Budget {
    /// Shares out the memory and `cores` rendering threads.
    #[must_use]
    pub fn new(capacity: Capacity, cores: usize) -> Self {
        let memory = Memory {
            free: Mutex::new(capacity.bytes()),
            given_back: Notify::new(),
            line: tokio::sync::Mutex::new(()),
        };
        Self {
            capacity,
            memory: Arc::new(memory),
            cores: Arc::new(Semaphore::new(cores.max(1))),
        }
    }

    /// The whole memory.
    #[must_use]
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// The whole memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.capacity.bytes()
    }

    /// Waits in line for memory.
    ///
    /// # Errors
    /// [`NoRoom::Never`] where it exceeds the whole budget.
    pub async fn reserve(&self, bytes: u64) -> Result<Reservation, NoRoom> {
        self.check(bytes)?;
        let _first = self.memory.line.lock().await;
        while !self.memory.take(bytes) {
            self.memory.given_back.notified().await;
        }
        Ok(Reservation {
            budget: self.clone(),
            bytes,
        })
    }

    /// Waits in line for a core; the caller must ask for nothing more while it has it.
    ///
    /// # Errors
    /// None in practice: the budget is never closed.
    pub async fn core(&self) -> Result<OwnedSemaphorePermit, NoRoom> {
        Arc::clone(&self.cores)
            .acquire_owned()
            .await
            .map_err(|_| NoRoom::Now)
    }

    fn check(&self, bytes: u64) -> Result<(), NoRoom> {
        let fits = bytes <= self.bytes();
        if fits {
            Ok(())
        } else {
            Err(NoRoom::Never {
                bytes,
                budget: self.capacity,
            })
        }
    }
}

impl Memory {
    fn free(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: u64) -> bool {
        let mut free = self.free();
        let left = free.checked_sub(bytes);
        *free = left.unwrap_or(*free);
        left.is_some()
    }

    fn give_back(&self, bytes: u64) {
        *self.free() += bytes;
        self.given_back.notify_one();
    }
}

/// Memory set aside for one event, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    bytes: u64,
}

impl Reservation {
    /// What is set aside, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes what is missing to `bytes` without waiting, and gives nothing back.
    ///
    /// # Errors
    /// Those of [`Self::resize`].
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), NoRoom> {
        self.resize(bytes.max(self.bytes))
    }

    /// Gives back what is over `bytes`, or takes what is missing without waiting.
    ///
    /// # Errors
    /// [`NoRoom::Now`] where others have the memory, [`NoRoom::Never`] where the whole budget is too small.
    pub fn resize(&mut self, bytes: u64) -> Result<(), NoRoom> {
        self.budget.check(bytes)?;
        if bytes > self.bytes {
            let taken = self.budget.memory.take(bytes - self.bytes);
            taken.then_some(()).ok_or(NoRoom::Now)?;
        } else {
            self.budget.memory.give_back(self.bytes - bytes);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.memory.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const TEN: Capacity = Capacity::Configured(10 * MIB);

    #[tokio::test]
    async fn what_exceeds_the_whole_budget_never_fits() {
        let budget = Budget::new(TEN, 1);
        let refused = budget.reserve(11 * MIB).await.unwrap_err();
        assert_eq!(
            refused,
            NoRoom::Never {
                bytes: 11 * MIB,
                budget: TEN
            }
        );
        assert!(budget.reserve(10 * MIB).await.is_ok());
    }

    #[tokio::test]
    async fn memory_is_waited_for_in_line_and_given_back_on_drop() {
        let budget = Budget::new(TEN, 1);
        let first = budget.reserve(6 * MIB).await.unwrap();
        let mut second = Box::pin(budget.reserve(6 * MIB));
        assert!(poll_once(&mut second).await.is_none());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn growth_never_waits() {
        let budget = Budget::new(TEN, 1);
        let _other = budget.reserve(4 * MIB).await.unwrap();
        let mut reservation = budget.reserve(2 * MIB).await.unwrap();
        assert_eq!(reservation.resize(6 * MIB), Ok(()));
        assert_eq!(reservation.resize(7 * MIB), Err(NoRoom::Now));
        assert_eq!(
            reservation.resize(11 * MIB),
            Err(NoRoom::Never {
                bytes: 11 * MIB,
                budget: TEN
            })
        );
        assert_eq!(reservation.resize(MIB), Ok(()));
        assert!(
            poll_once(&mut Box::pin(budget.reserve(5 * MIB)))
                .await
                .is_some()
        );
    }

    #[tokio::test]
    async fn who_waits_holds_nothing_that_others_could_grow_by() {
        let budget = Budget::new(TEN, 1);
        let mut first = budget.reserve(2 * MIB).await.unwrap();
        let mut second = Box::pin(budget.reserve(9 * MIB));
        assert!(poll_once(&mut second).await.is_none());
        assert_eq!(first.resize(4 * MIB), Ok(()));
        drop(first);
        assert!(second.await.is_ok());
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        use std::task::Poll;
        std::future::poll_fn(
            |context| match std::pin::Pin::new(&mut *future).poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => Poll::Ready(None),
            },
        )
        .await
    }
}
