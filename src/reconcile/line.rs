//! Log lines about single objects: what a dry run would do, what is left to the operator, and what failed.

use super::action::ActionError;
use crate::log::chain;
use crate::outcome::{Failure, Severity};

/// A log line about an object, in the words of the service's own lines.
pub(super) struct Line {
    severity: Severity,
    outcome: &'static str,
    reason: Option<&'static str>,
    /// The words after the object's name.
    words: Option<String>,
}

impl Line {
    /// The line about a finding that is only reported.
    pub(super) fn found(outcome: &'static str) -> Self {
        Self {
            severity: Severity::Info,
            outcome,
            reason: None,
            words: None,
        }
    }

    /// The line about a place that has the output of another source.
    pub(super) fn conflict(place: &str, other: &str) -> Self {
        Self {
            severity: Severity::Warning,
            outcome: "conflict",
            reason: Some("name_conflict"),
            words: Some(format!("{place} is the output of {other}")),
        }
    }

    pub(super) fn of_failure(failure: &Failure) -> Self {
        Self {
            severity: failure.severity(),
            outcome: failure.label(),
            reason: Some(failure.reason()),
            words: Some(chain(failure)),
        }
    }

    pub(super) fn of_error(error: &ActionError) -> Self {
        let reason = match error {
            ActionError::Make(failure) => return Self::of_failure(failure),
            ActionError::Look(_) => "look",
            ActionError::Announce(_) => "publish",
            ActionError::Prune(_) => "prune",
        };
        Self {
            severity: Severity::Error,
            outcome: "failed",
            reason: Some(reason),
            words: Some(chain(error)),
        }
    }

    pub(super) fn log(&self, bucket: &str, name: &str) {
        let Self {
            severity,
            outcome,
            reason,
            words,
        } = self;
        let message = match words {
            Some(words) => format!("{outcome} {bucket}/{name}: {words}"),
            None => format!("{outcome} {bucket}/{name}"),
        };
        match severity {
            Severity::Info => tracing::info!(message, outcome, reason, bucket, name),
            Severity::Warning => tracing::warn!(message, outcome, reason, bucket, name),
            Severity::Error => tracing::error!(message, outcome, reason, bucket, name),
        }
    }
}
