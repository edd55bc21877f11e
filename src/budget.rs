//! Admission control by memory and cores.
//!
//! An event reserves its memory in one step, queueing within its deadline, and holds none while it waits. If it needs
//! more later, it grows its reservation at once, or releases it and queues for the whole. A core is acquired last, and
//! its holder waits for nothing more, so there is no deadlock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The whole memory in bytes, by who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// Set by the operator: work that takes more fails permanently.
    Configured(u64),
    /// Derived from this instance's container: work that takes more may fit into another.
    Derived(u64),
}

/// The memory and cores that events share.
#[derive(Debug, Clone)]
pub struct Budget {
    capacity: Capacity,
    memory: Arc<Memory>,
    cores: Arc<Semaphore>,
}

/// The free memory and its queue: a semaphore would hand a waiter what is free piece by piece, and leave nothing to
/// events that could finish with it.
#[derive(Debug)]
struct Memory {
    free: Mutex<u64>,
    released: Notify,
    /// Held by the first in line.
    queue: tokio::sync::Mutex<()>,
}

/// Why memory can't be reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The work alone exceeds the whole budget, so it never fits.
    #[error("{bytes} bytes of working memory are over the budget of {budget}")]
    Never {
        /// The memory that the work takes, in bytes.
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
    /// A budget of this memory and of `cores` rendering threads.
    #[must_use]
    pub fn new(capacity: Capacity, cores: usize) -> Self {
        let memory = Memory {
            free: Mutex::new(capacity.bytes()),
            released: Notify::new(),
            queue: tokio::sync::Mutex::new(()),
        };
        Self {
            capacity,
            memory: Arc::new(memory),
            cores: Arc::new(Semaphore::new(cores.max(1))),
        }
    }

    /// The whole memory.
    #[must_use]
    pub(crate) fn capacity(&self) -> Capacity {
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
    pub(crate) async fn reserve(&self, bytes: u64) -> Result<Reservation, NoRoom> {
        self.check(bytes)?;
        let _first = self.memory.queue.lock().await;
        while !self.memory.take(bytes) {
            self.memory.released.notified().await;
        }
        Ok(Reservation {
            budget: self.clone(),
            bytes,
        })
    }

    /// Waits in line for a core; its holder must not wait for anything else.
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

    fn release(&self, bytes: u64) {
        *self.free() += bytes;
        self.released.notify_one();
    }
}

/// Memory reserved for one event, released on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Budget,
    bytes: u64,
}

impl Reservation {
    /// The reserved memory, in bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Grows to `bytes` without waiting; never shrinks.
    ///
    /// # Errors
    /// Those of [`Self::resize`].
    pub(crate) fn grow_to(&mut self, bytes: u64) -> Result<(), NoRoom> {
        self.resize(bytes.max(self.bytes))
    }

    /// Shrinks or grows to `bytes` without waiting.
    ///
    /// # Errors
    /// [`NoRoom::Now`] where others have the memory, [`NoRoom::Never`] where the whole budget is too small.
    pub(crate) fn resize(&mut self, bytes: u64) -> Result<(), NoRoom> {
        self.budget.check(bytes)?;
        if bytes > self.bytes {
            let taken = self.budget.memory.take(bytes - self.bytes);
            taken.then_some(()).ok_or(NoRoom::Now)?;
        } else {
            self.budget.memory.release(self.bytes - bytes);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.memory.release(self.bytes);
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
