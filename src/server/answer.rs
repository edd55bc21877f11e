//! Responses: to Pub/Sub, 204 acknowledges and everything else asks for another delivery.

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::connection::raw_response;
use crate::log::chain;
use crate::outcome::{Failure, Outcome, Retry};
use crate::push_token::TokenError;

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

/// Logs a request that isn't HTTP or whose head is too large; hyper has answered it, and doesn't say with what.
pub(super) fn log_unparsed(error: &hyper::Error) {
    tracing::warn!(
        message = format!("malformed request: {}", chain(error)),
        outcome = "malformed",
        reason = "malformed"
    );
}

/// The answer to a request that was incomplete too long after a shutdown signal.
pub(super) fn late() -> Response {
    log_late();
    (StatusCode::SERVICE_UNAVAILABLE, format!("{LATE}\n")).into_response()
}

/// As [`late`], for an incomplete head, which no handler gets.
pub(super) fn late_raw() -> String {
    log_late();
    raw_response(StatusCode::SERVICE_UNAVAILABLE, LATE)
}

const LATE: &str = "the instance is shutting down, and the request was not whole";

fn log_late() {
    tracing::warn!(
        message = LATE,
        outcome = "failed",
        reason = Failure::ShuttingDown.reason(),
        status = StatusCode::SERVICE_UNAVAILABLE.as_u16()
    );
}

/// The answer to an unauthorized caller, logged here as its event is not even read.
pub(super) fn unauthorized(error: &TokenError) -> Response {
    let status = match error {
        TokenError::NoToken | TokenError::Stripped | TokenError::Invalid(_) => {
            StatusCode::UNAUTHORIZED
        }
        TokenError::WrongAccount => StatusCode::FORBIDDEN,
        TokenError::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    tracing::warn!(
        message = format!("unauthorized request: {}", chain(error)),
        outcome = "unauthorized",
        reason = error.reason(),
        status = status.as_u16()
    );
    let mut answer = (status, format!("{error}\n")).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 section 11.6.1 wants a challenge with every 401.
        let challenge = HeaderValue::from_static("Bearer");
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}
