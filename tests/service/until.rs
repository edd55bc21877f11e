//! Waits for effects of the whole chain.

use std::time::Duration;

use crate::http::PATIENCE;

/// The pause between checks, which would otherwise take the cores from the servers.
const INTERVAL: Duration = Duration::from_millis(200);

/// Checks a condition at intervals, and panics if it isn't met in time.
pub async fn until(what: &str, met: impl AsyncFn() -> bool) {
    let waiting = async {
        let mut ticks = tokio::time::interval(INTERVAL);
        while !met().await {
            ticks.tick().await;
        }
    };
    let patience = 3 * PATIENCE;
    tokio::time::timeout(patience, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what} didn't come in {patience:?}"));
}
