//! Runs the renderer on a blocking thread, with a core and reserved memory.

use tokio::sync::OwnedSemaphorePermit;

use super::content_encoding::{gunzip, is_gzip};
use super::{OVERHEAD_BYTES, Stop};
use crate::budget::Reservation;
use crate::outcome::Failure;
use crate::render::{self, Limits, Plan, Target};

/// A source to be rendered, with the memory reserved for it.
pub(super) struct Rendering {
    pub(super) bytes: Vec<u8>,
    pub(super) gzipped: bool,
    pub(super) reservation: Reservation,
    pub(super) limits: Limits,
    pub(super) max_bytes: u64,
    pub(super) targets: Vec<Target>,
}

pub(super) struct Ended {
    /// The source's width and height as stored, if known.
    pub(super) source_pixels: Option<(u32, u32)>,
    pub(super) rendered: Result<Rendered, Stop>,
}

/// The outputs in the order of their targets, and the memory that they take until they are stored.
pub(super) struct Rendered {
    pub(super) made: render::Rendered,
    /// The source's width and height as shown.
    pub(super) source_pixels: (u32, u32),
    pub(super) reservation: Reservation,
}

impl Rendering {
    /// Renders on a blocking thread, to which the core's permit and the reservation move: a timeout must release
    /// neither while rendering goes on.
    pub(super) async fn run(self, core: OwnedSemaphorePermit) -> Result<Ended, Failure> {
        on_core(core, move || {
            let mut source_pixels = None;
            let rendered = self.render(&mut source_pixels);
            Ended {
                source_pixels,
                rendered,
            }
        })
        .await
    }

    fn render(mut self, source_pixels: &mut Option<(u32, u32)>) -> Result<Rendered, Stop> {
        // Some tools set the header on files that aren't packed.
        if self.gzipped && is_gzip(&self.bytes) {
            let held = self.bytes.len() as u64 + OVERHEAD_BYTES;
            let most = held.saturating_add(self.max_bytes);
            let reservation = &mut self.reservation;
            self.bytes = gunzip(&self.bytes, self.max_bytes, |more| {
                let grown = reservation.grow_to(held.saturating_add(more));
                grown.map_err(|no_room| Stop::no_room(no_room, most))
            })?;
        }
        let plan = Plan::new(&self.bytes, &self.limits, &self.targets)?;
        *source_pixels = Some((plan.width, plan.height));
        let whole = self.bytes.len() as u64 + plan.memory_bytes() + OVERHEAD_BYTES;
        let resized = self.reservation.resize(whole);
        resized.map_err(|no_room| Stop::no_room(no_room, whole))?;
        let source_pixels = plan.shown_size();
        let made = plan.render()?;
        let kept: u64 = made
            .outputs
            .iter()
            .map(|output| output.bytes.len() as u64)
            .sum();
        drop(self.bytes);
        // Shrinking never fails.
        let _ = self.reservation.resize(whole.min(kept + OVERHEAD_BYTES));
        Ok(Rendered {
            made,
            source_pixels,
            reservation: self.reservation,
        })
    }
}

/// Runs work on a blocking thread, and releases the core after it.
pub(super) async fn on_core<T: Send + 'static>(
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
