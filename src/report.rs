//! Measurements of one event, for its log line.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::names::{Generation, ObjectName};
use crate::outcome::{Failure, Outcome};
use crate::work::Skip;

/// A timed stage of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking up the source and opening it.
    Open,
    /// Waiting for memory.
    Admit,
    /// Reading the source.
    Read,
    /// Waiting for a core.
    Queue,
    /// Rendering the outputs.
    Render,
    /// Storing the outputs, and checking that the source is still live.
    Write,
}

/// The measurements of one event; `None` where a stage was not reached.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The generation that was read.
    pub generation: Option<Generation>,
    /// The source's size as downloaded.
    pub source_bytes: Option<usize>,
    /// The source's width and height as stored, in pixels.
    pub source_pixels: Option<(u32, u32)>,
    /// The results of the renditions, in the order in which they were known.
    pub renditions: Vec<RenditionReport>,
    spent: Vec<(Stage, Duration)>,
    stage: Option<(Stage, Instant)>,
}

/// The result of one rendition.
#[derive(Debug, Clone, Serialize)]
pub struct RenditionReport {
    /// The output's name, or the rendition's pattern if it has none.
    pub name: String,
    /// The outcome's label.
    pub outcome: &'static str,
    /// The reason's label, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The output's width in pixels, if it was rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// The output's height in pixels, if it was rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The output's size in bytes, if it was rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// The keys of the source's custom metadata that didn't fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_metadata: Vec<String>,
    /// The time from the stage's start to the result, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
}

impl Report {
    /// Times a stage; one that is cancelled stays the current stage, without a time.
    pub async fn time<T>(&mut self, stage: Stage, work: impl Future<Output = T>) -> T {
        self.enter(stage);
        let done = work.await;
        self.leave();
        done
    }

    /// Begins a stage that is left by [`Self::leave`].
    pub(crate) fn enter(&mut self, stage: Stage) {
        self.stage = Some((stage, Instant::now()));
    }

    /// Ends the stage that was entered last.
    pub fn leave(&mut self) {
        let left = self.stage;
        self.spent
            .extend(left.map(|(stage, start)| (stage, start.elapsed())));
    }

    /// Records the result of an output.
    pub fn place(&mut self, name: &ObjectName, ended: &Result<Outcome, Failure>) {
        let (outcome, reason) = match ended {
            Ok(outcome) => (outcome.label(), outcome.reason()),
            Err(failure) => (failure.label(), Some(failure.reason())),
        };
        let now = self.stage.map(|(_, start)| millis(start.elapsed()));
        let rendition = self.rendition(name.as_str());
        rendition.outcome = outcome;
        rendition.reason = reason;
        rendition.ms = now;
    }

    /// Records an output's size.
    pub fn rendered(&mut self, name: &ObjectName, (width, height): (u32, u32), bytes: usize) {
        let rendition = self.rendition(name.as_str());
        rendition.width = Some(width);
        rendition.height = Some(height);
        rendition.bytes = Some(bytes);
    }

    /// Records the keys of the source's custom metadata that didn't fit.
    pub fn dropped(&mut self, name: &ObjectName, keys: Vec<String>) {
        self.rendition(name.as_str()).dropped_metadata = keys;
    }

    /// Records a rendition that has no place.
    pub fn left_out(&mut self, pattern: &str, skip: Skip) {
        let rendition = self.rendition(pattern);
        rendition.reason = Some(skip.label());
    }

    /// Records that a place keeps the output of another version.
    pub fn kept(&mut self, name: &ObjectName) {
        let rendition = self.rendition(name.as_str());
        rendition.outcome = "kept";
        rendition.reason = Some(Skip::OtherVersion.label());
    }

    fn rendition(&mut self, name: &str) -> &mut RenditionReport {
        let known = self.renditions.iter().position(|known| known.name == name);
        let index = known.unwrap_or(self.renditions.len());
        if known.is_none() {
            self.renditions.push(RenditionReport {
                name: name.to_owned(),
                outcome: "skipped",
                reason: None,
                width: None,
                height: None,
                bytes: None,
                dropped_metadata: Vec::new(),
                ms: None,
            });
        }
        &mut self.renditions[index]
    }

    /// Whether the event's current stage is waiting for memory or a core.
    #[must_use]
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.stage, Some((Stage::Admit | Stage::Queue, _)))
    }

    /// The total time of a stage in milliseconds.
    #[must_use]
    pub(crate) fn millis(&self, stage: Stage) -> Option<f64> {
        let spent = self.spent.iter().filter(|(spent, _)| *spent == stage);
        let together = spent.map(|(_, duration)| *duration).reduce(|a, b| a + b);
        together.map(millis)
    }
}

/// A duration in milliseconds, to the microsecond.
#[must_use]
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
