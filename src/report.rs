//! What is measured on an event's way, for its log line.

use std::time::{Duration, Instant};

use crate::names::Generation;

/// A stretch of an event's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Until the source's headers are there.
    Open,
    /// In line for memory.
    Admit,
    /// Until the source's last byte is there.
    Read,
    /// In line for a core.
    Queue,
    /// From bytes to thumbnail.
    Render,
    /// Until the thumbnail is stored.
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
    /// The PNG's size.
    pub thumbnail_bytes: Option<usize>,
    /// The thumbnail's width and height in pixels.
    pub thumbnail_pixels: Option<(u32, u32)>,
    spent: Vec<(Stage, Duration)>,
    stage: Option<Stage>,
}

impl Report {
    /// Measures a stage; one that is cut off keeps its name and no time.
    pub async fn time<T>(&mut self, stage: Stage, work: impl Future<Output = T>) -> T {
        self.stage = Some(stage);
        let start = Instant::now();
        let done = work.await;
        self.spent.push((stage, start.elapsed()));
        done
    }

    /// Whether the event was last seen waiting for others to finish.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        matches!(self.stage, Some(Stage::Admit | Stage::Queue))
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
