//! Finds keys in the cache, or by a fetch that all waiting callers share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::key_cache::{Found, KeyCache};
use super::key_server::KeyServer;
use crate::log::chain;

/// The key server and its cache.
pub(super) struct Keys(Arc<Shared>);

struct Shared {
    server: KeyServer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cache: KeyCache,
    /// The last fetch; its sender is dropped when it has ended.
    fetch: Option<watch::Receiver<()>>,
}

impl Keys {
    pub(super) fn new(server: KeyServer) -> Self {
        Self(Arc::new(Shared {
            server,
            state: Mutex::default(),
        }))
    }

    /// Finds a key, waiting for a fetch only where it isn't there; a fetch is bounded in time.
    pub(super) async fn find(&self, id: &str) -> Found {
        let mut fetch = {
            let mut state = self.0.state();
            let now = Instant::now();
            let found = state.cache.find(id, now);
            let running = state
                .fetch
                .take()
                .filter(|fetch| fetch.has_changed().is_ok());
            let fetch =
                running.or_else(|| state.cache.begin_fetch(&found, now).then(|| self.fetch()));
            state.fetch.clone_from(&fetch);
            match (found, fetch) {
                (Err(_), Some(fetch)) => fetch,
                (found, _) => return found,
            }
        };
        // Nothing is ever sent: this waits until the sender is dropped.
        let _ = fetch.changed().await;
        self.0.state().cache.find(id, Instant::now())
    }

    /// Starts a fetch in a task of its own, so that a caller who hangs up doesn't cancel it for others.
    fn fetch(&self) -> watch::Receiver<()> {
        let (running, fetch) = watch::channel(());
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let fetched = shared.server.fetch().await;
            if let Err(error) = &fetched {
                tracing::warn!(
                    message = format!("can't fetch the keys of push tokens: {}", chain(error)),
                    reason = "keys_unavailable"
                );
            }
            let mut state = shared.state();
            match fetched {
                Ok((keys, life)) => state.cache.store(keys, life, Instant::now()),
                Err(_) => state.cache.fail(Instant::now()),
            }
            // Wakes the callers who wait.
            drop(running);
        });
        fetch
    }
}

impl Shared {
    /// Locks the state, never across an await.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
