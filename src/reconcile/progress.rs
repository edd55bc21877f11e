//! Shows a run's progress: a line redrawn on a terminal, a log line a minute elsewhere.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::Tally;

const REDRAW: Duration = Duration::from_millis(200);
const LOG: Duration = Duration::from_mins(1);

pub(super) struct Progress {
    start: Instant,
    ticks: Interval,
    on_terminal: bool,
    /// The run's limit, from which the time left is estimated.
    limit: Option<u64>,
}

impl Progress {
    pub(super) fn start(limit: Option<u64>) -> Self {
        let on_terminal = stderr().is_terminal();
        let period = if on_terminal { REDRAW } else { LOG };
        let start = Instant::now();
        let mut ticks = interval_at(start + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            start,
            ticks,
            on_terminal,
            limit,
        }
    }

    /// Waits until the progress is to be shown.
    pub(super) async fn due(&mut self) {
        self.ticks.tick().await;
    }

    pub(super) fn show(&self, tally: &Tally) {
        let elapsed = self.start.elapsed();
        if self.on_terminal {
            let line = line(tally, elapsed, self.limit);
            // A closed terminal needs no progress.
            let _ = write!(stderr(), "\r\x1b[2K{line}");
        } else {
            log(tally, elapsed, &line(tally, elapsed, self.limit), None);
        }
    }

    /// Clears the terminal's line, to make room for a log line.
    pub(super) fn clear(&self) {
        if self.on_terminal {
            let _ = write!(stderr(), "\r\x1b[2K");
        }
    }

    /// Logs the end of a run.
    pub(super) fn finish(&self, tally: &Tally, end: &str, resume_after: Option<&str>) {
        self.clear();
        let elapsed = self.start.elapsed();
        let hint = resume_after.map(resume_hint).unwrap_or_default();
        let message = format!("{end} after {:.1} s: {tally}{hint}", elapsed.as_secs_f64());
        log(tally, elapsed, &message, resume_after);
    }
}

/// The option by which the next run resumes, quoted for a shell.
fn resume_hint(name: &str) -> String {
    if name.is_empty() {
        return "; nothing to resume after".to_owned();
    }
    format!(
        "; resume with --start-after='{}'",
        name.replace('\'', r"'\''")
    )
}

fn log(tally: &Tally, elapsed: Duration, message: &str, start_after: Option<&str>) {
    tracing::info!(
        message,
        start_after,
        scanned = tally.scanned,
        current = tally.current,
        missing = tally.missing,
        stale = tally.stale,
        skipped = tally.skipped,
        orphans = tally.orphans,
        conflicts = tally.conflicts,
        foreign = tally.foreign,
        unnameable = tally.unnameable,
        announced = tally.announced,
        made = tally.made,
        settled = tally.settled,
        refused = tally.refused,
        pruned = tally.pruned,
        failed = tally.failed,
        seconds = elapsed.as_secs_f64(),
        scanned_per_second = rate(tally.scanned, elapsed),
        done_per_second = rate(handled(tally), elapsed),
    );
}

fn line(tally: &Tally, elapsed: Duration, limit: Option<u64>) -> String {
    let scanned = rate(tally.scanned, elapsed);
    let per_second = rate(handled(tally), elapsed);
    let left = left(tally, elapsed, limit);
    let left = left.map_or_else(String::new, |left| {
        format!(", {} left", humantime::format_duration(left))
    });
    format!("{tally} ({scanned:.0} scanned/s, {per_second:.1} done/s{left})")
}

/// The number of pictures that were handled.
fn handled(tally: &Tally) -> u64 {
    tally.announced + tally.made + tally.settled + tally.refused
}

/// The estimated time until the limit, in whole seconds; without one, the total is unknown.
fn left(tally: &Tally, elapsed: Duration, limit: Option<u64>) -> Option<Duration> {
    let per_second = rate(handled(tally), elapsed);
    let rest = limit?.checked_sub(handled(tally))?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate needs few digits")]
    let seconds = rest as f64 / per_second;
    Duration::try_from_secs_f64(seconds.round()).ok()
}

fn rate(number: u64, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an estimate needs few digits")]
    let rate = number as f64 / elapsed.as_secs_f64().max(1e-3);
    (rate * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        Tally {
            scanned: 3000,
            current: 2900,
            missing: 100,
            made: 90,
            refused: 10,
            ..Tally::default()
        }
    }

    #[test]
    fn the_line_tells_rates_and_the_time_left_until_the_limit() {
        let elapsed = Duration::from_secs(10);
        assert_eq!(
            line(&tally(), elapsed, None),
            "3000 scanned, 2900 current, 100 missing, 90 made, 10 refused (300 scanned/s, 10.0 done/s)"
        );
        let limited = line(&tally(), elapsed, Some(1000));
        assert!(limited.ends_with("10.0 done/s, 1m 30s left)"), "{limited}");
    }

    #[test]
    fn nothing_done_yet_leaves_no_time_to_tell() {
        let elapsed = Duration::from_secs(10);
        assert_eq!(left(&Tally::default(), elapsed, Some(5)), None);
        assert_eq!(left(&tally(), elapsed, Some(99)), None);
    }

    #[test]
    fn a_name_to_resume_after_survives_a_shell() {
        assert_eq!(
            resume_hint("it's -x.jpg"),
            r"; resume with --start-after='it'\''s -x.jpg'"
        );
    }
}
