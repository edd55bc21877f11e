//! `gcs-thumbnailer reconcile`: finds missing, stale and orphaned outputs of a bucket, and repairs them.
//!
//! Notifications start when they are configured, and configuration breaks. So a run compares instead of remembering: it
//! lists the source bucket and, for each rendition whose pattern is a prefix and the source's name, the objects with
//! that prefix, all in the byte order of the sources' names, and merges the listings in one pass, in constant memory.
//! The places of other patterns are looked at source by source, many at a time. Missing and stale outputs are announced
//! to a topic as Cloud Storage would have done, for the deployed service to make, or are made here by the service's own
//! [`Pipeline`]. A picture that can't be rendered is found missing, and fails, in every run; one that is replaced or
//! deleted during a run is left to its own notification, or to the next run.
//!
//! # Name conflicts
//!
//! Two sources may yield one name: pictures of one name in two buckets, or `a.jpg` and `a.png` where a pattern leaves
//! out the extension. An output that records another source is neither stale nor an orphan here. Where this bucket has
//! a source of that name, the conflict is logged and counted, and nothing is done: two runs for two buckets would
//! otherwise overwrite each other's outputs for ever. The last writer keeps the place.
//!
//! # Why it is safe beside the service and beside itself
//!
//! An announcement is one more notification, and duplicates are free; an output that is made here passes the same
//! preconditions as in the service ([`pipeline`](crate::pipeline)). An orphan is deleted in two steps. The listings are
//! not of one moment, so the source is looked up once more *after* its output was seen; if it exists, the output stays.
//! Then the delete is conditional on the output's generation: if the source comes back after that look, its own event
//! finds the place as it was, and replaces or creates, or has replaced already, and the delete fails.
//!
//! # Whose orphans are pruned
//!
//! An output records its source's name, and is an orphan only by that name. An object under this run's prefix that
//! records another name than the rest of its own belongs to a deployment with a nested prefix (`thumbnails/v2/` in
//! `thumbnails/`). Outputs of versions before 0.2 don't record the name: such an output is an orphan only if its own
//! name ends in the name of no object at all that is in the bucket.
//!
//! # Where a run that ended early is resumed
//!
//! Work is begun in the order of names and ends in any. A run reports the last name up to which everything is done, so
//! that the next one can start after it; a failure holds that name back. The orphans of patterns that are no prefixes
//! are searched at the end, and all of them each time.

mod action;
mod finding;
mod frontier;
mod line;
mod merge;
mod pace;
mod progress;
mod run;
mod tally;

use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use merge::Row;
pub(crate) use merge::{Merge, Next};
pub use tally::Tally;

use crate::names::BucketName;
use crate::pipeline::Pipeline;
use crate::topic::Topic;

/// The parameters of a run.
pub struct Reconcile {
    /// The store, scope and limits, as the service has them.
    pub pipeline: Arc<Pipeline>,
    /// The bucket whose pictures are compared.
    pub bucket: BucketName,
    /// How the work is done; `None` in a dry run.
    pub executor: Option<Executor>,
    /// The prefix of the names that are compared; empty for any.
    pub prefix: String,
    /// The name that the run starts after; empty for none.
    pub start_after: String,
    /// The most pictures that are announced or made.
    pub limit: Option<u64>,
    /// The most of them per second.
    pub per_second: Option<NonZeroU32>,
    /// Whether current outputs are made again.
    pub force: bool,
    /// Whether orphans are deleted.
    pub prune: bool,
}

/// How missing and stale outputs are made.
pub enum Executor {
    /// By the deployed service, to which sources are announced.
    Announce(Topic),
    /// By this process.
    Make,
}

/// The result of a run.
#[derive(Debug)]
pub struct Summary {
    /// What was found and done.
    pub tally: Tally,
    /// Why it ended.
    pub end: End,
    /// The name to start after next time; `None` where nothing is left.
    pub resume_after: Option<String>,
}

/// Why a run ended.
#[derive(Debug)]
pub enum End {
    /// Everything was compared.
    Complete,
    /// The limit was reached.
    Limit,
    /// A signal stopped it.
    Interrupted,
    /// Every other action would fail too; with the chain of causes.
    Broken(String),
}

impl Summary {
    /// Whether the run reached its end or its limit, and nothing failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let ended = matches!(self.end, End::Complete | End::Limit);
        ended && self.tally.failed == 0
    }
}

impl Reconcile {
    /// Compares the bucket and does the work, until all is done or `shutdown`.
    ///
    /// Every failure and the summary are logged.
    #[must_use]
    pub fn run(self, shutdown: BoxFuture<'static, ()>) -> BoxFuture<'static, Summary> {
        Box::pin(run::run(Arc::new(self), shutdown))
    }
}
