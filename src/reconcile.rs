//! `gcs-thumbnailer reconcile`: every source has its outputs, current in version and recipe.
//!
//! Notifications start when they are configured, and configuration breaks. So this compares instead of remembering: it
//! lists the source bucket, and what is behind the prefix of each rendition that is a prefix and the source's name, side by
//! side, all in the byte order of the sources' names, and merges them in one pass, in constant memory. The places of other
//! patterns are looked at source by source, many at a time. What is missing or stale is announced to a topic as Cloud
//! Storage would have done, for the deployed service to do the work, or goes through the service's own [`Pipeline`] here. A
//! picture that can't be rendered is found missing, and refused, by every run; one that is replaced or deleted while a run
//! goes on is left to its own notification, or to the next run.
//!
//! # Name conflicts
//!
//! Two sources may make one name: pictures of one name in two buckets, or `a.jpg` and `a.png` where a pattern leaves out the
//! extension. An output that records another source is neither stale nor an orphan here. Where this bucket has a source of
//! that name, the conflict is logged and counted, and nothing is done: two runs for two buckets would otherwise take the
//! place from each other for ever. It stays with whoever wrote last.
//!
//! # Why it is safe beside the service and beside itself
//!
//! An announcement is one more notification, and duplicates are free; an output that is made here passes the same
//! preconditions as in the service ([`pipeline`](crate::pipeline)). An orphan is deleted in two steps. The listings are not
//! of one moment, so the source is looked at once more, now *after* its output was seen; where it is there, the output
//! stays. Then the delete is conditional on the output's generation: if the source comes back after that look, its own
//! event finds the place as it was, and replaces or creates, or has replaced already, and the delete fails.
//!
//! # Whose orphans are pruned
//!
//! An output records its source's name, and is an orphan only by that name. What lies behind this run's prefix, but records
//! a name other than the rest of its own, belongs to a deployment whose prefix lies behind this one (`thumbnails/v2/` behind
//! `thumbnails/`). Outputs of versions before 0.2 don't record the name: such a one is an orphan only if its own name ends in
//! the name of no object at all that is in the bucket.
//!
//! # Where a run that ended early is resumed
//!
//! Work is begun in the order of names and ends in any. A run names the last name up to which everything is done, so
//! nothing is left out when the next one starts behind it; a failure holds that name back. The orphans of patterns that are
//! no prefixes are looked for at the end, and all of them each time.

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

pub use merge::{Merge, Next, Row};
pub use tally::Tally;

use crate::names::BucketName;
use crate::pipeline::Pipeline;
use crate::topic::Topic;

/// A comparison to be run.
pub struct Reconcile {
    /// The stores, names and limits, as the service has them.
    pub pipeline: Arc<Pipeline>,
    /// The bucket whose pictures are compared.
    pub bucket: BucketName,
    /// Who does what is to be done; nobody in a dry run.
    pub executor: Option<Executor>,
    /// What the names start with; empty for any.
    pub prefix: String,
    /// The name that the run starts behind; empty for none.
    pub start_after: String,
    /// The most pictures that are announced or made.
    pub limit: Option<u64>,
    /// The most of them in a second.
    pub per_second: Option<NonZeroU32>,
    /// Whether what is current is made again.
    pub force: bool,
    /// Whether orphans are deleted.
    pub prune: bool,
}

/// Who makes what is missing or stale.
pub enum Executor {
    /// The deployed service, to which sources are announced.
    Announce(Topic),
    /// This process.
    Make,
}

/// How a run ended.
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
    /// It was told to stop.
    Interrupted,
    /// It can't go on; the chain of causes.
    Broken(String),
}

impl Summary {
    /// Whether all that was asked for went well: a run that was told to stop is no complete one.
    #[must_use]
    pub fn is_success(&self) -> bool {
        let ended = matches!(self.end, End::Complete | End::Limit);
        ended && self.tally.failed == 0
    }
}

impl Reconcile {
    /// Compares, and does what the comparison asks for, until all is done or `shutdown`.
    ///
    /// Every failure and the summary are logged.
    #[must_use]
    pub fn run(self, shutdown: BoxFuture<'static, ()>) -> BoxFuture<'static, Summary> {
        Box::pin(run::run(Arc::new(self), shutdown))
    }
}
