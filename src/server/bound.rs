//! How many connections there may be at a time, and what becomes of more.
//!
//! A connection takes memory beside the budget that pictures share, and a file. So their number is bounded by both. One
//! beyond it is answered 503, so that its event comes again; only GET /health is served there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use rustix::process::{Resource, getrlimit};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::connection::{by_hand, last_words};

/// What a connection takes at most: a head that doesn't end, or a body of the usual size, and as much for its task and
/// buffers.
const BYTES: u64 = 128 << 10;
/// Connections take at most this part of what pictures may take, beside it.
const PART: u64 = 8;
/// This many connections take little memory on any machine.
const FEW: u64 = 128;
/// The most that are turned away at a time: each waits a moment, with next to no memory.
const DOORS: usize = 4096;
/// Files of the process itself.
const OWN_FILES: u64 = 64;
/// Files by connection: its own, those of its event's way to the store, and that of one who is turned away.
const FILES: u64 = 4;
/// A connection over the bound has this long to ask for /health.
const FIRST_BYTES: Duration = Duration::from_secs(1);
/// What such a question begins with.
const HEALTH: [u8; 12] = *b"GET /health ";
/// The time between two lines about the same.
const BETWEEN_LINES: Duration = Duration::from_mins(1);

/// The open connections.
pub(super) struct Connections {
    most: usize,
    served: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
    warned: Mutex<Sparingly>,
}

impl Connections {
    /// As many as the process's open files allow, beside a memory budget of so many bytes.
    pub(super) fn beside(budget: u64) -> Self {
        let files = getrlimit(Resource::Nofile).current;
        let most = bound(budget, files);
        Self {
            most,
            served: Arc::new(Semaphore::new(most)),
            turned_away: Arc::new(Semaphore::new(bound(u64::MAX, files).min(DOORS))),
            warned: Mutex::default(),
        }
    }

    /// Has a connection served in a task of its own, if it is within the bound.
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
        if let Ok(place) = Arc::clone(&self.turned_away).try_acquire_owned() {
            tokio::spawn(async move {
                turn_away(&stream).await;
                drop(place);
            });
        }
    }
}

fn bound(budget: u64, files: Option<u64>) -> usize {
    let by_memory = (budget / PART / BYTES).max(FEW);
    let by_files = files.map_or(u64::MAX, |files| files.saturating_sub(OWN_FILES) / FILES);
    let most = by_memory.min(by_files).max(1);
    usize::try_from(most).map_or(Semaphore::MAX_PERMITS, |most| {
        most.min(Semaphore::MAX_PERMITS)
    })
}

/// Answers with nothing but a few bytes read.
async fn turn_away(stream: &TcpStream) {
    let first = tokio::time::timeout(FIRST_BYTES, is_health(stream)).await;
    let answer = if first.unwrap_or(false) {
        by_hand(StatusCode::OK, "ok")
    } else {
        by_hand(StatusCode::SERVICE_UNAVAILABLE, "too many connections")
    };
    last_words(stream, answer.as_bytes()).await;
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

/// Counts what happens, and tells it once a minute.
#[derive(Debug, Default)]
pub(super) struct Sparingly {
    last: Option<Instant>,
    untold: u64,
}

impl Sparingly {
    /// Counts one more; where it is time for a line, how many there have been since the last one.
    pub(super) fn note(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= BETWEEN_LINES);
        is_due.then(|| {
            self.last = Some(now);
            std::mem::take(&mut self.untold)
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
        let mut sparingly = Sparingly::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(sparingly.note(at(0)), Some(1));
        assert_eq!(sparingly.note(at(1)), None);
        assert_eq!(sparingly.note(at(59)), None);
        assert_eq!(sparingly.note(at(60)), Some(3));
        assert_eq!(sparingly.note(at(119)), None);
    }
}
