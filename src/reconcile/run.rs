//! A run from its first page to its summary.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use super::deed::{Deed, Done, Undone};
use super::frontier::{Frontier, Ticket};
use super::line::Line;
use super::pace::Pace;
use super::progress::Progress;
use super::{Class, End, Finding, Merge, Mode, Next, Reconcile, Summary, Tally};
use crate::log::chain;
use crate::names::MAX_OBJECT_NAME_BYTES;
use crate::outcome::{Outcome, Retry};
use crate::store::{Listing, Page, Span, StoreError};

/// Announcements on their way, some batches' worth.
const ANNOUNCEMENTS: usize = 2000;
/// Pictures on their way for each core: most of their time is the store's. Memory and cores are shared out by the
/// pipeline's own budget.
const PICTURES_PER_CORE: usize = 8;
/// After a signal, work in flight may go on for so long; Cloud Run kills ten seconds after its own.
const GRACE: Duration = Duration::from_secs(8);

/// One deed's end.
type Ended = (Ticket, Deed, Result<Done, Undone>);

struct Run<S> {
    plan: Arc<Reconcile>,
    shutdown: S,
    tasks: JoinSet<Ended>,
    most_tasks: usize,
    pace: Option<Pace>,
    frontier: Frontier,
    tally: Tally,
    begun: u64,
    progress: Progress,
}

/// See [`Reconcile::run`].
pub(super) async fn run(plan: Arc<Reconcile>, shutdown: impl Future<Output = ()>) -> Summary {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut run = Run {
        shutdown: pin!(shutdown),
        tasks: JoinSet::new(),
        most_tasks: match plan.mode {
            Mode::Announce(_) => ANNOUNCEMENTS,
            Mode::Make | Mode::DryRun => cores * PICTURES_PER_CORE,
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
    run.sum_up(end)
}

impl<S: Future<Output = ()>> Run<Pin<&mut S>> {
    /// Merges the two listings and begins what they ask for; an error is an end before the end.
    async fn compare(&mut self) -> Result<(), End> {
        let plan = Arc::clone(&self.plan);
        let scope = &plan.pipeline.scope;
        let store = &plan.pipeline.store;
        let mut sources = store.list(&plan.bucket, plan.span(""));
        let mut thumbnails = store.list(&scope.target_bucket, plan.span(scope.prefix.as_str()));
        let mut merge = Merge::new(scope.clone(), plan.bucket.clone());
        loop {
            match merge.advance() {
                Next::NeedsSources => {
                    let page = self.page(&mut sources).await?;
                    self.tally.unnameable += page.as_ref().map_or(0, |page| page.unnameable);
                    merge.add_sources(page.map(|page| page.objects));
                }
                Next::NeedsThumbnails => {
                    let page = self.page(&mut thumbnails).await?;
                    merge.add_thumbnails(page.map(|page| page.objects));
                }
                Next::Found(finding) => self.take(finding).await?,
                Next::Done => return Ok(()),
            }
        }
    }

    async fn page(&mut self, listing: &mut Listing<'_>) -> Result<Option<Page>, End> {
        let page = self.wait(listing.next_page()).await?;
        page.map_err(|error| match error {
            StoreError::NotFound => End::Broken("a bucket to be listed does not exist".to_owned()),
            error => End::Broken(format!("can't list: {}", chain(&error))),
        })
    }

    async fn take(&mut self, finding: Finding) -> Result<(), End> {
        let deed = match &finding.class {
            Class::Missing(job) | Class::Stale(job) => {
                if self.plan.limit.is_some_and(|limit| self.begun >= limit) {
                    return Err(End::Limit);
                }
                self.begun += 1;
                Some(Deed::Make(job.clone()))
            }
            Class::Orphan(orphan) if self.plan.prune => Some(Deed::Prune(orphan.clone())),
            Class::Orphan(_)
            | Class::Conflict(_)
            | Class::Current
            | Class::Skipped(_)
            | Class::Foreign => None,
        };
        self.tally.count(&finding.class);
        if let Some(line) = Line::of_finding(&self.plan, &finding) {
            self.log(&line, &finding.name);
        }
        match (deed, &self.plan.mode) {
            (Some(deed), Mode::Announce(_) | Mode::Make) => self.begin(finding.name, deed).await,
            (Some(_), Mode::DryRun) | (None, _) => {
                self.frontier.pass(finding.name);
                Ok(())
            }
        }
    }

    /// Begins a deed when there is room and it is its turn.
    async fn begin(&mut self, name: String, deed: Deed) -> Result<(), End> {
        while self.tasks.len() >= self.most_tasks {
            self.settle_one().await?;
        }
        if let Some(pace) = &mut self.pace {
            let turn = pace.turn(std::time::Instant::now());
            self.wait(tokio::time::sleep_until(turn.into())).await?;
        }
        let ticket = self.frontier.begin(name);
        let plan = Arc::clone(&self.plan);
        self.tasks.spawn(async move {
            let ended = deed.perform(&plan).await;
            (ticket, deed, ended)
        });
        Ok(())
    }

    /// Waits for something, and meanwhile for signals, deeds and the next sign of progress.
    async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                () = &mut self.shutdown => return Err(End::Interrupted),
                done = &mut work => return Ok(done),
                Some(ended) = self.tasks.join_next() => self.settle(ended)?,
                () = self.progress.due() => self.progress.show(&self.tally),
            }
        }
    }

    /// Waits until one deed has ended.
    async fn settle_one(&mut self) -> Result<(), End> {
        tokio::select! {
            biased;
            () = &mut self.shutdown => Err(End::Interrupted),
            Some(ended) = self.tasks.join_next() => self.settle(ended),
            () = self.progress.due() => {
                self.progress.show(&self.tally);
                Ok(())
            }
        }
    }

    /// Ends what is in flight: all of it, or after an early end what is done within the grace.
    async fn finish(&mut self, end: End) -> End {
        let mut end = end;
        while matches!(end, End::Complete | End::Limit) && !self.tasks.is_empty() {
            if let Err(early) = self.settle_one().await {
                end = early;
            }
        }
        let drain = async {
            while let Some(ended) = self.tasks.join_next().await {
                // The first reason to end is the one that is told.
                let _ = self.settle(ended);
            }
        };
        let _ = tokio::time::timeout(GRACE, drain).await;
        self.tasks.abort_all();
        end
    }

    /// Counts a deed's end; one that every other deed would meet ends the run.
    fn settle(&mut self, ended: Result<Ended, JoinError>) -> Result<(), End> {
        let Ok((ticket, deed, ended)) = ended else {
            // Its ticket stays open, so the run is resumed before it.
            self.tally.failed += 1;
            return Err(End::Broken("panicked".to_owned()));
        };
        match ended {
            Ok(done) => {
                self.frontier.done(ticket);
                *self.counter(&done) += 1;
                Ok(())
            }
            Err(Undone::Make(failure)) if failure.retry() == Retry::Never => {
                self.frontier.done(ticket);
                self.tally.refused += 1;
                self.log(&Line::of_failure(&failure), deed.name());
                Ok(())
            }
            Err(undone) => {
                self.frontier.failed(ticket);
                self.tally.failed += 1;
                if undone.is_general() {
                    return Err(End::Broken(chain(&undone)));
                }
                self.log(&Line::of_undone(&undone), deed.name());
                Ok(())
            }
        }
    }

    fn log(&self, line: &Line, name: &str) {
        self.progress.clear();
        line.log(self.plan.bucket.as_str(), name);
    }

    fn counter(&mut self, done: &Done) -> &mut u64 {
        match done {
            Done::Announced => &mut self.tally.announced,
            Done::Handled(Outcome::Created | Outcome::Replaced(_)) => &mut self.tally.made,
            Done::Handled(Outcome::Skipped(_) | Outcome::Deleted) | Done::Kept => {
                &mut self.tally.settled
            }
            Done::Pruned => &mut self.tally.pruned,
        }
    }

    fn sum_up(self, end: End) -> Summary {
        let undone = !matches!(end, End::Complete) || self.tally.failed > 0;
        let resume_after = undone.then(|| self.frontier.resume_after().to_owned());
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
    /// The part of a bucket whose names are those of this run behind `above`.
    fn span(&self, above: &str) -> Span {
        let mut after = format!("{above}{}", self.start_after);
        // No object's name is longer, and so none lies between the whole and its beginning but by a character.
        after.truncate(after.floor_char_boundary(MAX_OBJECT_NAME_BYTES));
        Span {
            prefix: format!("{above}{}", self.prefix),
            after: Some(after).filter(|_| !self.start_after.is_empty()),
        }
    }
}
