//! Limits how much work is begun per second, evenly.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// The delay that may be caught up at once: timers are no finer than a millisecond, and waking up takes its time.
const CATCH_UP: Duration = Duration::from_millis(100);

/// The pace at which work is begun.
#[derive(Debug)]
pub(crate) struct Pace {
    period: Duration,
    /// When the next piece is due.
    due: Option<Instant>,
}

impl Pace {
    #[must_use]
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self {
            period: Duration::from_secs(1) / per_second.get(),
            due: None,
        }
    }

    /// Takes the next turn and returns its time.
    pub(super) fn turn(&mut self, now: Instant) -> Instant {
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let due = self.due.map_or(now, |due| due.max(earliest));
        self.due = Some(due + self.period);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUNDRED: NonZeroU32 = NonZeroU32::new(100).unwrap();

    #[test]
    fn pieces_come_one_period_after_the_other() {
        let start = Instant::now();
        let mut pace = Pace::new(HUNDRED);
        let turns: Vec<_> = (0..100).map(|_| pace.turn(start) - start).collect();
        assert_eq!(turns[0], Duration::ZERO);
        assert_eq!(turns[99], Duration::from_millis(990));
    }

    #[test]
    fn an_idle_second_does_not_let_a_hundred_go_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(HUNDRED);
        pace.turn(start);
        let later = start + Duration::from_secs(1);
        let at_once = (0..100).filter(|_| pace.turn(later) <= later).count();
        assert_eq!(at_once, 11);
    }
}
