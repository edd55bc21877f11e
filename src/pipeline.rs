//! An event's way to its outputs: admit by name, open, admit by memory, read, render, write.

mod content_encoding;
mod place;
mod rendering;
mod retire;
mod source;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;

use self::rendering::{Rendered, Rendering};
use self::retire::Cause;
use crate::budget::{Budget, NoRoom};
use crate::event::Event;
use crate::names::Generation;
use crate::outcome::{Failure, Outcome, Retry};
use crate::render::{Limits, Target};
use crate::report::{Report, Stage};
use crate::store::Store;
use crate::stored::{Metadata, Origin, Upload};
use crate::work::{Job, Place, Scope, Skip, Task};

/// What an event takes beside its source and the renderer's estimate: buffers, connection, task.
const FLAT_BYTES: u64 = 2 << 20;

/// All that events share.
pub struct Pipeline {
    /// Where objects live.
    pub store: Store,
    /// Which events are work.
    pub scope: Scope,
    /// The memory and cores there are.
    pub budget: Budget,
    /// The most that one picture may be.
    pub limits: Limits,
    /// The largest object that is downloaded, in bytes.
    pub max_source_bytes: u64,
    /// The Cache-Control header of outputs.
    pub cache_control: Option<String>,
    /// Whether outputs take over their source's metadata.
    pub copy_metadata: bool,
    /// The longest that an event may take.
    pub event_timeout: Duration,
}

/// How often an event has been delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Once, for all that is known.
    First,
    /// Before: a part of the work may be done, and the source may be gone.
    Again,
}

/// Why an event ends before its outputs are stored.
#[derive(Debug)]
enum Stop {
    Skip(Skip),
    Failure(Failure),
    /// It needs this many bytes of memory, more than it has reserved.
    ShortOf(u64),
}

impl Pipeline {
    /// Handles one event within [`Self::event_timeout`] of its arrival, and reports how far it came.
    ///
    /// # Errors
    /// [`Failure`] says whether it is to come again.
    pub async fn handle(
        &self,
        event: &Event,
        arrival: Instant,
        report: &mut Report,
    ) -> Result<Outcome, Failure> {
        let delivery = if event.delivery_attempt > Some(1) {
            Delivery::Again
        } else {
            Delivery::First
        };
        match self.scope.admit(event) {
            Ok(Task::Make(job)) => self.make(job, delivery, arrival, report).await,
            Ok(Task::Remove(job, gone)) => {
                let cause = Cause::Deleted(gone);
                let deadline = (arrival + self.event_timeout).into();
                let retired = timeout_at(deadline, self.retire(&job, cause, report)).await;
                in_time(retired, report)
            }
            Err(skip) => Ok(Outcome::Skipped(skip)),
        }
    }

    /// Makes a source's outputs within [`Self::event_timeout`] of `arrival`.
    ///
    /// # Errors
    /// [`Failure`] says whether another attempt may end better.
    pub async fn make(
        &self,
        job: Job,
        delivery: Delivery,
        arrival: Instant,
        report: &mut Report,
    ) -> Result<Outcome, Failure> {
        for (pattern, skip) in &job.left_out {
            report.left_out(pattern, *skip);
        }
        let deadline = (arrival + self.event_timeout).into();
        let made = timeout_at(deadline, self.make_outputs(job, delivery, report)).await;
        in_time(made, report)
    }

    async fn make_outputs(
        &self,
        mut job: Job,
        delivery: Delivery,
        report: &mut Report,
    ) -> Result<Outcome, Stop> {
        let made = match self.prepare(&mut job, delivery, report).await {
            Ok(()) => self.render_and_write(&job, report).await,
            Err(stop) => Err(stop),
        };
        match made {
            Ok(outcome) => self.look_after(&job, outcome, report).await,
            Err(Stop::Skip(skip @ (Skip::Gone | Skip::Superseded | Skip::Current))) => {
                self.look_after(&job, Outcome::Skipped(skip), report).await
            }
            Err(Stop::Failure(failure)) if failure.retry() == Retry::Never => {
                self.look_after_refused(&job, report).await?;
                Err(failure.into())
            }
            Err(stop) => Err(stop),
        }
    }

    /// Asks the store what the event doesn't tell, and leaves out what is done.
    async fn prepare(
        &self,
        job: &mut Job,
        delivery: Delivery,
        report: &mut Report,
    ) -> Result<(), Stop> {
        // What is taken over must be that of the version that is opened.
        let told = job.source.details.is_some()
            && (job.source.generation.is_some() || !self.copy_metadata);
        if !told || delivery == Delivery::Again {
            report.time(Stage::Open, self.look_at_source(job)).await?;
        }
        report.generation = job.source.generation;
        if delivery == Delivery::Again {
            let current = report.time(Stage::Open, self.take_current(job)).await;
            for place in current {
                report.place(&place.name, &Ok(Outcome::Skipped(Skip::Current)));
            }
            if job.places.is_empty() {
                return Err(Skip::Current.into());
            }
        }
        Ok(())
    }

    async fn render_and_write(&self, job: &Job, report: &mut Report) -> Result<Outcome, Stop> {
        let targets: Vec<Target> = job.places.iter().map(|place| place.recipe).collect();
        let mut pinned = job.clone();
        let (generation, rendered) = match self.render(job, &targets, 0, report).await {
            // The memory that it needs is known now. Nothing is held while it is waited for, so the source is read again.
            Err(Stop::ShortOf(bytes)) => {
                pinned.source.generation = report.generation;
                self.render(&pinned, &targets, bytes, report).await?
            }
            rendered => rendered?,
        };
        let thumbhash = BASE64_STANDARD.encode(&rendered.made.thumbhash);
        // Held until all is stored.
        let _reservation = rendered.reservation;
        let mut uploads = Vec::with_capacity(job.places.len());
        for (place, output) in job.places.iter().zip(rendered.made.outputs) {
            report.rendered(
                &place.name,
                (output.width, output.height),
                output.bytes.len(),
            );
            let mut upload = Upload {
                content_type: output.format.content_type(),
                bytes: Bytes::from(output.bytes),
                origin: origin(job, place, generation),
                pixels: (output.width, output.height),
                source_pixels: rendered.source_pixels,
                thumbhash: thumbhash.clone(),
                cache_control: self.cache_control.clone(),
                content_language: None,
                inherited: Metadata::new(),
            };
            if let Some(details) = job.source.details.as_ref().filter(|_| self.copy_metadata) {
                report.dropped(&place.name, upload.inherit(details));
            }
            uploads.push((place, upload));
        }
        self.write_all(job, &uploads, report).await
    }

    /// Reads and renders the source with `least` bytes of memory, or more.
    async fn render(
        &self,
        job: &Job,
        targets: &[Target],
        least: u64,
        report: &mut Report,
    ) -> Result<(Generation, Rendered), Stop> {
        let source = report.time(Stage::Open, self.open(job)).await?;
        let generation = source.generation;
        report.generation = Some(generation);
        // The notification's size is only believed where it names the version that was opened.
        let announced = job
            .source
            .size
            .filter(|_| job.source.generation == Some(generation));
        let size = source.size.or(announced);
        let admission = self.admit(size, least, targets);
        let reservation = report.time(Stage::Admit, admission).await?;
        let gzipped = source.gzipped;
        let bytes = report
            .time(Stage::Read, self.read(source, size, reservation.bytes()))
            .await?;
        report.source_bytes = Some(bytes.len());
        let core = report.time(Stage::Queue, self.budget.core()).await?;
        let rendering = Rendering {
            bytes,
            gzipped,
            reservation,
            limits: self.limits,
            max_bytes: self.max_source_bytes,
            targets: targets.to_vec(),
        };
        let ended = report.time(Stage::Render, rendering.run(core)).await?;
        report.source_pixels = ended.source_pixels;
        Ok((generation, ended.rendered?))
    }
}

/// The result of work that has a deadline.
fn in_time(
    ended: Result<Result<Outcome, Stop>, Elapsed>,
    report: &Report,
) -> Result<Outcome, Failure> {
    match ended {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(Stop::Skip(skip))) => Ok(Outcome::Skipped(skip)),
        Ok(Err(Stop::Failure(failure))) => Err(failure),
        Ok(Err(Stop::ShortOf(_))) => Err(Failure::Overloaded),
        Err(_) if report.is_in_line() => Err(Failure::Overloaded),
        Err(_) => Err(Failure::Timeout),
    }
}

fn origin(job: &Job, place: &Place, generation: Generation) -> Origin {
    Origin {
        bucket: job.source.bucket.clone(),
        name: job.source.name.clone(),
        generation,
        recipe: place.recipe,
    }
}

impl Stop {
    /// The work waits for this many bytes, unless the whole budget is smaller.
    fn without(no_room: NoRoom, bytes: u64) -> Self {
        match no_room {
            NoRoom::Now => Self::ShortOf(bytes),
            NoRoom::Never { .. } => no_room.into(),
        }
    }
}

impl From<Skip> for Stop {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

impl<F: Into<Failure>> From<F> for Stop {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

#[cfg(test)]
mod tests;
