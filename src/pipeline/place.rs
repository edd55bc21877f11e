//! A thumbnail's place in the target bucket: written or emptied on the condition that it is as it was seen.
//!
//! # Why an old picture never ends up over a new one
//!
//! A thumbnail is written only if its place is as it was seen: empty, or holding one certain generation. So of two
//! instances that race for a place, one fails and looks again. Whoever finds anything but a thumbnail of its own version
//! asks which version is live *after* it has seen what is there, and replaces only if its own is. Suppose an
//! event for version 1 wrote over the thumbnail of version 2. It had seen that thumbnail's generation before it asked
//! for the live version, so version 2, whose event had written by then, was already there; the answer would have been
//! version 2 and nothing written. An empty place is taken without asking: an event that was held up all that time could
//! put its old version where somebody has deleted the new one's thumbnail by hand. Duplicates find a thumbnail of their
//! own version and end. Generations are only compared for equality, as their order is not promised.
//!
//! # Why a deletion never takes a current thumbnail
//!
//! A deletion names the version that is gone. Generations don't come back, so a thumbnail that records just this one
//! shows what is not live, whatever is live now: the source needn't be asked. The delete is conditional on the
//! generation of the thumbnail that was seen, so a newer thumbnail that takes its place meanwhile stays. A deletion that
//! overtakes its own finalize, or comes while that is being rendered, finds nothing to delete; the thumbnail that is
//! written then is an orphan until `reconcile --prune` deletes it.

use super::{Pipeline, Stop};
use crate::outcome::{Failure, Outcome, Replaced};
use crate::store::{Precondition, StoreError, Version};
use crate::stored::Thumbnail;
use crate::work::{Job, Removal, Skip};

/// A place that changes under so many attempts is left to a later delivery.
const ATTEMPTS: usize = 8;

impl Pipeline {
    /// Stores the thumbnail unless its place holds a better one; see the argument above.
    pub(super) async fn write(&self, job: &Job, thumbnail: &Thumbnail) -> Result<Outcome, Stop> {
        let bucket = &self.scope.target_bucket;
        let mut replaced = None;
        let mut precondition = Precondition::Absent;
        for _ in 0..ATTEMPTS {
            match self
                .store
                .write(bucket, &job.thumbnail, thumbnail, precondition)
                .await
            {
                Ok(_) => return Ok(replaced.map_or(Outcome::Created, Outcome::Replaced)),
                Err(StoreError::PreconditionFailed) => {}
                Err(StoreError::NotFound) => return Err(Failure::TargetMissing.into()),
                Err(error) => return Err(Failure::from(error).into()),
            }
            let seen = self
                .store
                .look(bucket, &job.thumbnail)
                .await
                .map_err(Failure::from)?;
            (precondition, replaced) = match seen {
                None => (Precondition::Absent, None),
                Some(seen) => {
                    let replaced = self.replaces(job, thumbnail, &seen).await?;
                    (Precondition::Is(seen.generation), Some(replaced))
                }
            };
        }
        Err(Failure::Contended.into())
    }

    /// Deletes the thumbnail of just the version that is gone; see the argument above.
    pub(super) async fn remove(&self, removal: &Removal) -> Result<Outcome, Stop> {
        let bucket = &self.scope.target_bucket;
        for _ in 0..ATTEMPTS {
            let seen = self.store.look(bucket, &removal.thumbnail).await;
            let seen = seen.map_err(Failure::from)?.ok_or(Skip::NoThumbnail)?;
            if seen.origin.as_ref() != Some(&removal.origin) {
                return Err(Skip::OtherVersion.into());
            }
            match self
                .store
                .delete(bucket, &removal.thumbnail, seen.generation)
                .await
            {
                // A repeated attempt of the client's own may find its work done.
                Ok(()) | Err(StoreError::NotFound) => return Ok(Outcome::Deleted),
                Err(StoreError::PreconditionFailed) => {}
                Err(error) => return Err(Failure::from(error).into()),
            }
        }
        Err(Failure::Contended.into())
    }

    /// Whether the thumbnail is to replace what was seen in its place.
    async fn replaces(
        &self,
        job: &Job,
        thumbnail: &Thumbnail,
        seen: &Version,
    ) -> Result<Replaced, Stop> {
        let ours = &thumbnail.origin;
        let replaced = match &seen.origin {
            Some(theirs) if theirs == ours => return Err(Skip::Current.into()),
            Some(theirs) if theirs.bucket == ours.bucket => Replaced::OtherVersion,
            Some(_) => Replaced::NameConflict,
            None => Replaced::Unmarked,
        };
        let live = self.store.look(&job.bucket, &job.name).await;
        match live.map_err(Failure::from)? {
            None => Err(Skip::Gone.into()),
            Some(live) if live.generation == ours.generation => Ok(replaced),
            Some(_) => Err(Skip::Superseded.into()),
        }
    }
}
