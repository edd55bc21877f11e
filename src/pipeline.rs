//! An event's way to its thumbnail: admit by name, open, admit by memory, read, render, write.

mod place;

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::budget::{Budget, Reservation};
use crate::content_encoding::{gunzip, is_gzip};
use crate::event::Event;
use crate::outcome::{Failure, Outcome};
use crate::render::{self, Limits, Plan};
use crate::report::{Report, Stage};
use crate::store::{Source, Store, StoreError, Version};
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

    async fn make_thumbnail(&self, job: Job, report: &mut Report) -> Result<Outcome, Stop> {
        let source = report.time(Stage::Open, self.open(&job)).await?;
        let origin = Origin {
            bucket: job.bucket.clone(),
            generation: source.version.generation,
        };
        report.generation = Some(origin.generation);
        let reservation = report
            .time(Stage::Admit, self.admit(&source.version, &job))
            .await?;
        let gzipped = source.version.gzipped;
        let bytes = report
            .time(Stage::Read, self.read(source, reservation.bytes()))
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
        let picture = rendered.thumbnail?;
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

    async fn admit(&self, version: &Version, job: &Job) -> Result<Reservation, Failure> {
        // The notification's size is only believed where it names the version that was opened.
        let announced = job
            .size
            .filter(|_| job.generation == Some(version.generation));
        let whole = self.budget.bytes();
        let least = match version.size.or(announced) {
            Some(size) => size.saturating_add(FLAT_BYTES),
            // It may be small: whether it fits shows when it is read.
            None => self.max_source_bytes.saturating_add(FLAT_BYTES).min(whole),
        };
        let usual = least.saturating_add(USUAL_RENDER_BYTES).min(whole);
        Ok(self.budget.reserve(usual.max(least)).await?)
    }

    /// Takes no more bytes than memory was reserved for.
    async fn read(&self, source: Source, reserved: u64) -> Result<Vec<u8>, Stop> {
        let limit = reserved
            .saturating_sub(FLAT_BYTES)
            .min(self.max_source_bytes);
        let bytes = match source.read(limit).await {
            Err(StoreError::TooLarge { limit }) if limit < self.max_source_bytes => {
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
    thumbnail: Result<render::Thumbnail, Failure>,
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
    ) -> Result<render::Thumbnail, Failure> {
        // Some tools set the header on plain files.
        if self.gzipped && is_gzip(&self.bytes) {
            let held = self.bytes.len() as u64 + FLAT_BYTES;
            let reservation = &mut self.reservation;
            self.bytes = gunzip(&self.bytes, self.max_bytes, |more| {
                Ok(reservation.grow_to(held.saturating_add(more))?)
            })?;
        }
        let plan = Plan::new(&self.bytes, &self.limits)?;
        *source_pixels = Some((plan.width, plan.height));
        self.reservation
            .resize(self.bytes.len() as u64 + plan.memory_bytes() + FLAT_BYTES)?;
        Ok(plan.render()?)
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
mod tests {
    use super::*;
    use crate::names::{BucketName, Prefix};
    use crate::outcome::{Retry, Severity};
    use crate::render::Refusal;
    use crate::store::Directory;

    #[tokio::test]
    async fn a_panic_is_a_failure_to_be_retried_and_gives_its_core_back() {
        let budget = Budget::new(1 << 20, 1);
        let core = budget.core().await.unwrap();
        let failure = on_core(core, || -> () { panic!("a bug") })
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Panicked));
        assert_eq!(
            (failure.retry(), failure.severity()),
            (Retry::Later, Severity::Error)
        );
        assert!(budget.core().await.is_ok());
    }

    #[tokio::test]
    async fn what_waits_for_memory_until_its_time_is_up_is_overload() {
        let folder = tempfile::tempdir().unwrap();
        let [photos, thumbs] = ["photos", "thumbs"].map(|name| BucketName::parse(name).unwrap());
        let store = Directory::new(folder.path(), &[&photos, &thumbs]).unwrap();
        std::fs::write(folder.path().join("photos/n.jpg"), "picture").unwrap();
        let pipeline = Pipeline {
            store: Store::Directory(store),
            scope: Scope {
                target_bucket: thumbs,
                prefix: Prefix::parse("thumbnails/").unwrap(),
                source_buckets: [photos].into(),
                propagate_deletes: false,
            },
            budget: Budget::new(32 << 20, 1),
            limits: Limits::default(),
            max_source_bytes: 1 << 20,
            cache_control: None,
            event_timeout: Duration::from_millis(100),
        };
        let body = br#"{"bucket":"photos","name":"n.jpg"}"#;
        let event = Event::parse(|_| None, body).unwrap();
        let handle = async || {
            let ended = pipeline
                .handle(&event, Instant::now(), &mut Report::default())
                .await;
            ended.unwrap_err()
        };
        let others = pipeline.budget.reserve(32 << 20).await.unwrap();
        assert!(matches!(handle().await, Failure::Overloaded));
        drop(others);
        assert!(matches!(
            handle().await,
            Failure::Refused(Refusal::NotAnImage)
        ));
    }
}
