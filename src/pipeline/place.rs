//! Writes outputs to their places in the target bucket, conditional on what was seen there.
//!
//! # Why an old picture never ends up over a new one
//!
//! The argument is per place: the outputs of one event share a source and nothing else. A write requires that its place
//! is as it was seen: empty, or holding one certain generation. So of two instances that race for a place, one fails
//! and looks again. An instance that finds anything but its own output (this source, this version, this recipe) asks
//! for the source's live version *after* it looked at the place, and replaces only if that is its own. Suppose an event
//! for version 1 overwrote the output of version 2. It had seen that output's generation before it asked for the live
//! version, so version 2, whose event had written by then, was already there; the answer would have been version 2 and
//! nothing written. Duplicates find their own output and end. Generations are only compared for equality, as their
//! order is not promised.
//!
//! Recipes have no order either: while two configurations are deployed, as during a rollout, each replaces the other's
//! output of the live version, and the last event wins. `reconcile` then brings every place to its own recipe.
//!
//! An empty place is written without asking. So an event that was held up long enough can put its old version where
//! somebody has deleted the new one's output by hand; where deletions are followed, see [`retire`](super::retire).

use std::borrow::Cow;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::{Job, Pipeline, Stop};
use crate::outcome::{Failure, Outcome, Replaced};
use crate::report::{Report, Stage};
use crate::store::{Precondition, StoreError, Version};
use crate::stored::{Origin, Upload};
use crate::work::{Place, Skip};

/// How often a place that keeps changing is tried before the event is left to a redelivery.
pub(super) const ATTEMPTS: usize = 8;
/// After this many failed preconditions on an unchanged place, the store has another reason.
const MAX_UNEXPLAINED: usize = 3;

impl Pipeline {
    /// Removes and returns the places whose outputs are current; one that can't be looked at stays.
    pub(super) async fn take_current(&self, job: &mut Job) -> Vec<Place> {
        let Some(generation) = job.source.generation else {
            return Vec::new();
        };
        let bucket = &self.scope.target_bucket;
        let looks = job
            .places
            .iter()
            .map(|place| self.store.look(bucket, &place.name));
        let seen = join_all(looks).await;
        let current: Vec<bool> = job
            .places
            .iter()
            .zip(seen)
            .map(|(place, seen)| {
                let record = seen.ok().flatten().and_then(|seen| seen.record());
                let origin = super::origin(job, place, generation);
                record.is_some_and(|record| record.is_current(&place.name, &origin))
            })
            .collect();
        let mut current = current.into_iter();
        job.places
            .extract_if(.., |_| current.next().unwrap_or(false))
            .collect()
    }

    /// Writes all outputs concurrently, and combines their results into the event's.
    pub(super) async fn write_all(
        &self,
        job: &Job,
        uploads: &[(&Place, Upload)],
        report: &mut Report,
    ) -> Result<Outcome, Stop> {
        report.enter(Stage::Write);
        let mut writes: FuturesUnordered<_> = uploads
            .iter()
            .map(async |(place, upload)| (place, self.write(job, place, upload).await))
            .collect();
        let mut together = None;
        while let Some((place, written)) = writes.next().await {
            let written = match written {
                Ok(outcome) => Ok(outcome),
                Err(Stop::Skip(skip)) => Ok(Outcome::Skipped(skip)),
                Err(Stop::Failure(failure)) => Err(failure),
                Err(Stop::NeedsMemory(_)) => Err(Failure::Overloaded),
            };
            report.place(&place.name, &written);
            together = Some(match (together, written) {
                (None, written) => written,
                (Some(Ok(one)), Ok(other)) => Ok(Outcome::dominant(one, other)),
                (Some(Err(one)), Err(other)) => Err(Failure::dominant(one, other)),
                (Some(Err(failure)), Ok(_)) | (Some(Ok(_)), Err(failure)) => Err(failure),
            });
        }
        report.leave();
        Ok(together.unwrap_or(Ok(Outcome::Skipped(Skip::Current)))?)
    }

    /// Stores an output unless its place holds a current or a newer one; see the module's documentation.
    async fn write(&self, job: &Job, place: &Place, upload: &Upload) -> Result<Outcome, Stop> {
        let bucket = &self.scope.target_bucket;
        let mut upload = Cow::Borrowed(upload);
        let mut replaced = None;
        let mut precondition = Precondition::Absent;
        let mut unexplained = 0;
        for _ in 0..ATTEMPTS {
            let written = self
                .store
                .write(bucket, &place.name, &upload, precondition)
                .await;
            let cause = match written {
                Ok(_) => return Ok(replaced.map_or(Outcome::Created, Outcome::Replaced)),
                Err(StoreError::PreconditionFailed(cause)) => cause,
                Err(StoreError::NotFound) => return Err(Failure::TargetMissing.into()),
                Err(error) => return Err(Failure::from(error).into()),
            };
            let seen = self.store.look(bucket, &place.name).await;
            let seen = seen.map_err(Failure::from)?;
            let demanded = precondition;
            (precondition, replaced) = match seen {
                None => (Precondition::Absent, None),
                Some(seen) => {
                    let generation = seen.generation;
                    upload.to_mut().keep_tokens(&seen.details.metadata);
                    let replaced = self.replaces(job, place, &upload.origin, seen).await?;
                    (Precondition::Is(generation), Some(replaced))
                }
            };
            // Where an organization policy forbids the write, the answer is the same as for a place that has changed.
            unexplained += usize::from(precondition == demanded);
            if unexplained == MAX_UNEXPLAINED {
                return Err(Failure::Store(StoreError::Unknown(cause)).into());
            }
        }
        Err(Failure::Contended.into())
    }

    /// Whether the output is to replace the object that was seen in its place, and why.
    async fn replaces(
        &self,
        job: &Job,
        place: &Place,
        ours: &Origin,
        seen: Version,
    ) -> Result<Replaced, Stop> {
        let replaced = match seen.record() {
            Some(theirs) if theirs.is_current(&place.name, ours) => {
                if !job.force {
                    return Err(Skip::Current.into());
                }
                Replaced::Forced
            }
            Some(theirs) if !theirs.is_of(&place.name, &ours.bucket, &ours.name) => {
                Replaced::NameConflict
            }
            Some(theirs) if theirs.generation != ours.generation => Replaced::OtherVersion,
            Some(_) => Replaced::OtherRecipe,
            None => {
                if self.scope.is_source(&job.source, &place.name, seen.details) {
                    return Err(Skip::OtherSource.into());
                }
                Replaced::Unmarked
            }
        };
        let live = self.store.look(&ours.bucket, &ours.name).await;
        match live.map_err(Failure::from)? {
            None => Err(Skip::Gone.into()),
            Some(live) if live.generation == ours.generation => Ok(replaced),
            Some(_) => Err(Skip::Superseded.into()),
        }
    }
}
