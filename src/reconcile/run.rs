//! Runs a comparison from its first page to its summary.

mod compare;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::{JoinError, JoinSet};

use super::action::{Action, ActionError, Effect};
use super::finding::Comparison;
use super::frontier::{Frontier, Ticket};
use super::line::Line;
use super::pace::Pace;
use super::progress::Progress;
use super::{End, Executor, Reconcile, Summary, Tally};
use crate::log::chain;
use crate::names::MAX_OBJECT_NAME_BYTES;
use crate::outcome::{Outcome, Retry};
use crate::store::{Listing, Page, Span, StoreError};

/// The most announcements in flight, some batches' worth.
const ANNOUNCEMENTS: usize = 2000;
/// The most pictures in flight for each core: most of their time is the store's. The pipeline's own budget shares out
/// memory and cores.
const PICTURES_PER_CORE: usize = 8;
/// How long work in flight may go on after a signal; Cloud Run kills ten seconds after its own.
const GRACE: Duration = Duration::from_secs(8);

type Ended = (Ticket, Action, Result<Effect, ActionError>);

struct Run {
    plan: Arc<Reconcile>,
    shutdown: BoxFuture<'static, ()>,
    tasks: JoinSet<Ended>,
    /// Sources whose places have been looked at.
    looked_at: VecDeque<(Ticket, Comparison)>,
    most_tasks: usize,
    pace: Option<Pace>,
    frontier: Frontier,
    tally: Tally,
    begun: u64,
    progress: Progress,
}

/// See [`Reconcile::run`].
pub(super) async fn run(plan: Arc<Reconcile>, shutdown: BoxFuture<'static, ()>) -> Summary {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut run = Run {
        shutdown,
        tasks: JoinSet::new(),
        looked_at: VecDeque::new(),
        most_tasks: match plan.executor {
            Some(Executor::Announce(_)) => ANNOUNCEMENTS,
            Some(Executor::Make) | None => cores * PICTURES_PER_CORE,
        },
        pace: plan.per_second.map(Pace::new),
        frontier: Frontier::new(plan.start_after.clone()),
        tally: Tally::default(),
        begun: 0,
        progress: Progress::start(plan.limit),
        plan: Arc::clone(&plan),
    };
    let end = match run.compare().await {
        Ok(()) => End::Complete,
        Err(end) => end,
    };
    let end = run.finish(end).await;
    run.summarize(end)
}

impl Run {
    async fn page(&mut self, listing: &mut Listing<'_>) -> Result<Option<Page>, End> {
        let page = self.wait(listing.next_page()).await?;
        page.map_err(|error| match error {
            StoreError::NotFound => End::Broken("a bucket to be listed does not exist".to_owned()),
            error => End::Broken(format!("can't list: {}", chain(&error))),
        })
    }

    /// Begins an action when there is room.
    async fn begin(&mut self, ticket: Ticket, action: Action) -> Result<(), End> {
        while self.tasks.len() >= self.most_tasks {
            self.wait_for_action().await?;
        }
        let plan = Arc::clone(&self.plan);
        self.tasks.spawn(async move {
            let ended = action.perform(&plan).await;
            (ticket, action, ended)
        });
        Ok(())
    }

    /// Waits for `work`; meanwhile records finished actions, shows the progress and heeds signals.
    async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                () = &mut self.shutdown => return Err(End::Interrupted),
                done = &mut work => return Ok(done),
                Some(ended) = self.tasks.join_next() => self.record(ended)?,
                () = self.progress.due() => self.progress.show(&self.tally),
            }
        }
    }

    async fn wait_for_action(&mut self) -> Result<(), End> {
        tokio::select! {
            biased;
            () = &mut self.shutdown => Err(End::Interrupted),
            Some(ended) = self.tasks.join_next() => self.record(ended),
            () = self.progress.due() => {
                self.progress.show(&self.tally);
                Ok(())
            }
        }
    }

    /// Waits for the actions in flight: for all, or after an early end for [`GRACE`].
    async fn finish(&mut self, end: End) -> End {
        let mut end = end;
        while matches!(end, End::Complete | End::Limit) && !self.tasks.is_empty() {
            if let Err(early) = self.wait_for_action().await {
                end = early;
            }
        }
        let drain = async {
            while let Some(ended) = self.tasks.join_next().await {
                // Only the first reason to end is reported.
                let _ = self.record(ended);
            }
        };
        let _ = tokio::time::timeout(GRACE, drain).await;
        self.tasks.abort_all();
        end
    }

    /// Counts an action's result; an error that every other action would meet ends the run.
    fn record(&mut self, ended: Result<Ended, JoinError>) -> Result<(), End> {
        let Ok((ticket, action, ended)) = ended else {
            // Its ticket stays open, so the run is resumed before it.
            self.tally.failed += 1;
            return Err(End::Broken("panicked".to_owned()));
        };
        match ended {
            Ok(Effect::Looked(comparison)) => {
                self.looked_at.push_back((ticket, *comparison));
                Ok(())
            }
            Ok(done) => {
                self.frontier.done(ticket);
                self.count(&done, &action);
                Ok(())
            }
            Err(ActionError::Make(failure)) if failure.retry() == Retry::Never => {
                self.frontier.done(ticket);
                self.tally.refused += 1;
                self.log(&Line::of_failure(&failure), action.name());
                Ok(())
            }
            Err(error) => {
                self.frontier.failed(ticket);
                self.tally.failed += 1;
                if error.is_general() {
                    return Err(End::Broken(chain(&error)));
                }
                self.log(&Line::of_error(&error), action.name());
                Ok(())
            }
        }
    }

    fn log(&self, line: &Line, name: &str) {
        self.progress.clear();
        line.log(self.plan.bucket.as_str(), name);
    }

    fn count(&mut self, done: &Effect, action: &Action) {
        let counter = match (done, action) {
            (Effect::Announced, _) => &mut self.tally.announced,
            (Effect::Handled(Outcome::Created | Outcome::Replaced(_)), _) => &mut self.tally.made,
            (Effect::Handled(Outcome::Skipped(_) | Outcome::Deleted) | Effect::Looked(_), _) => {
                &mut self.tally.settled
            }
            (Effect::Pruned, Action::PruneIfGone(_)) => {
                self.tally.orphans += 1;
                &mut self.tally.pruned
            }
            (Effect::Pruned, _) => &mut self.tally.pruned,
            (Effect::Orphan, _) => {
                self.log(&Line::found("orphan"), action.name());
                &mut self.tally.orphans
            }
            (Effect::Kept, Action::PruneIfGone(_)) => return,
            (Effect::Kept, Action::CheckOrphan(_)) => &mut self.tally.foreign,
            (Effect::Kept, _) => &mut self.tally.settled,
        };
        *counter += 1;
    }

    fn summarize(self, end: End) -> Summary {
        let is_unfinished = !matches!(end, End::Complete) || self.tally.failed > 0;
        let resume_after = is_unfinished.then(|| self.frontier.resume_after().to_owned());
        let words = match &end {
            End::Complete => "finished",
            End::Limit => "stopped at the limit",
            End::Interrupted => "stopped by a signal",
            End::Broken(cause) => {
                self.progress.clear();
                tracing::error!(
                    message = cause,
                    outcome = "failed",
                    bucket = self.plan.bucket.as_str()
                );
                "broken off"
            }
        };
        self.progress
            .finish(&self.tally, words, resume_after.as_deref());
        Summary {
            tally: self.tally,
            end,
            resume_after,
        }
    }
}

impl Reconcile {
    /// Whether a source's name is among those of this run.
    fn covers(&self, name: &str) -> bool {
        name.starts_with(&self.prefix) && name > self.start_after.as_str()
    }

    /// The part of a bucket that this run covers, under the prefix `above`.
    fn span(&self, above: &str) -> Span {
        let mut after = format!("{above}{}", self.start_after);
        // No object's name is longer, so the cut excludes the same names, up to a split last character.
        after.truncate(after.floor_char_boundary(MAX_OBJECT_NAME_BYTES));
        Span {
            prefix: format!("{above}{}", self.prefix),
            after: Some(after).filter(|_| !self.start_after.is_empty()),
        }
    }
}
