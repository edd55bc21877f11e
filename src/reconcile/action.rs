//! What is done about what was found.

use std::time::Instant;

use futures_util::future::join_all;

use super::finding::{Comparison, Orphan, State};
use super::{Executor, Reconcile};
use crate::names::ObjectName;
use crate::outcome::{Failure, Outcome};
use crate::pipeline::Delivery;
use crate::report::Report;
use crate::store::StoreError;
use crate::topic::PublishFailed;
use crate::work::Job;

/// Something to do.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Places are to be looked at.
    Look(Comparison),
    /// Outputs are to be made, here or elsewhere.
    Make(Job),
    /// An orphan is to be deleted.
    Prune(Orphan),
    /// An output is to be deleted if its source is gone.
    PruneIfGone(Orphan),
    /// An output that may be an orphan is to be told if it is.
    Tell(Orphan),
}

/// What was done.
#[derive(Debug)]
pub(super) enum Done {
    /// All places have been looked at.
    Looked(Box<Comparison>),
    /// The source was announced.
    Announced,
    /// The source went through the pipeline.
    Handled(Outcome),
    /// The orphan is gone.
    Pruned,
    /// It is an orphan.
    Orphan,
    /// It is no orphan, or none any more.
    Kept,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum ActionError {
    #[error("can't look at its outputs")]
    Look(#[source] StoreError),
    #[error(transparent)]
    Announce(#[from] PublishFailed),
    #[error(transparent)]
    Make(#[from] Failure),
    #[error("can't prune")]
    Prune(#[source] StoreError),
}

impl Action {
    pub(super) async fn perform(&self, plan: &Reconcile) -> Result<Done, ActionError> {
        match self {
            Self::Look(comparison) => plan.look(comparison).await.map_err(ActionError::Look),
            Self::Make(job) => match &plan.executor {
                Some(Executor::Announce(topic)) => {
                    topic.announce(&job.source).await?;
                    Ok(Done::Announced)
                }
                Some(Executor::Make) => {
                    let mut report = Report::default();
                    let (job, now) = (job.clone(), Instant::now());
                    let made = plan.pipeline.make(job, Delivery::First, now, &mut report);
                    Ok(Done::Handled(made.await?))
                }
                None => Ok(Done::Kept),
            },
            Self::Prune(orphan) | Self::PruneIfGone(orphan) => {
                plan.prune(orphan).await.map_err(ActionError::Prune)
            }
            Self::Tell(orphan) => {
                let gone = plan.is_gone(orphan).await.map_err(ActionError::Look)?;
                Ok(if gone { Done::Orphan } else { Done::Kept })
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Look(comparison) => comparison.job.source.name.as_str(),
            Self::Make(job) => job.source.name.as_str(),
            Self::Prune(orphan) | Self::PruneIfGone(orphan) | Self::Tell(orphan) => {
                orphan.source.as_str()
            }
        }
    }
}

impl ActionError {
    /// Whether every other action would fail as well.
    pub(super) fn is_general(&self) -> bool {
        match self {
            Self::Announce(_) => true,
            Self::Make(Failure::Store(error)) | Self::Look(error) | Self::Prune(error) => {
                is_general(error)
            }
            Self::Make(failure) => matches!(failure, Failure::TargetMissing),
        }
    }
}

fn is_general(error: &StoreError) -> bool {
    match error {
        StoreError::Setting(setting, _) => setting.is_general(),
        error => matches!(error, StoreError::Denied(_)),
    }
}

impl Reconcile {
    async fn look(&self, comparison: &Comparison) -> Result<Done, StoreError> {
        let Comparison { job, states } = comparison;
        let bucket = &self.pipeline.scope.target_bucket;
        let looks = job.places.iter().zip(states).map(async |(place, state)| {
            let (None, Some(generation)) = (state, job.source.generation) else {
                return Ok::<_, StoreError>(state.clone());
            };
            let seen = self.pipeline.store.look(bucket, &place.name).await?;
            Ok(Some(State::of(job, place, generation, seen.as_ref())))
        });
        let states: Result<_, StoreError> = join_all(looks).await.into_iter().collect();
        Ok(Done::Looked(Box::new(Comparison {
            job: job.clone(),
            states: states?,
        })))
    }

    /// Deletes an output whose source is still not there; see the argument in the module's documentation.
    async fn prune(&self, orphan: &Orphan) -> Result<Done, StoreError> {
        if !self.is_gone(orphan).await? {
            return Ok(Done::Kept);
        }
        let bucket = &self.pipeline.scope.target_bucket;
        let store = &self.pipeline.store;
        match store.delete(bucket, &orphan.name, orphan.generation).await {
            Ok(()) => Ok(Done::Pruned),
            Err(StoreError::NotFound | StoreError::PreconditionFailed(_)) => Ok(Done::Kept),
            Err(error) => Err(error),
        }
    }

    /// Whether an output's source has no live version, whichever of the names that its own could tell is the source's.
    async fn is_gone(&self, orphan: &Orphan) -> Result<bool, StoreError> {
        if self.is_live(&orphan.source).await? {
            return Ok(false);
        }
        if orphan.is_recorded {
            return Ok(true);
        }
        let name = orphan.name.as_str();
        for (start, _) in name.char_indices().skip(1) {
            let other = ObjectName::parse(&name[start..]);
            if let Ok(other) = other
                && self.is_live(&other).await?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn is_live(&self, source: &ObjectName) -> Result<bool, StoreError> {
        match self.pipeline.store.look(&self.bucket, source).await {
            Ok(live) => Ok(live.is_some()),
            // What a store can't hold isn't there.
            Err(StoreError::Unstorable(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
