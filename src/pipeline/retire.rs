//! Deletes outputs whose source version is gone, where deletions are followed.
//!
//! # Why nothing of a deleted picture stays
//!
//! An output belongs to a source if it records its bucket and name. Three sequences of events could leave one behind,
//! and in each the last to act deletes it:
//!
//! - The picture is deleted after its output was written. The deletion's event looks at the place and deletes an output
//!   of the deleted version: generations don't come back, so it isn't live, whatever is live now. An output of another
//!   version, whose own deletion was an overwrite without an event, is deleted if the source, looked up *after* the
//!   place, has no live version.
//! - The output is written after the deletion's event was handled. So after its last write each event asks once more
//!   whether its version is live, and if not deletes what it has written. Either the deletion came before that answer,
//!   which then says so, or its event comes after the write and finds the output. An instance that dies between write
//!   and question hasn't acknowledged its event, and the next delivery finds the version gone and does the same.
//! - The picture is overwritten by one that can't be rendered. An output of an older version is then deleted if the
//!   unrenderable version is live, or none is.
//!
//! # Why no current output goes
//!
//! Each delete is conditional on the generation of the output that was seen. If a new version appears after the source
//! was looked up, its event either has replaced the output by then, and the delete fails and looks again, or finds the
//! place empty, and writes to it.

use futures_util::future::join_all;

use super::place::ATTEMPTS;
use super::{Job, Pipeline, Stop};
use crate::names::Generation;
use crate::outcome::{Failure, Outcome};
use crate::report::{Report, Stage};
use crate::store::{StoreError, Version};
use crate::stored::Record;
use crate::work::{Place, Skip};

/// Why outputs of a source are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// This version is not live any more.
    Deleted(Generation),
    Unrenderable(Generation),
}

impl Pipeline {
    /// Deletes the outputs of a source that show a version which is gone.
    pub(super) async fn retire(
        &self,
        job: &Job,
        cause: Cause,
        report: &mut Report,
    ) -> Result<Outcome, Stop> {
        let removals = job
            .places
            .iter()
            .map(|place| self.retire_place(job, place, cause));
        let removed = report.time(Stage::Write, join_all(removals)).await;
        let mut together = Outcome::Skipped(Skip::NoThumbnail);
        let mut failed = None;
        for (place, removed) in job.places.iter().zip(removed) {
            report.place(&place.name, &removed);
            match removed {
                Ok(Outcome::Skipped(skip)) if together == Outcome::Skipped(Skip::NoThumbnail) => {
                    together = Outcome::Skipped(skip);
                }
                Ok(outcome) => together = together.dominant(outcome),
                Err(failure) => {
                    failed = Some(match failed {
                        None => failure,
                        Some(other) => Failure::dominant(other, failure),
                    });
                }
            }
        }
        failed.map_or(Ok(together), |failure| Err(failure.into()))
    }

    /// Asks once more whether the handled version is live, and deletes its outputs if not.
    pub(super) async fn recheck(
        &self,
        job: &Job,
        outcome: Outcome,
        report: &mut Report,
    ) -> Result<Outcome, Stop> {
        let ours = report.generation.or(job.source.generation);
        let (true, Some(ours)) = (self.scope.propagate_deletes, ours) else {
            return Ok(outcome);
        };
        let source = &job.source;
        let live = self.store.look(&source.bucket, &source.name);
        let live = report
            .time(Stage::Write, live)
            .await
            .map_err(Failure::from)?;
        let instead = match live {
            Some(live) if live.generation == ours => return Ok(outcome),
            Some(_) => Skip::Superseded,
            None => Skip::Gone,
        };
        self.retire(job, Cause::Deleted(ours), report).await?;
        Ok(Outcome::Skipped(instead))
    }

    /// Deletes the outputs that an unrenderable version has overwritten; where deletions aren't followed, reports that
    /// they stay.
    pub(super) async fn retire_overwritten(
        &self,
        job: &Job,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let Some(unrenderable) = report.generation.or(job.source.generation) else {
            return Ok(());
        };
        if self.scope.propagate_deletes {
            self.retire(job, Cause::Unrenderable(unrenderable), report)
                .await?;
            return Ok(());
        }
        let bucket = &self.scope.target_bucket;
        let looks = job
            .places
            .iter()
            .map(|place| self.store.look(bucket, &place.name));
        let seen = report.time(Stage::Write, join_all(looks)).await;
        for (place, seen) in job.places.iter().zip(seen) {
            // This is only reported, so errors are ignored.
            let record = seen.ok().flatten().and_then(|seen| seen.record());
            let is_older =
                |record: &Record| is_of(record, job, place) && record.generation != unrenderable;
            if record.as_ref().is_some_and(is_older) {
                report.kept(&place.name);
            }
        }
        Ok(())
    }

    async fn retire_place(
        &self,
        job: &Job,
        place: &Place,
        cause: Cause,
    ) -> Result<Outcome, Failure> {
        let bucket = &self.scope.target_bucket;
        for _ in 0..ATTEMPTS {
            let Some(seen) = self.store.look(bucket, &place.name).await? else {
                return Ok(Outcome::Skipped(Skip::NoThumbnail));
            };
            if !self.is_gone(job, place, &seen, cause).await? {
                return Ok(Outcome::Skipped(Skip::OtherVersion));
            }
            match self
                .store
                .delete(bucket, &place.name, seen.generation)
                .await
            {
                // A retry by the client may find the object already deleted.
                Ok(()) | Err(StoreError::NotFound) => return Ok(Outcome::Deleted),
                Err(StoreError::PreconditionFailed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::Contended)
    }

    /// Whether the object seen in a place is an output of the source that shows a version which is gone.
    async fn is_gone(
        &self,
        job: &Job,
        place: &Place,
        seen: &Version,
        cause: Cause,
    ) -> Result<bool, StoreError> {
        let Some(record) = seen.record().filter(|record| is_of(record, job, place)) else {
            return Ok(false);
        };
        let shows = record.generation;
        if matches!(cause, Cause::Deleted(gone) if gone == shows) {
            return Ok(true);
        }
        if matches!(cause, Cause::Unrenderable(unrenderable) if unrenderable == shows) {
            return Ok(false);
        }
        let source = &job.source;
        let live = self.store.look(&source.bucket, &source.name).await?;
        Ok(match (cause, live) {
            (_, None) => true,
            (Cause::Deleted(_), Some(_)) => false,
            (Cause::Unrenderable(unrenderable), Some(live)) => live.generation == unrenderable,
        })
    }
}

fn is_of(record: &Record, job: &Job, place: &Place) -> bool {
    record.is_of(&place.name, &job.source.bucket, &job.source.name)
}
