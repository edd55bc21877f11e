//! How an event ended, and what that means to Pub/Sub and to the operator.
//!
//! Acknowledged (204) is what is done or can never be done; everything else is answered 503 and comes again. Only the
//! input's own bytes and the operator's configured limits make a failure permanent.

use crate::budget::NoRoom;
use crate::render::Refusal;
use crate::store::StoreError;
use crate::work::Skip;

/// How an event ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A thumbnail was stored where there was none.
    Created,
    /// A thumbnail took the place of another object.
    Replaced(Replaced),
    /// The thumbnail of a deleted source was deleted.
    Deleted,
    /// Nothing was to be done.
    Skipped(Skip),
}

/// What a thumbnail took the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// A thumbnail of another version of the same source.
    OtherVersion,
    /// An object that doesn't carry our marker.
    Unmarked,
    /// A thumbnail of an object with the same name in another source bucket.
    NameConflict,
}

/// How an event ended badly.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The picture can't be rendered.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The object has more bytes than configured.
    #[error("the object has {bytes} bytes, over the limit of {limit} (MAX_SOURCE_BYTES)")]
    TooLarge {
        /// The object's size, or the number of bytes by which it was known to be over.
        bytes: u64,
        /// `MAX_SOURCE_BYTES`.
        limit: u64,
    },
    /// The picture takes more working memory than there is in all.
    #[error(
        "the picture takes {bytes} bytes of working memory, over the budget of {budget} (MEMORY_BUDGET)"
    )]
    OverBudget {
        /// What the picture takes.
        bytes: u64,
        /// `MEMORY_BUDGET`.
        budget: u64,
    },
    /// The store can't hold an object of that name.
    #[error("the store can't hold an object of that name: {0}")]
    Unstorable(&'static str),
    /// The store can't do it now.
    #[error(transparent)]
    Unavailable(StoreError),
    /// What was read is not what was stored.
    #[error(transparent)]
    Checksum(StoreError),
    /// The event's time is up.
    #[error("the time is up")]
    Timeout,
    /// There was no room within the event's time.
    #[error("other work has the memory or the cores")]
    Overloaded,
    /// The thumbnail's place changed under every attempt.
    #[error("the thumbnail's place kept changing")]
    Contended,
    /// The instance stops before the event is done.
    #[error("the instance is shutting down")]
    ShuttingDown,
    /// A role is missing.
    #[error(transparent)]
    Denied(StoreError),
    /// The target bucket is not there.
    #[error("the target bucket does not exist")]
    TargetMissing,
    /// Something nobody thought of.
    #[error(transparent)]
    Unknown(StoreError),
    /// A bug of ours.
    #[error("panicked")]
    Panicked,
}

/// Whether Pub/Sub is to deliver the event again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Never: it would end the same way.
    Never,
    /// Later: it may end better.
    Later,
}

/// How loudly a line is logged, in Cloud Logging's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// As expected.
    Info,
    /// The input's or the environment's fault.
    Warning,
    /// Ours to fix.
    Error,
}

impl Outcome {
    /// The outcome in the event's log line.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced(_) => "replaced",
            Self::Deleted => "deleted",
            Self::Skipped(Skip::Gone) => "gone",
            Self::Skipped(_) => "skipped",
        }
    }

    /// The reason in the event's log line.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Created | Self::Deleted => None,
            Self::Replaced(Replaced::OtherVersion) => Some("other_version"),
            Self::Replaced(Replaced::Unmarked) => Some("unmarked"),
            Self::Replaced(Replaced::NameConflict) => Some("name_conflict"),
            Self::Skipped(skip) => Some(skip.label()),
        }
    }

    /// How loudly it is logged.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Replaced(Replaced::NameConflict) => Severity::Warning,
            Self::Created
            | Self::Deleted
            | Self::Replaced(Replaced::OtherVersion | Replaced::Unmarked)
            | Self::Skipped(_) => Severity::Info,
        }
    }
}

impl Failure {
    /// Whether the event is to come again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::OverBudget { .. }
            | Self::Unstorable(_) => Retry::Never,
            Self::Unavailable(_)
            | Self::Checksum(_)
            | Self::Timeout
            | Self::Overloaded
            | Self::Contended
            | Self::ShuttingDown
            | Self::Denied(_)
            | Self::TargetMissing
            | Self::Unknown(_)
            | Self::Panicked => Retry::Later,
        }
    }

    /// How loudly it is logged.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::OverBudget { .. }
            | Self::Unstorable(_)
            | Self::Unavailable(_)
            | Self::Checksum(_)
            | Self::Timeout
            | Self::Overloaded
            | Self::Contended
            | Self::ShuttingDown => Severity::Warning,
            Self::Denied(_) | Self::TargetMissing | Self::Unknown(_) | Self::Panicked => {
                Severity::Error
            }
        }
    }

    /// The outcome in the event's log line: `refused` for good, or `failed` for now.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self.retry() {
            Retry::Never => "refused",
            Retry::Later => "failed",
        }
    }

    /// The reason in the event's log line.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.label(),
            Self::TooLarge { .. } => "too_large",
            Self::OverBudget { .. } => "over_budget",
            Self::Unstorable(_) => "unstorable",
            Self::Unavailable(_) => "storage_unavailable",
            Self::Checksum(_) => "checksum",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Contended => "contended",
            Self::ShuttingDown => "shutting_down",
            Self::Denied(_) => "permission_denied",
            Self::TargetMissing => "target_missing",
            Self::Unknown(_) => "unknown",
            Self::Panicked => "panic",
        }
    }
}

impl From<StoreError> for Failure {
    /// A store's error where not being found and a failed precondition have no meaning of their own.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Denied(_) => Self::Denied(error),
            StoreError::Unavailable(_) => Self::Unavailable(error),
            StoreError::Timeout => Self::Timeout,
            StoreError::Checksum(_) => Self::Checksum(error),
            StoreError::TooLarge { limit } => Self::TooLarge {
                bytes: limit.saturating_add(1),
                limit,
            },
            StoreError::Unstorable(reason) => Self::Unstorable(reason),
            StoreError::NotFound | StoreError::PreconditionFailed | StoreError::Unknown(_) => {
                Self::Unknown(error)
            }
        }
    }
}

impl From<NoRoom> for Failure {
    fn from(no_room: NoRoom) -> Self {
        match no_room {
            NoRoom::Never { bytes, budget } => Self::OverBudget { bytes, budget },
            NoRoom::Now => Self::Overloaded,
        }
    }
}
