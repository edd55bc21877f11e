//! Admission: work is let in by the memory and the cores it takes.
//!
//! An event reserves its memory in one step, waiting in line inside its deadline. Later it may find that it needs
//! more: then it grows at once or not at all, so nobody who holds memory waits for memory. A core is asked for last
//! and its holder waits for nothing, so the order memory, core admits no deadlock.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory is counted in these.
const UNIT: u64 = 1 << 10;

/// The memory and cores that events share.
#[derive(Debug, Clone)]
pub struct Budget {
    bytes: u64,
    memory: Arc<Semaphore>,
    cores: Arc<Semaphore>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The work alone exceeds the whole budget, so it never fits.
    #[error("{bytes} bytes of working memory are over the budget of {budget}")]
    Never {
        /// What the work takes, in bytes.
        bytes: u64,
        /// The whole budget, in bytes.
        budget: u64,
    },
    /// Other work has the memory now.
    #[error("other work has the memory")]
    Now,
}

impl Budget {
    /// Shares out `bytes` of memory and `cores` rendering threads.
    #[must_use]
    pub fn new(bytes: u64, cores: usize) -> Self {
        let most = u64::try_from(Semaphore::MAX_PERMITS)
            .unwrap_or(u64::MAX)
            .min(u32::MAX.into());
        let units = (bytes / UNIT).min(most);
        let permits = usize::try_from(units).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            bytes: units * UNIT,
            memory: Arc::new(Semaphore::new(permits)),
            cores: Arc::new(Semaphore::new(cores.max(1))),
        }
    }

    /// Waits in line for memory.
    ///
    /// # Errors
    /// [`NoRoom::Never`] where it exceeds the whole budget.
    pub async fn reserve(&self, bytes: u64) -> Result<Reservation, NoRoom> {
        let units = self.units(bytes)?;
        let permit = Arc::clone(&self.memory)
            .acquire_many_owned(units)
            .await
            .map_err(|_| NoRoom::Now)?;
        Ok(Reservation {
            budget: self.clone(),
            permit,
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

    fn units(&self, bytes: u64) -> Result<u32, NoRoom> {
        let never = NoRoom::Never {
            bytes,
            budget: self.bytes,
        };
        if bytes > self.bytes {
            return Err(never);
        }
        u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| never)
    }
}

/// Memory set aside for one event, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    permit: OwnedSemaphorePermit,
}

impl Reservation {
    /// Gives back what is over `bytes`, or takes what is missing without waiting.
    ///
    /// # Errors
    /// [`NoRoom::Now`] where others have the memory, [`NoRoom::Never`] where the whole budget is too small.
    pub fn resize(&mut self, bytes: u64) -> Result<(), NoRoom> {
        let wanted = self.budget.units(bytes)?;
        let held = u32::try_from(self.permit.num_permits()).unwrap_or(u32::MAX);
        if wanted > held {
            let more = Arc::clone(&self.budget.memory)
                .try_acquire_many_owned(wanted - held)
                .map_err(|_| NoRoom::Now)?;
            self.permit.merge(more);
        } else if let Some(surplus) = usize::try_from(held - wanted)
            .ok()
            .and_then(|surplus| self.permit.split(surplus))
        {
            drop(surplus);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[tokio::test]
    async fn what_exceeds_the_whole_budget_never_fits() {
        let budget = Budget::new(10 * MIB, 1);
        let refused = budget.reserve(11 * MIB).await.unwrap_err();
        assert_eq!(
            refused,
            NoRoom::Never {
                bytes: 11 * MIB,
                budget: 10 * MIB
            }
        );
        assert!(budget.reserve(10 * MIB).await.is_ok());
    }

    #[tokio::test]
    async fn memory_is_waited_for_in_line_and_given_back_on_drop() {
        let budget = Budget::new(10 * MIB, 1);
        let first = budget.reserve(6 * MIB).await.unwrap();
        let mut second = Box::pin(budget.reserve(6 * MIB));
        assert!(futures_poll_once(&mut second).await.is_none());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn growth_never_waits() {
        let budget = Budget::new(10 * MIB, 1);
        let _other = budget.reserve(4 * MIB).await.unwrap();
        let mut reservation = budget.reserve(2 * MIB).await.unwrap();
        assert_eq!(reservation.resize(6 * MIB), Ok(()));
        assert_eq!(reservation.resize(7 * MIB), Err(NoRoom::Now));
        assert_eq!(
            reservation.resize(11 * MIB),
            Err(NoRoom::Never {
                bytes: 11 * MIB,
                budget: 10 * MIB
            })
        );
        assert_eq!(reservation.resize(MIB), Ok(()));
        assert!(
            futures_poll_once(&mut Box::pin(budget.reserve(5 * MIB)))
                .await
                .is_some()
        );
    }

    async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
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
