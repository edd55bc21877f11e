//! Classifies how an event ended, for Pub/Sub and for the operator.
//!
//! An event is acknowledged (204) if it is done or can never be done; otherwise it is answered 503 and redelivered.
//! Only the input's own bytes and the operator's configured limits make a failure permanent.

use crate::budget::{Capacity, NoRoom};
use crate::render::Refusal;
use crate::store::{Setting, StoreError};
use crate::work::Skip;

/// How an event succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An output was stored where there was none.
    Created,
    /// An output took the place of another object.
    Replaced(Replaced),
    /// The output of a source that is gone was deleted.
    Deleted,
    /// Nothing was to be done.
    Skipped(Skip),
}

/// What an output took the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// An output of another version of the same source.
    OtherVersion,
    /// An output of the same version by another recipe.
    OtherRecipe,
    /// An output that was current.
    Forced,
    /// An object that doesn't carry our marker.
    Unmarked,
    /// An output of another source: one of the same name in another bucket, or one whose name yields the same output
    /// name.
    NameConflict,
}

/// How an event failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The picture can't be rendered.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The object has more bytes than the configured limit.
    #[error("the object has {bytes} bytes, over the limit of {limit} (MAX_SOURCE_BYTES)")]
    TooLarge {
        /// The object's size, or the number of bytes after which it was known to be over.
        bytes: u64,
        /// `MAX_SOURCE_BYTES`.
        limit: u64,
    },
    /// The picture takes more working memory than the whole budget.
    #[error("the picture takes {bytes} bytes of working memory, over the budget of {budget}")]
    OverBudget {
        /// The memory that the picture takes.
        bytes: u64,
        /// The whole budget.
        budget: Capacity,
    },
    /// A call of the store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The event's time limit has passed.
    #[error("the time is up")]
    Timeout,
    /// No memory or no core became free within the event's time.
    #[error("other work has the memory or the cores")]
    Overloaded,
    /// The output's place changed under every attempt.
    #[error("the output's place kept changing")]
    Contended,
    /// The instance stops before the event is done.
    #[error("the instance is shutting down")]
    ShuttingDown,
    /// The target bucket does not exist.
    #[error("the target bucket does not exist")]
    TargetMissing,
    /// A bug of ours.
    #[error("panicked")]
    Panicked,
}

/// Whether Pub/Sub is to deliver the event again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Never: it would fail the same way.
    Never,
    /// Later: it may succeed.
    Later,
}

/// A log line's severity, in Cloud Logging's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As expected.
    Info,
    /// The input's or the environment's fault.
    Warning,
    /// To be fixed in the code or the deployment.
    Error,
}

impl Outcome {
    /// The more severe of two outcomes of one event; of equally severe ones, the one that changed more.
    #[must_use]
    pub(crate) fn dominant(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    fn weight(self) -> (Severity, u8) {
        let rank = match self {
            Self::Skipped(_) => 0,
            Self::Deleted => 1,
            Self::Replaced(_) => 2,
            Self::Created => 3,
        };
        (self.severity(), rank)
    }

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
            Self::Replaced(Replaced::OtherRecipe) => Some("other_recipe"),
            Self::Replaced(Replaced::Forced) => Some("forced"),
            Self::Replaced(Replaced::Unmarked) => Some("unmarked"),
            Self::Replaced(Replaced::NameConflict) => Some("name_conflict"),
            Self::Skipped(skip) => Some(skip.label()),
        }
    }

    /// The severity of its log line.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Replaced(Replaced::NameConflict) => Severity::Warning,
            Self::Skipped(skip) => skip.severity(),
            Self::Created
            | Self::Deleted
            | Self::Replaced(
                Replaced::OtherVersion
                | Replaced::OtherRecipe
                | Replaced::Forced
                | Replaced::Unmarked,
            ) => Severity::Info,
        }
    }
}

impl Failure {
    /// The one of two failures that decides on their event: one to be retried before a permanent one, then the more
    /// severe.
    #[must_use]
    pub(crate) fn dominant(self, other: Self) -> Self {
        let weight = |failure: &Self| (failure.retry() == Retry::Later, failure.severity());
        if weight(&other) > weight(&self) {
            other
        } else {
            self
        }
    }

    /// Whether the event is to be redelivered.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::OverBudget {
                budget: Capacity::Configured(_),
                ..
            } => Retry::Never,
            Self::Store(error) => error.retry(),
            Self::OverBudget {
                budget: Capacity::Derived(_),
                ..
            }
            | Self::Timeout
            | Self::Overloaded
            | Self::Contended
            | Self::ShuttingDown
            | Self::TargetMissing
            | Self::Panicked => Retry::Later,
        }
    }

    /// Whether it is a bug or unclassified, and belongs in Error Reporting.
    pub(crate) fn is_unexpected(&self) -> bool {
        self.severity() == Severity::Error && matches!(self.reason(), "panic" | "unknown")
    }

    /// The severity of its log line.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::OverBudget {
                budget: Capacity::Configured(_),
                ..
            }
            | Self::Timeout
            | Self::Overloaded
            | Self::Contended
            | Self::ShuttingDown => Severity::Warning,
            Self::Store(error) => error.severity(),
            Self::OverBudget {
                budget: Capacity::Derived(_),
                ..
            }
            | Self::TargetMissing
            | Self::Panicked => Severity::Error,
        }
    }

    /// The outcome in the event's log line: `refused` if permanent, `failed` if retried.
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
            Self::Store(error) => error.reason(),
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Contended => "contended",
            Self::ShuttingDown => "shutting_down",
            Self::TargetMissing => "target_missing",
            Self::Panicked => "panic",
        }
    }
}

impl StoreError {
    /// Whether another attempt may succeed.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::TooLarge { .. } | Self::Unstorable(_) | Self::CustomerKey(_) => Retry::Never,
            Self::NotFound
            | Self::PreconditionFailed(_)
            | Self::Setting(..)
            | Self::Denied(_)
            | Self::Unavailable(_)
            | Self::Timeout
            | Self::Checksum(_)
            | Self::Unknown(_) => Retry::Later,
        }
    }

    /// The severity of the log line of an event that fails with it.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::TooLarge { .. }
            | Self::Unstorable(_)
            | Self::CustomerKey(_)
            | Self::Unavailable(_)
            | Self::Timeout
            | Self::Checksum(_) => Severity::Warning,
            Self::NotFound
            | Self::PreconditionFailed(_)
            | Self::Setting(..)
            | Self::Denied(_)
            | Self::Unknown(_) => Severity::Error,
        }
    }

    /// The reason in a log line.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Unstorable(_) => "unstorable",
            Self::CustomerKey(_) => "customer_key",
            Self::Setting(Setting::RequesterPays, _) => "requester_pays",
            Self::Setting(Setting::EncryptionKey, _) => "encryption_key",
            Self::Setting(Setting::Billing, _) => "billing",
            Self::Setting(Setting::Retention, _) => "retention",
            Self::Setting(Setting::OrgPolicy, _) => "org_policy",
            Self::Unavailable(_) => "storage_unavailable",
            Self::Timeout => "timeout",
            Self::Checksum(_) => "checksum",
            Self::Denied(_) => "permission_denied",
            Self::NotFound | Self::PreconditionFailed(_) | Self::Unknown(_) => "unknown",
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { limit } => Self::TooLarge {
                bytes: limit.saturating_add(1),
                limit,
            },
            error => Self::Store(error),
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
