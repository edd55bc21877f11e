//! Looks up, opens, admits and reads the source, within the memory reserved for it.

use super::{OVERHEAD_BYTES, Pipeline, Stop};
use crate::budget::Reservation;
use crate::outcome::Failure;
use crate::render::{Target, usual_memory_bytes};
use crate::store::{Source, StoreError};
use crate::work::{Job, Skip};

impl Pipeline {
    pub(super) async fn look_at_source(&self, job: &mut Job) -> Result<(), Stop> {
        let source = &mut job.source;
        let live = self.store.look(&source.bucket, &source.name).await;
        let live = live.map_err(Failure::from)?.ok_or(Skip::Gone)?;
        if source
            .generation
            .is_some_and(|generation| generation != live.generation)
        {
            return Err(Skip::Superseded.into());
        }
        self.scope.admit_details(&source.name, &live.details)?;
        source.generation = Some(live.generation);
        source.size = live.size.or(source.size);
        source.details = Some(live.details);
        Ok(())
    }

    pub(super) async fn open(&self, job: &Job) -> Result<Source, Stop> {
        let source = &job.source;
        let opened = self
            .store
            .open(&source.bucket, &source.name, source.generation)
            .await
            .map_err(at_source)?;
        match opened.size {
            Some(bytes) if bytes > self.max_source_bytes => Err(Failure::TooLarge {
                bytes,
                limit: self.max_source_bytes,
            }
            .into()),
            _ => Ok(opened),
        }
    }

    pub(super) async fn admit(
        &self,
        size: Option<u64>,
        min_bytes: u64,
        targets: &[Target],
    ) -> Result<Reservation, Failure> {
        let whole = self.budget.bytes();
        let source = match size {
            Some(size) => size.saturating_add(OVERHEAD_BYTES),
            None => self.largest_source(),
        };
        let usual = source
            .saturating_add(usual_memory_bytes(targets))
            .max(min_bytes);
        Ok(self.budget.reserve(usual.min(whole).max(source)).await?)
    }

    /// The memory for a source of unknown size, capped by the budget: whether the source fits shows when it is read.
    fn largest_source(&self) -> u64 {
        let largest = self.max_source_bytes.saturating_add(OVERHEAD_BYTES);
        largest.min(self.budget.bytes())
    }

    /// Reads at most as many bytes as memory was reserved for.
    pub(super) async fn read(
        &self,
        source: Source,
        announced: Option<u64>,
        reserved: u64,
    ) -> Result<Vec<u8>, Stop> {
        let limit = reserved
            .saturating_sub(OVERHEAD_BYTES)
            .min(self.max_source_bytes);
        let bytes = match source.read(limit, announced).await {
            Err(StoreError::TooLarge { limit }) if limit < self.max_source_bytes => {
                // The source is larger than was announced, or than the whole budget.
                if reserved < self.largest_source() {
                    return Err(Stop::NeedsMemory(self.largest_source()));
                }
                let bytes = limit.saturating_add(OVERHEAD_BYTES + 1);
                let budget = self.budget.capacity();
                return Err(Failure::OverBudget { bytes, budget }.into());
            }
            read => read.map_err(at_source)?,
        };
        if bytes.is_empty() {
            Err(Skip::Empty.into())
        } else {
            Ok(bytes)
        }
    }
}

/// Turns an error at the source into its meaning: one that no longer exists is skipped.
fn at_source(error: StoreError) -> Stop {
    match error {
        StoreError::NotFound => Skip::Gone.into(),
        error => Failure::from(error).into(),
    }
}
