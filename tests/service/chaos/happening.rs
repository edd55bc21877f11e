//! The steps of a run, and the events that they cause.

use flate2::Crc;
use image::ImageFormat;

use super::cloud::{Cloud, Event};
use crate::pictures::{colour, plain};
use crate::rng::Rng;
use crate::three;

/// The formats of sources, whatever their names say.
const FORMATS: [ImageFormat; 5] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Bmp,
    ImageFormat::Tiff,
];

/// One step of a run.
pub enum Happening {
    /// A source, by its number, is uploaded or deleted.
    Change {
        name: usize,
        kind: Change,
        colour: usize,
    },
    /// An event is delivered, for the first time or again.
    Delivery(Event, u32),
    /// A reconcile is started, and is killed later.
    Reconcile,
    /// An instance is terminated, or killed, and another takes its place.
    End { gently: bool },
}

#[derive(Debug, Clone, Copy)]
pub enum Change {
    Picture,
    Broken,
    Bomb,
    Delete,
}

/// One name in the source bucket.
pub struct Source {
    name: String,
    live: Option<Live>,
}

#[derive(Debug, Clone, Copy)]
struct Live {
    generation: i64,
    /// `None` where it is no picture.
    colour: Option<usize>,
}

/// A small PNG that claims to be 60,000 pixels wide and high.
fn bomb() -> Vec<u8> {
    let mut png = plain(40, 30, colour(1), ImageFormat::Png);
    for side in [16, 20] {
        png[side..side + 4].copy_from_slice(&60_000_u32.to_be_bytes());
    }
    let mut checksum = Crc::new();
    checksum.update(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    png
}

impl Happening {
    pub fn change(name: usize, rng: &mut Rng) -> Self {
        let kind = match rng.below(40) {
            0..24 => Change::Picture,
            24..30 => Change::Broken,
            30 => Change::Bomb,
            _ => Change::Delete,
        };
        Self::Change {
            name,
            kind,
            colour: rng.below(512),
        }
    }
}

impl Source {
    pub fn new(name: String) -> Self {
        Self { name, live: None }
    }

    /// Uploads or deletes it, and returns the events that Cloud Storage sends.
    pub async fn change(&mut self, cloud: &Cloud, kind: Change, picture: usize) -> Vec<Event> {
        let before = self.live;
        let bytes = match kind {
            Change::Delete => {
                if self.live.take().is_some() {
                    cloud.gcs.delete("photos", &self.name).await;
                }
                let deleted = before.map(|live| self.event("OBJECT_DELETE", live.generation, None));
                return deleted.into_iter().collect();
            }
            Change::Picture => {
                // Some take long enough to be interrupted.
                let (width, height) = [(40, 30), (40, 30), (40, 30), (1600, 1200)][picture % 4];
                let format = FORMATS[picture / 4 % FORMATS.len()];
                plain(width, height, colour(picture), format)
            }
            Change::Bomb => bomb(),
            Change::Broken => b"no picture".to_vec(),
        };
        let put = cloud
            .gcs
            .put("photos", &self.name, &bytes, "image/png", &[]);
        let generation = put.await;
        self.live = Some(Live {
            generation,
            colour: matches!(kind, Change::Picture).then_some(picture),
        });
        let made = self.event("OBJECT_FINALIZE", generation, None);
        let gone = before.map(|old| self.event("OBJECT_DELETE", old.generation, Some(generation)));
        [made].into_iter().chain(gone).collect()
    }

    /// Asserts that a picture has its outputs, and anything else has none.
    pub async fn assert_has_what_is_its_own(&self, cloud: &Cloud) {
        if let Some(live) = self.live
            && let Some(picture) = live.colour
        {
            let generation = Some(live.generation);
            return three::assert_stored(&cloud.gcs, &self.name, colour(picture), generation).await;
        }
        for output in three::outputs(&self.name) {
            let stored = cloud.gcs.get("thumbs", &output.name).await;
            let shows = stored.map(|stored| stored.source_generation());
            assert_eq!(shows, None, "{} of {:?}", output.name, self.live);
        }
    }

    fn event(&self, kind: &'static str, generation: i64, overwritten_by: Option<i64>) -> Event {
        Event {
            name: self.name.clone(),
            kind,
            generation,
            overwritten_by,
        }
    }
}
