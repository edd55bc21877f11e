//! Bounds the number of connections, and rejects more.
//!
//! A connection takes memory outside the budget that pictures share, and file descriptors, so both bound their number.
//! One over the bound is answered 503, so that its event is redelivered; only GET /health is served there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use rustix::process::{Resource, getrlimit};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::connection::{raw_response, write_and_close};

/// The most memory of a connection: an endless head, or a body of the usual size, and as much for its task and buffers.
const BYTES_PER_CONNECTION: u64 = 128 << 10;
/// Connections take at most an eighth of the pictures' budget, in addition to it.
const BUDGET_DIVISOR: u64 = 8;
/// This many connections take little memory on any machine.
const MIN_CONNECTIONS: u64 = 128;
/// The most connections that are being rejected at a time; each takes next to no memory.
const MAX_REJECTED: usize = 4096;
/// File descriptors of the process itself.
const PROCESS_FILES: u64 = 64;
/// File descriptors for each connection: its own, its event's to the store, and that of a rejected one.
const FILES_PER_CONNECTION: u64 = 4;
/// How long a connection over the bound may take to ask for /health.
const FIRST_BYTES: Duration = Duration::from_secs(1);
const HEALTH: [u8; 12] = *b"GET /health ";
/// The time between two log lines about the same.
const BETWEEN_LINES: Duration = Duration::from_mins(1);

pub(super) struct Connections {
    most: usize,
    served: Arc<Semaphore>,
    rejected: Arc<Semaphore>,
    warned: Mutex<LogThrottle>,
}

impl Connections {
    /// As many as the limit of open files and a memory budget of so many bytes allow.
    pub(super) fn new(budget: u64) -> Self {
        let files = getrlimit(Resource::Nofile).current;
        let most = bound(budget, files);
        Self {
            most,
            served: Arc::new(Semaphore::new(most)),
            rejected: Arc::new(Semaphore::new(bound(u64::MAX, files).min(MAX_REJECTED))),
            warned: Mutex::default(),
        }
    }

    /// Serves a connection in a task of its own, or rejects it if it is over the bound.
    pub(super) fn admit<S>(&self, stream: TcpStream, serve: impl FnOnce(TcpStream) -> S)
    where
        S: Future<Output = ()> + Send + 'static,
    {
        if let Ok(place) = Arc::clone(&self.served).try_acquire_owned() {
            let served = serve(stream);
            tokio::spawn(async move {
                served.await;
                drop(place);
            });
            return;
        }
        let now = Instant::now();
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = warned.note(now) {
            let most = self.most;
            tracing::warn!(
                message =
                    format!("turned away {times} connections over the {most} that are served"),
                reason = "connections"
            );
        }
        // A connection over this bound too is closed without an answer.
        if let Ok(place) = Arc::clone(&self.rejected).try_acquire_owned() {
            tokio::spawn(async move {
                reject(&stream).await;
                drop(place);
            });
        }
    }
}

fn bound(budget: u64, files: Option<u64>) -> usize {
    let by_memory = (budget / BUDGET_DIVISOR / BYTES_PER_CONNECTION).max(MIN_CONNECTIONS);
    let by_files = files.map_or(u64::MAX, |files| {
        files.saturating_sub(PROCESS_FILES) / FILES_PER_CONNECTION
    });
    let most = by_memory.min(by_files).max(1);
    usize::try_from(most).map_or(Semaphore::MAX_PERMITS, |most| {
        most.min(Semaphore::MAX_PERMITS)
    })
}

/// Answers a connection over the bound after reading a few bytes.
async fn reject(stream: &TcpStream) {
    let first = tokio::time::timeout(FIRST_BYTES, is_health(stream)).await;
    let answer = if first.unwrap_or(false) {
        raw_response(StatusCode::OK, "ok")
    } else {
        raw_response(StatusCode::SERVICE_UNAVAILABLE, "too many connections")
    };
    write_and_close(stream, answer.as_bytes()).await;
}

/// Reads as far as it takes to know whether it is a request for /health.
async fn is_health(stream: &TcpStream) -> bool {
    let mut expected = HEALTH.as_slice();
    while !expected.is_empty() {
        if stream.readable().await.is_err() {
            return false;
        }
        let mut piece = HEALTH;
        let Some(space) = piece.get_mut(..expected.len()) else {
            return false;
        };
        match stream.try_read(space) {
            Ok(0) => return false,
            Ok(bytes) => match space
                .get(..bytes)
                .and_then(|read| expected.strip_prefix(read))
            {
                Some(rest) => expected = rest,
                None => return false,
            },
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
    true
}

/// Limits a repeated log line to one a minute.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    last: Option<Instant>,
    unlogged: u64,
}

impl LogThrottle {
    /// Counts an occurrence; if a line is due, returns their number since the last one.
    pub(super) fn note(&mut self, now: Instant) -> Option<u64> {
        self.unlogged += 1;
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= BETWEEN_LINES);
        is_due.then(|| {
            self.last = Some(now);
            std::mem::take(&mut self.unlogged)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_follows_the_memory_and_the_files() {
        // A container of 512 MiB, and Cloud Run's 25,000 files.
        assert_eq!(bound(358 << 20, Some(25_000)), 358);
        assert_eq!(bound(358 << 20, Some(1024)), 240);
        assert_eq!(bound(16 << 30, None), 16_384);
        assert_eq!(bound(1 << 20, Some(25_000)), 128);
        assert_eq!(bound(358 << 20, Some(10)), 1);
    }

    #[test]
    fn a_line_a_minute_tells_how_often_it_happened() {
        let mut throttle = LogThrottle::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.note(at(0)), Some(1));
        assert_eq!(throttle.note(at(1)), None);
        assert_eq!(throttle.note(at(59)), None);
        assert_eq!(throttle.note(at(60)), Some(3));
        assert_eq!(throttle.note(at(119)), None);
    }
}
