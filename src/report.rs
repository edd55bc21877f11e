//! What is measured on an event's way, for its log line.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::names::{Generation, ObjectName};
use crate::outcome::{Failure, Outcome};
use crate::work::Skip;

/// A stretch of an event's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Until the source's headers are there, and what else the event doesn't tell.
    Open,
    /// In line for memory.
    Admit,
    /// Until the source's last byte is there.
    Read,
    /// In line for a core.
    Queue,
    /// From bytes to outputs.
    Render,
    /// Until the last output is stored, and the source seen to be there still.
    Write,
}

/// How far an event came, and what it took; what was not reached is `None`.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The generation that was read.
    pub generation: Option<Generation>,
    /// The source's size as downloaded.
    pub source_bytes: Option<usize>,
    /// The source's width and height as stored, in pixels.
    pub source_pixels: Option<(u32, u32)>,
    /// What became of each rendition, in the order in which it was known.
    pub renditions: Vec<RenditionReport>,
    spent: Vec<(Stage, Duration)>,
    stage: Option<(Stage, Instant)>,
}

/// What became of one rendition.
#[derive(Debug, Clone, Serialize)]
pub struct RenditionReport {
    /// Its name in the target bucket; its pattern where it has none.
    pub name: String,
    /// How it ended.
    pub outcome: &'static str,
    /// Why, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Its width in pixels, if it was rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Its height in pixels, if it was rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Its size in bytes, if it was rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// The keys of the source's custom metadata for which there was no room.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_metadata: Vec<String>,
    /// From the first attempt to store it to its end, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
}

impl Report {
    /// Measures a stage; one that is cut off keeps its name and no time.
    pub async fn time<T>(&mut self, stage: Stage, work: impl Future<Output = T>) -> T {
        self.enter(stage);
        let done = work.await;
        self.leave();
        done
    }

    /// Begins a stage that is left by [`Self::leave`].
    pub fn enter(&mut self, stage: Stage) {
        self.stage = Some((stage, Instant::now()));
    }

    /// Ends the stage that was entered last.
    pub fn leave(&mut self) {
        let left = self.stage;
        self.spent
            .extend(left.map(|(stage, start)| (stage, start.elapsed())));
    }

    /// Notes what became of the rendition at a place; `Failure` has more to say than fits here.
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

    /// Notes an output's size.
    pub fn rendered(&mut self, name: &ObjectName, (width, height): (u32, u32), bytes: usize) {
        let rendition = self.rendition(name.as_str());
        rendition.width = Some(width);
        rendition.height = Some(height);
        rendition.bytes = Some(bytes);
    }

    /// Notes the keys of the source's custom metadata that an output could not take over.
    pub fn dropped(&mut self, name: &ObjectName, keys: Vec<String>) {
        self.rendition(name.as_str()).dropped_metadata = keys;
    }

    /// Notes a rendition that has no place.
    pub fn left_out(&mut self, pattern: &str, skip: Skip) {
        let rendition = self.rendition(pattern);
        rendition.reason = Some(skip.label());
    }

    /// Notes that a place keeps the output of another version.
    pub fn stays(&mut self, name: &ObjectName) {
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

    /// Whether the event's last stage was waiting for memory or a core.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        matches!(self.stage, Some((Stage::Admit | Stage::Queue, _)))
    }

    /// What a stage took in milliseconds, each time that it was completed together.
    #[must_use]
    pub fn millis(&self, stage: Stage) -> Option<f64> {
        let spent = self.spent.iter().filter(|(spent, _)| *spent == stage);
        let together = spent.map(|(_, duration)| *duration).reduce(|a, b| a + b);
        together.map(millis)
    }
}

/// A duration in milliseconds, to the microsecond.
#[must_use]
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
