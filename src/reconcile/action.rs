//! The actions of a run and their results.

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

/// Work on one source or one output.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Look(Comparison),
    /// Make outputs, here or in the deployed service.
    Make(Job),
    Prune(Orphan),
    /// Delete an output if its source is gone.
    PruneIfGone(Orphan),
    /// Check whether an output is an orphan.
    CheckOrphan(Orphan),
}

/// The effect of an action.
#[derive(Debug)]
pub(super) enum Effect {
    Looked(Box<Comparison>),
    Announced,
    /// The pipeline handled the source.
    Handled(Outcome),
    Pruned,
    /// The output is an orphan.
    Orphan,
    /// The output is no orphan, or no longer one.
    Kept,
}

/// Why an action failed.
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
    pub(super) async fn perform(&self, plan: &Reconcile) -> Result<Effect, ActionError> {
        match self {
            Self::Look(comparison) => plan.look(comparison).await.map_err(ActionError::Look),
            Self::Make(job) => match &plan.executor {
                Some(Executor::Announce(topic)) => {
                    topic.announce(&job.source).await?;
                    Ok(Effect::Announced)
                }
                Some(Executor::Make) => {
                    let mut report = Report::default();
                    let (job, now) = (job.clone(), Instant::now());
                    let made = plan.pipeline.make(job, Delivery::First, now, &mut report);
                    Ok(Effect::Handled(made.await?))
                }
                None => Ok(Effect::Kept),
            },
            Self::Prune(orphan) | Self::PruneIfGone(orphan) => {
                plan.prune(orphan).await.map_err(ActionError::Prune)
            }
            Self::CheckOrphan(orphan) => {
                let gone = plan.is_gone(orphan).await.map_err(ActionError::Look)?;
                Ok(if gone { Effect::Orphan } else { Effect::Kept })
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Look(comparison) => comparison.job.source.name.as_str(),
            Self::Make(job) => job.source.name.as_str(),
            Self::Prune(orphan) | Self::PruneIfGone(orphan) | Self::CheckOrphan(orphan) => {
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
    async fn look(&self, comparison: &Comparison) -> Result<Effect, StoreError> {
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
        Ok(Effect::Looked(Box::new(Comparison {
            job: job.clone(),
            states: states?,
        })))
    }

    /// Deletes an output if its source is still missing; see the argument in the module's documentation.
    async fn prune(&self, orphan: &Orphan) -> Result<Effect, StoreError> {
        if !self.is_gone(orphan).await? {
            return Ok(Effect::Kept);
        }
        let bucket = &self.pipeline.scope.target_bucket;
        let store = &self.pipeline.store;
        match store.delete(bucket, &orphan.name, orphan.generation).await {
            Ok(()) => Ok(Effect::Pruned),
            Err(StoreError::NotFound | StoreError::PreconditionFailed(_)) => Ok(Effect::Kept),
            Err(error) => Err(error),
        }
    }

    /// Whether an output's source has no live version; without a recorded name, any suffix of the output's may be the
    /// source's.
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
            // The store has no object of a name that it can't hold.
            Err(StoreError::Unstorable(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
