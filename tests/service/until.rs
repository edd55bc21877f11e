//! Waiting for what the whole chain brings about.

use std::time::Duration;

use crate::http::PATIENCE;

/// Looking without a pause would take the cores from those that work.
const INTERVAL: Duration = Duration::from_millis(200);

/// Looks for a condition at intervals, and panics if it isn't met in time.
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
