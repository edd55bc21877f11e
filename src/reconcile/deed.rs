//! What is done about one finding.

use std::time::Instant;

use super::{Mode, Orphan, Reconcile};
use crate::event::{Event, EventKind};
use crate::outcome::{Failure, Outcome};
use crate::report::Report;
use crate::store::StoreError;
use crate::topic::PublishFailed;
use crate::work::Job;

/// Something to do.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A thumbnail is to be made, here or elsewhere.
    Make(Job),
    /// An orphan is to be deleted.
    Prune(Orphan),
}

/// What was done.
#[derive(Debug)]
pub(super) enum Done {
    /// The picture was announced.
    Announced,
    /// The picture went through the pipeline.
    Handled(Outcome),
    /// The orphan is gone.
    Pruned,
    /// The orphan is none any more.
    Kept,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undone {
    #[error(transparent)]
    Announce(#[from] PublishFailed),
    #[error(transparent)]
    Make(#[from] Failure),
    #[error("can't prune")]
    Prune(#[from] StoreError),
}

impl Deed {
    pub(super) async fn perform(&self, plan: &Reconcile) -> Result<Done, Undone> {
        match (self, &plan.mode) {
            (Self::Prune(orphan), _) => Ok(plan.prune_one(orphan).await?),
            (Self::Make(job), Mode::Announce(topic)) => {
                topic.announce(job).await?;
                Ok(Done::Announced)
            }
            (Self::Make(job), Mode::Make | Mode::DryRun) => {
                let event = finalized(job);
                let mut report = Report::default();
                Ok(Done::Handled(
                    plan.pipeline
                        .handle(&event, Instant::now(), &mut report)
                        .await?,
                ))
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Make(job) => job.name.as_str(),
            Self::Prune(orphan) => orphan.source.as_str(),
        }
    }
}

impl Undone {
    /// Whether every other deed would fail as well.
    pub(super) fn is_general(&self) -> bool {
        match self {
            Self::Announce(_) => true,
            Self::Make(failure) => matches!(failure, Failure::Denied(_) | Failure::TargetMissing),
            Self::Prune(error) => matches!(error, StoreError::Denied(_)),
        }
    }
}

impl Reconcile {
    /// Deletes a thumbnail whose source is still not there; see the argument in the module's documentation.
    async fn prune_one(&self, orphan: &Orphan) -> Result<Done, StoreError> {
        let store = &self.pipeline.store;
        if store.look(&self.bucket, &orphan.source).await?.is_some() {
            return Ok(Done::Kept);
        }
        let bucket = &self.pipeline.scope.target_bucket;
        match store
            .delete(bucket, &orphan.thumbnail, orphan.generation)
            .await
        {
            Ok(()) => Ok(Done::Pruned),
            Err(StoreError::NotFound | StoreError::PreconditionFailed) => Ok(Done::Kept),
            Err(error) => Err(error),
        }
    }
}

/// The event that a listed object would have caused.
fn finalized(job: &Job) -> Event {
    Event {
        kind: EventKind::Finalized,
        bucket: job.bucket.clone(),
        name: job.name.clone(),
        generation: job.generation,
        size: job.size,
        marked: false,
        message_id: None,
        delivery_attempt: None,
    }
}
