//! Turns an event into stored outputs: admit, open, reserve memory, read, render, write.

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

/// Memory per event beside its source and the renderer's estimate: buffers, connection, task.
const OVERHEAD_BYTES: u64 = 2 << 20;

/// Handles events, with everything that they share.
pub struct Pipeline {
    /// The object store.
    pub store: Store,
    /// Decides which events are work.
    pub scope: Scope,
    /// The shared memory and cores.
    pub budget: Budget,
    /// The limits of one picture.
    pub limits: Limits,
    /// The largest object that is downloaded, in bytes.
    pub max_source_bytes: u64,
    /// The Cache-Control header of outputs.
    pub cache_control: Option<String>,
    /// Whether outputs take over their source's metadata.
    pub copy_metadata: bool,
    /// The time limit of one event.
    pub event_timeout: Duration,
}

/// Whether a message is delivered for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The first time, as far as is known.
    First,
    /// A redelivery: part of the work may be done, and the source may be gone.
    Again,
}

/// Why an event ends before its outputs are stored.
#[derive(Debug)]
enum Stop {
    Skip(Skip),
    Failure(Failure),
    /// The event needs this many bytes of memory, more than it has reserved.
    NeedsMemory(u64),
}

impl Pipeline {
    /// Handles one event within [`Self::event_timeout`] of its arrival, and records its progress in `report`.
    ///
    /// # Errors
    /// A [`Failure`], which says whether the event is to be redelivered.
    pub(crate) async fn handle(
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
    /// A [`Failure`], which says whether another attempt may succeed.
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
            Ok(outcome) => self.recheck(&job, outcome, report).await,
            Err(Stop::Skip(skip @ (Skip::Gone | Skip::Superseded | Skip::Current))) => {
                self.recheck(&job, Outcome::Skipped(skip), report).await
            }
            Err(Stop::Failure(failure)) if failure.retry() == Retry::Never => {
                self.retire_overwritten(&job, report).await?;
                Err(failure.into())
            }
            Err(stop) => Err(stop),
        }
    }

    /// Asks the store for what the event doesn't say, and drops the places of a redelivery that are current.
    async fn prepare(
        &self,
        job: &mut Job,
        delivery: Delivery,
        report: &mut Report,
    ) -> Result<(), Stop> {
        // Copied metadata must be that of the version that is opened.
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
            // Nothing is held while waiting for the memory that it needs, so the source is read again.
            Err(Stop::NeedsMemory(bytes)) => {
                pinned.source.generation = report.generation;
                self.render(&pinned, &targets, bytes, report).await?
            }
            rendered => rendered?,
        };
        let thumbhash = BASE64_STANDARD.encode(&rendered.made.thumbhash);
        // Held until all outputs are stored.
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

    /// Reads and renders the source with at least `min_bytes` of memory.
    async fn render(
        &self,
        job: &Job,
        targets: &[Target],
        min_bytes: u64,
        report: &mut Report,
    ) -> Result<(Generation, Rendered), Stop> {
        let source = report.time(Stage::Open, self.open(job)).await?;
        let generation = source.generation;
        report.generation = Some(generation);
        // The notification's size counts only if it is that of the version that was opened.
        let announced = job
            .source
            .size
            .filter(|_| job.source.generation == Some(generation));
        let size = source.size.or(announced);
        let admission = self.admit(size, min_bytes, targets);
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

/// Turns the result of work that has a deadline into the event's.
fn in_time(
    ended: Result<Result<Outcome, Stop>, Elapsed>,
    report: &Report,
) -> Result<Outcome, Failure> {
    match ended {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(Stop::Skip(skip))) => Ok(Outcome::Skipped(skip)),
        Ok(Err(Stop::Failure(failure))) => Err(failure),
        Ok(Err(Stop::NeedsMemory(_))) => Err(Failure::Overloaded),
        Err(_) if report.is_waiting() => Err(Failure::Overloaded),
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
    /// Starts over with this many bytes reserved, or fails if the whole budget is smaller.
    fn no_room(no_room: NoRoom, bytes: u64) -> Self {
        match no_room {
            NoRoom::Now => Self::NeedsMemory(bytes),
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
