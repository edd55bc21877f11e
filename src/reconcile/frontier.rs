//! The resume point of a run whose work begins in the order of names and ends in any.

use std::collections::BTreeMap;

/// Tracks the last name up to which everything is done.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    /// The last name that was passed or begun.
    reached: String,
    /// The unfinished work, each with the name before its own.
    open: BTreeMap<u64, String>,
    begun: u64,
    first_failure: Option<u64>,
}

/// A piece of work in a [`Frontier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Frontier {
    /// Starts after this name; empty for the very start.
    #[must_use]
    pub(super) fn new(start_after: String) -> Self {
        Self {
            reached: start_after,
            ..Self::default()
        }
    }

    /// Records a name that needs no work.
    pub(super) fn pass(&mut self, name: String) {
        self.reached = name;
    }

    pub(super) fn begin(&mut self, name: String) -> Ticket {
        let ticket = self.begun;
        self.begun += 1;
        let before = std::mem::replace(&mut self.reached, name);
        self.open.insert(ticket, before);
        Ticket(ticket)
    }

    pub(super) fn done(&mut self, ticket: Ticket) {
        self.open.remove(&ticket.0);
    }

    /// Records that a piece of work failed, so that the run is resumed before it.
    pub(super) fn failed(&mut self, ticket: Ticket) {
        // Only the first failure counts; keeping the others would take memory without bound.
        let first = self
            .first_failure
            .map_or(ticket.0, |first| first.min(ticket.0));
        let later = self
            .first_failure
            .map_or(ticket.0, |first| first.max(ticket.0));
        if later != first {
            self.open.remove(&later);
        }
        self.first_failure = Some(first);
    }

    /// The name to resume after; empty where the very start is not done.
    #[must_use]
    pub(crate) fn resume_after(&self) -> &str {
        let first = self.open.first_key_value();
        first.map_or(&self.reached, |(_, before)| before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum State {
        Open,
        Done,
        Failed,
    }

    proptest! {
        /// Each number passes a name, begins work for it, or ends some open work well or badly.
        #[test]
        fn the_frontier_is_the_last_name_before_anything_unfinished(steps in prop::collection::vec(0..100_usize, 0..60)) {
            let mut frontier = Frontier::new("start".to_owned());
            let mut model: Vec<(String, State, Option<Ticket>)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                let name = format!("{number:03}");
                let open: Vec<_> = (0..model.len()).filter(|at| model[*at].1 == State::Open).collect();
                match step % 4 {
                    0 => {
                        frontier.pass(name.clone());
                        model.push((name, State::Done, None));
                    }
                    1 => {
                        let ticket = frontier.begin(name.clone());
                        model.push((name, State::Open, Some(ticket)));
                    }
                    end => if let Some(at) = open.get(step % open.len().max(1)) {
                        let entry = &mut model[*at];
                        let ticket = entry.2.unwrap();
                        if end == 2 {
                            frontier.done(ticket);
                            entry.1 = State::Done;
                        } else {
                            frontier.failed(ticket);
                            entry.1 = State::Failed;
                        }
                    }
                }
                let done = model.iter().take_while(|entry| entry.1 == State::Done);
                let last = done.last().map_or("start", |entry| entry.0.as_str());
                prop_assert_eq!(frontier.resume_after(), last);
            }
        }
    }

    #[test]
    fn failures_take_no_more_memory_than_one() {
        let mut frontier = Frontier::new(String::new());
        for number in 0..1000 {
            let ticket = frontier.begin(number.to_string());
            frontier.failed(ticket);
        }
        assert_eq!(frontier.open.len(), 1);
        assert_eq!(frontier.resume_after(), "");
    }
}
