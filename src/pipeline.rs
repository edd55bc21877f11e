//! An event's way to its thumbnail: admit by name, open, admit by memory, read, render, write.

mod place;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::budget::{Budget, NoRoom, Reservation};
use crate::content_encoding::{gunzip, is_gzip};
use crate::event::Event;
use crate::outcome::{Failure, Outcome};
use crate::render::{self, Limits, Plan};
use crate::report::{Report, Stage};
use crate::store::{Source, Store, StoreError};
use crate::stored::{Origin, Thumbnail};
use crate::work::{Job, Scope, Skip, Task};

/// What an event takes beside its source and the renderer's estimate: buffers, connection, task.
const FLAT_BYTES: u64 = 2 << 20;
/// What the renderer takes for nearly every picture; only the others have to grow their reservation.
const USUAL_RENDER_BYTES: u64 = 8 << 20;

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
    /// The Cache-Control header of thumbnails.
    pub cache_control: Option<String>,
    /// The longest that an event may take.
    pub event_timeout: Duration,
}

/// Why an event's way ends early.
enum Stop {
    Skip(Skip),
    Failure(Failure),
    /// It takes so many bytes of memory, which it doesn't have.
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
        let deadline = arrival + self.event_timeout;
        match tokio::time::timeout_at(deadline.into(), self.perform(event, report)).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(Stop::Skip(skip))) => Ok(Outcome::Skipped(skip)),
            Ok(Err(Stop::Failure(failure))) => Err(failure),
            Ok(Err(Stop::ShortOf(_))) => Err(Failure::Overloaded),
            Err(_) if report.is_in_line() => Err(Failure::Overloaded),
            Err(_) => Err(Failure::Timeout),
        }
    }

    async fn perform(&self, event: &Event, report: &mut Report) -> Result<Outcome, Stop> {
        match self.scope.admit(event)? {
            Task::Make(job) => self.make_thumbnail(job, report).await,
            Task::Remove(removal) => self.remove(&removal).await,
        }
    }

    async fn make_thumbnail(&self, mut job: Job, report: &mut Report) -> Result<Outcome, Stop> {
        let (origin, picture) = match self.render(&job, 0, report).await {
            // What it takes is known now, and is waited for with nothing in hand: the source is read again.
            Err(Stop::ShortOf(bytes)) => {
                job.generation = report.generation;
                self.render(&job, bytes, report).await?
            }
            rendered => rendered?,
        };
        report.thumbnail_bytes = Some(picture.png.len());
        report.thumbnail_pixels = Some((picture.width, picture.height));
        let thumbnail = Thumbnail {
            png: Bytes::from(picture.png),
            origin,
            cache_control: self.cache_control.clone(),
        };
        report
            .time(Stage::Write, self.write(&job, &thumbnail))
            .await
    }

    /// Reads and renders the source with `least` bytes of memory, or more.
    async fn render(
        &self,
        job: &Job,
        least: u64,
        report: &mut Report,
    ) -> Result<(Origin, render::Thumbnail), Stop> {
        let source = report.time(Stage::Open, self.open(job)).await?;
        let origin = Origin {
            bucket: job.bucket.clone(),
            generation: source.version.generation,
        };
        report.generation = Some(origin.generation);
        // The notification's size is only believed where it names the version that was opened.
        let announced = job
            .size
            .filter(|_| job.generation == Some(source.version.generation));
        let size = source.version.size.or(announced);
        let reservation = report.time(Stage::Admit, self.admit(size, least)).await?;
        let gzipped = source.version.gzipped;
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
        };
        let rendered = on_core(core, move || rendering.run());
        let rendered = report.time(Stage::Render, rendered).await?;
        report.source_pixels = rendered.source_pixels;
        Ok((origin, rendered.thumbnail?))
    }

    async fn open(&self, job: &Job) -> Result<Source, Stop> {
        let source = self
            .store
            .open(&job.bucket, &job.name, job.generation)
            .await
            .map_err(at_source)?;
        if source.version.marked {
            return Err(Skip::OwnObject.into());
        }
        match source.version.size {
            Some(bytes) if bytes > self.max_source_bytes => Err(Failure::TooLarge {
                bytes,
                limit: self.max_source_bytes,
            }
            .into()),
            _ => Ok(source),
        }
    }

    async fn admit(&self, size: Option<u64>, least: u64) -> Result<Reservation, Failure> {
        let whole = self.budget.bytes();
        let source = match size {
            Some(size) => size.saturating_add(FLAT_BYTES),
            None => self.largest_source(),
        };
        let usual = source.saturating_add(USUAL_RENDER_BYTES).max(least);
        Ok(self.budget.reserve(usual.min(whole).max(source)).await?)
    }

    /// The memory for a source of any size; it may be small, so that whether it fits shows when it is read.
    fn largest_source(&self) -> u64 {
        let largest = self.max_source_bytes.saturating_add(FLAT_BYTES);
        largest.min(self.budget.bytes())
    }

    /// Takes no more bytes than memory was reserved for.
    async fn read(
        &self,
        source: Source,
        announced: Option<u64>,
        reserved: u64,
    ) -> Result<Vec<u8>, Stop> {
        let limit = reserved
            .saturating_sub(FLAT_BYTES)
            .min(self.max_source_bytes);
        let bytes = match source.read(limit, announced).await {
            Err(StoreError::TooLarge { limit }) if limit < self.max_source_bytes => {
                // It is larger than was announced, or than the whole budget.
                if reserved < self.largest_source() {
                    return Err(Stop::ShortOf(self.largest_source()));
                }
                let bytes = limit.saturating_add(FLAT_BYTES + 1);
                let budget = self.budget.bytes();
                return Err(Failure::OverBudget { bytes, budget }.into());
            }
            read => read.map_err(at_source)?,
        };
        if bytes.is_empty() {
            Err(Skip::Empty.into())
        } else {
            Ok(bytes)
        }
    }
}

/// Works off the async threads. The core moves with the work, and so does what the work owns: a timeout gives neither
/// back while the work goes on.
async fn on_core<T: Send + 'static>(
    core: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let task = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(core);
        done
    });
    task.await.map_err(|_| Failure::Panicked)
}

/// A source on its way through the renderer, with the memory set aside for it.
struct Rendering {
    bytes: Vec<u8>,
    gzipped: bool,
    reservation: Reservation,
    limits: Limits,
    max_bytes: u64,
}

struct Rendered {
    source_pixels: Option<(u32, u32)>,
    thumbnail: Result<render::Thumbnail, Stop>,
}

impl Rendering {
    fn run(mut self) -> Rendered {
        let mut source_pixels = None;
        let thumbnail = self.render(&mut source_pixels);
        Rendered {
            source_pixels,
            thumbnail,
        }
    }

    fn render(
        &mut self,
        source_pixels: &mut Option<(u32, u32)>,
    ) -> Result<render::Thumbnail, Stop> {
        // Some tools set the header on plain files.
        if self.gzipped && is_gzip(&self.bytes) {
            let held = self.bytes.len() as u64 + FLAT_BYTES;
            let most = held.saturating_add(self.max_bytes);
            let reservation = &mut self.reservation;
            self.bytes = gunzip(&self.bytes, self.max_bytes, |more| {
                let grown = reservation.grow_to(held.saturating_add(more));
                grown.map_err(|no_room| Stop::without(no_room, most))
            })?;
        }
        let plan = Plan::new(&self.bytes, &self.limits)?;
        *source_pixels = Some((plan.width, plan.height));
        let whole = self.bytes.len() as u64 + plan.memory_bytes() + FLAT_BYTES;
        let resized = self.reservation.resize(whole);
        resized.map_err(|no_room| Stop::without(no_room, whole))?;
        Ok(plan.render()?)
    }
}

impl Stop {
    /// What takes so many bytes waits for them, unless they are more than there are.
    fn without(no_room: NoRoom, bytes: u64) -> Self {
        match no_room {
            NoRoom::Now => Self::ShortOf(bytes),
            NoRoom::Never { .. } => no_room.into(),
        }
    }
}

/// A source that is not there any more is no failure.
fn at_source(error: StoreError) -> Stop {
    match error {
        StoreError::NotFound | StoreError::PreconditionFailed => Skip::Gone.into(),
        error => Failure::from(error).into(),
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
