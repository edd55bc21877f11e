//! The log lines about single objects: what a dry run would do, what is left to the operator, and what failed.

use super::deed::Undone;
use super::{Class, Finding, Mode, Reconcile};
use crate::log::chain;
use crate::outcome::{Failure, Severity};

/// What is to be said about an object; the words are those of the service's own lines.
pub(super) struct Line {
    severity: Severity,
    outcome: &'static str,
    reason: Option<&'static str>,
    /// What people read behind the object's name.
    words: Option<String>,
}

impl Line {
    /// The line about a finding that nothing is done about; `None` where there is nothing to say.
    pub(super) fn of_finding(plan: &Reconcile, finding: &Finding) -> Option<Self> {
        let dry = matches!(plan.mode, Mode::DryRun);
        let outcome = match &finding.class {
            Class::Conflict(other) => {
                return Some(Self {
                    severity: Severity::Warning,
                    outcome: "conflict",
                    reason: Some("name_conflict"),
                    words: Some(format!("its place has the thumbnail of bucket {other}")),
                });
            }
            Class::Missing(_) if dry => "missing",
            Class::Stale(_) if dry => "stale",
            Class::Orphan(_) if dry || !plan.prune => "orphan",
            Class::Missing(_)
            | Class::Stale(_)
            | Class::Orphan(_)
            | Class::Current
            | Class::Skipped(_)
            | Class::Foreign => return None,
        };
        Some(Self {
            severity: Severity::Info,
            outcome,
            reason: None,
            words: None,
        })
    }

    /// The line about a picture that could not be made.
    pub(super) fn of_failure(failure: &Failure) -> Self {
        Self {
            severity: failure.severity(),
            outcome: failure.label(),
            reason: Some(failure.reason()),
            words: Some(chain(failure)),
        }
    }

    /// The line about something that failed.
    pub(super) fn of_undone(undone: &Undone) -> Self {
        let reason = match undone {
            Undone::Make(failure) => return Self::of_failure(failure),
            Undone::Announce(_) => "publish",
            Undone::Prune(_) => "prune",
        };
        Self {
            severity: Severity::Error,
            outcome: "failed",
            reason: Some(reason),
            words: Some(chain(undone)),
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
