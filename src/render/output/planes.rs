//! Finished outputs in luma and chroma, never converted to RGB.

use crate::render::orientation::Orientation;
use crate::render::pixels::{Model, Pixels};
use crate::render::resize::Resized;

/// Rows of 8-bit samples of luma and chroma as JPEG stores them: full range, of sRGB (ITU-T T.871, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Planes {
    pub(in crate::render) width: usize,
    pub(in crate::render) height: usize,
    pub(in crate::render) luma: Vec<u8>,
    /// `None` where the picture is grey.
    pub(in crate::render) chroma: Option<Chroma>,
}

impl Planes {
    /// Those of one or three resized planes, of which the first has `width` columns.
    pub(in crate::render) fn new(planes: Vec<Resized>, width: usize, halved: bool) -> Self {
        let mut planes = planes.into_iter().map(Resized::rounded);
        let luma = planes.next().unwrap_or_default();
        let chroma = planes.next().zip(planes.next());
        let chroma = chroma.map(|(blue, red)| Chroma { blue, red, halved });
        Self {
            width,
            height: luma.len() / width.max(1),
            luma,
            chroma,
        }
    }

    /// The blue and red chroma of a pixel, 128 where there is none.
    pub(in crate::render) fn chroma_at(&self, x: usize, y: usize) -> [u8; 2] {
        let Some(chroma) = &self.chroma else {
            return [128; 2];
        };
        let shift = usize::from(chroma.halved);
        let at = (y >> shift) * Chroma::side(chroma.halved, self.width) + (x >> shift);
        [&chroma.blue, &chroma.red].map(|plane| plane.get(at).copied().unwrap_or(128))
    }

    /// Turns samples from as stored to as shown.
    pub(in crate::render) fn turned(self, orientation: Orientation) -> Self {
        let turn = |samples: Vec<u8>, width: usize| {
            orientation.turn(Pixels {
                height: samples.len() / width.max(1),
                width,
                model: Model::Grey,
                samples,
            })
        };
        let columns = self.width;
        let luma = turn(self.luma, columns);
        let chroma = self.chroma.map(|chroma| {
            let columns = Chroma::side(chroma.halved, columns);
            Chroma {
                blue: turn(chroma.blue, columns).samples,
                red: turn(chroma.red, columns).samples,
                halved: chroma.halved,
            }
        });
        Self {
            width: luma.width,
            height: luma.height,
            luma: luma.samples,
            chroma,
        }
    }
}

/// The two planes of colour differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Chroma {
    pub(in crate::render) blue: Vec<u8>,
    pub(in crate::render) red: Vec<u8>,
    /// Whether a sample stands for 2x2 pixels, centred among them; the last of an odd side for fewer.
    pub(in crate::render) halved: bool,
}

impl Chroma {
    /// The samples along a side of `length` pixels.
    pub(in crate::render) fn side(halved: bool, length: usize) -> usize {
        if halved { length.div_ceil(2) } else { length }
    }

    /// Halves a plane of `width` columns: the means of 2x2 samples, or of as many as there are.
    pub(in crate::render) fn halve(samples: &[u8], width: usize) -> Vec<u8> {
        let mut halved = Vec::with_capacity(samples.len() / 4 + width);
        for rows in samples.chunks(2 * width.max(1)) {
            let (above, below) = rows.split_at(width.min(rows.len()));
            let below = if below.is_empty() { above } else { below };
            let pairs = above.chunks(2).zip(below.chunks(2));
            halved.extend(pairs.map(|(above, below)| {
                let sum: usize = above.iter().chain(below).map(|s| usize::from(*s)).sum();
                let count = 2 * above.len();
                u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
            }));
        }
        halved
    }
}
