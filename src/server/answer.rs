//! What the caller is told: to Pub/Sub, 204 acknowledges and everything else asks for another delivery.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::outcome::{Failure, Outcome, Retry};

/// The answer to an event.
pub(super) fn to(ended: &Result<Outcome, Failure>) -> Response {
    match ended {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(failure) => match failure.retry() {
            Retry::Never => StatusCode::NO_CONTENT.into_response(),
            Retry::Later => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("{failure}\n")).into_response()
            }
        },
    }
}

/// The answer to a request that is no notification, logged here as there is no event to log.
pub(super) fn malformed(status: StatusCode, reason: &str) -> Response {
    tracing::warn!(
        message = format!("malformed request: {reason}"),
        outcome = "malformed",
        reason = "malformed",
        status = status.as_u16()
    );
    (status, format!("{reason}\n")).into_response()
}
