//! Classifies Cloud Storage's errors by status and reason.
//!
//! After [its documentation of the JSON API][codes]; `deploy/OPERATIONS.md` has the table for people, and
//! `tests/service/storage_answers.rs` injects each of its rows.
//!
//! [codes]: https://cloud.google.com/storage/docs/json_api/v1/status-codes

use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::StatusDetails;

use crate::store::{Cause, Setting, StoreError};

/// Classifies an answer with this status and these reasons, if it gives any.
pub(super) fn of(status: u16, reasons: &[String], cause: Cause) -> StoreError {
    match status {
        404 => StoreError::NotFound,
        // A conflict with another change and an expired upload session are resolved by a retry.
        408 | 409 | 410 | 429 | 500..=599 => StoreError::Unavailable(cause),
        400 | 401 | 403 | 412 => {
            let mut known = reasons
                .iter()
                .filter_map(|reason| meaning_of(status, reason));
            let meaning = known.next().unwrap_or(Meaning::Unspecified);
            match (meaning, status) {
                (Meaning::Setting(setting), _) => StoreError::Setting(setting, cause),
                (Meaning::CustomerKey, _) => StoreError::CustomerKey(cause),
                (Meaning::Rate, _) => StoreError::Unavailable(cause),
                (Meaning::Unspecified, 401 | 403) => StoreError::Denied(cause),
                (Meaning::Unspecified, 412) => StoreError::PreconditionFailed(cause),
                (Meaning::Unspecified, _) => StoreError::Unknown(cause),
            }
        }
        _ => StoreError::Unknown(cause),
    }
}

/// What a reason adds to its status.
enum Meaning {
    Setting(Setting),
    CustomerKey,
    Rate,
    Unspecified,
}

fn meaning_of(status: u16, reason: &str) -> Option<Meaning> {
    let setting = match (status, reason) {
        (400, "resourceIsEncryptedWithCustomerEncryptionKey") => return Some(Meaning::CustomerKey),
        (403, "rateLimitExceeded" | "userRateLimitExceeded") => return Some(Meaning::Rate),
        (400, "userProjectMissing" | "userProjectInvalid")
        | (401, "AuthenticationRequiredRequesterPays")
        | (403, "UserProjectAccessDenied") => Setting::RequesterPays,
        (400, key) if key.starts_with("cloudKms") => Setting::EncryptionKey,
        (403, "accountDisabled" | "UserProjectAccountProblem") => Setting::Billing,
        (403, "retentionPolicyNotMet" | "objectUnderActiveHold") => Setting::Retention,
        (412, "orgPolicyConstraintFailed") => Setting::OrgPolicy,
        _ => return None,
    };
    Some(Meaning::Setting(setting))
}

/// The reasons that an error of Google's client carries.
pub(super) fn reasons(error: &Error) -> Vec<String> {
    let details = error
        .status()
        .into_iter()
        .flat_map(|status| &status.details);
    let reason = |detail: &StatusDetails| match detail {
        StatusDetails::ErrorInfo(info) => Some(info.reason.clone()),
        // The type is non-exhaustive, and nothing else in it gives a reason.
        _ => None,
    };
    details.filter_map(reason).collect()
}
