//! Compares the listings and begins actions.

use std::sync::Arc;

use super::Run;
use crate::reconcile::action::Action;
use crate::reconcile::finding::{Comparison, Finding, State, Stray, recorded_output};
use crate::reconcile::frontier::Ticket;
use crate::reconcile::line::Line;
use crate::reconcile::{End, Merge, Next};
use crate::store::{Listing, Span};

impl Run {
    /// Merges the listings and begins the actions that they call for; an error ends the run early.
    pub(super) async fn compare(&mut self) -> Result<(), End> {
        let plan = Arc::clone(&self.plan);
        let scope = &plan.pipeline.scope;
        let store = &plan.pipeline.store;
        let patterns = scope.renditions.iter().map(|rendition| &rendition.pattern);
        let prefixes: Vec<&str> = patterns.filter_map(|pattern| pattern.prefix()).collect();
        let mut sources = store.list(&plan.bucket, plan.span(""));
        let mut outputs: Vec<Listing<'_>> = prefixes
            .iter()
            .map(|prefix| store.list(&scope.target_bucket, plan.span(prefix)))
            .collect();
        let mut merge = Merge::new(prefixes);
        loop {
            match merge.advance() {
                Next::NeedsSources => {
                    let page = self.page(&mut sources).await?;
                    self.tally.unnameable += page.as_ref().map_or(0, |page| page.unnameable);
                    merge.add_sources(page.map(|page| page.objects));
                }
                Next::NeedsOutputs(index) => {
                    if let Some(listing) = outputs.get_mut(index) {
                        let page = self.page(listing).await?;
                        merge.add_outputs(index, page.map(|page| page.objects));
                    }
                }
                Next::Found(row) => {
                    let name = row.name.clone();
                    let finding = Finding::of(scope, &plan.bucket, row);
                    self.take(name, finding).await?;
                }
                Next::Done => break,
            }
            self.take_looked_at().await?;
        }
        while !self.tasks.is_empty() || !self.looked_at.is_empty() {
            self.take_looked_at().await?;
            if !self.tasks.is_empty() {
                self.wait_for_action().await?;
            }
        }
        if plan.prune || plan.executor.is_none() {
            self.find_other_orphans().await?;
        }
        Ok(())
    }

    /// Looks for orphans among the outputs of patterns that aren't prefixes: each one's source is looked up.
    async fn find_other_orphans(&mut self) -> Result<(), End> {
        let plan = Arc::clone(&self.plan);
        let scope = &plan.pipeline.scope;
        let others = scope
            .renditions
            .iter()
            .filter(|rendition| rendition.pattern.prefix().is_none());
        for rendition in others {
            let span = Span {
                prefix: rendition.pattern.literal_beginning().to_owned(),
                after: None,
            };
            let mut listing = plan.pipeline.store.list(&scope.target_bucket, span);
            while let Some(page) = self.page(&mut listing).await? {
                let outputs = page.objects.into_iter();
                let recorded = outputs
                    .filter_map(|output| recorded_output(&plan.bucket, rendition, output))
                    .filter(|output| plan.covers(output.source.as_str()));
                for output in recorded {
                    let name = self.frontier.resume_after().to_owned();
                    let ticket = self.frontier.begin(name);
                    let action = if self.prunes() {
                        Action::PruneIfGone(output)
                    } else {
                        Action::CheckOrphan(output)
                    };
                    self.begin(ticket, action).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, name: String, finding: Finding) -> Result<(), End> {
        self.tally.scanned += 1;
        match finding {
            Finding::Skipped(_) => self.tally.skipped += 1,
            Finding::Source(comparison) if comparison.is_open() => {
                let ticket = self.frontier.begin(name);
                return self.begin(ticket, Action::Look(comparison)).await;
            }
            Finding::Source(comparison) => {
                let ticket = self.frontier.begin(name);
                return self.act(ticket, comparison).await;
            }
            Finding::NoSource(strays) => {
                for stray in strays {
                    match stray {
                        Stray::Orphan(orphan) if self.prunes() => {
                            self.tally.orphans += 1;
                            let ticket = self.frontier.begin(name.clone());
                            self.begin(ticket, Action::Prune(orphan)).await?;
                        }
                        Stray::Orphan(orphan) if orphan.is_recorded => {
                            self.tally.orphans += 1;
                            self.log(&Line::found("orphan"), &name);
                        }
                        Stray::Orphan(orphan) => {
                            let ticket = self.frontier.begin(name.clone());
                            self.begin(ticket, Action::CheckOrphan(orphan)).await?;
                        }
                        Stray::Foreign => self.tally.foreign += 1,
                    }
                }
            }
        }
        self.frontier.pass(name);
        Ok(())
    }

    fn prunes(&self) -> bool {
        self.plan.prune && self.plan.executor.is_some()
    }

    async fn take_looked_at(&mut self) -> Result<(), End> {
        while let Some((ticket, comparison)) = self.looked_at.pop_front() {
            self.act(ticket, comparison).await?;
        }
        Ok(())
    }

    /// Counts a comparison, and begins the work that it calls for under this ticket.
    async fn act(&mut self, ticket: Ticket, comparison: Comparison) -> Result<(), End> {
        let name = comparison.job.source.name.as_str().to_owned();
        for (place, other) in comparison.conflicts() {
            self.log(&Line::conflict(place.name.as_str(), other), &name);
        }
        let has = |state: &State| {
            comparison
                .states
                .iter()
                .flatten()
                .any(|known| known == state)
        };
        let (counter, outcome) = if has(&State::Missing) {
            (&mut self.tally.missing, Some("missing"))
        } else if has(&State::Stale) {
            (&mut self.tally.stale, Some("stale"))
        } else if comparison.conflicts().next().is_some() {
            (&mut self.tally.conflicts, None)
        } else {
            (&mut self.tally.current, None)
        };
        *counter += 1;
        if let (None, Some(outcome)) = (&self.plan.executor, outcome) {
            self.log(&Line::found(outcome), &name);
        }
        let Some(job) = comparison.to_do(self.plan.force) else {
            self.frontier.done(ticket);
            return Ok(());
        };
        if self.plan.limit.is_some_and(|limit| self.begun >= limit) {
            return Err(End::Limit);
        }
        self.begun += 1;
        if self.plan.executor.is_none() {
            self.frontier.done(ticket);
            return Ok(());
        }
        if let Some(pace) = &mut self.pace {
            let turn = pace.turn(std::time::Instant::now());
            self.wait(tokio::time::sleep_until(turn.into())).await?;
        }
        self.begin(ticket, Action::Make(job)).await
    }
}
