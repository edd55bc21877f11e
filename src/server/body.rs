//! Reads a request's body, bounded in bytes and time.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

/// The largest body that is parsed: a notification has a few kilobytes, Pub/Sub's limit is 10 MB.
const MAX_BYTES: usize = 1 << 20;
/// The length up to which every connection may buffer its body, as long as any notification; longer ones take turns.
const USUAL_BYTES: usize = 64 << 10;
/// How many longer bodies are read at a time; the others wait unread.
static LONG_BODIES: Semaphore = Semaphore::const_new(16);
/// An overlong body is read up to here and discarded, so that the caller gets to read the answer.
const MAX_DISCARDED_BYTES: usize = 64 << 20;
/// The time limit of a body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is over {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the body took longer than {} s", TIMEOUT.as_secs())]
    TooSlow,
    #[error("the body broke off")]
    BrokenOff,
}

impl BodyError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the whole body.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, BodyError> {
    tokio::time::timeout(TIMEOUT, collect(body))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(mut body: Body) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    let mut total = 0;
    let mut turn = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::BrokenOff)?.into_data() else {
            continue;
        };
        total += data.len();
        if total > USUAL_BYTES && turn.is_none() {
            turn = LONG_BODIES.acquire().await.ok();
        }
        if total <= MAX_BYTES {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
        if total > MAX_DISCARDED_BYTES {
            break;
        }
    }
    if total > MAX_BYTES {
        Err(BodyError::TooLarge)
    } else {
        Ok(bytes)
    }
}
