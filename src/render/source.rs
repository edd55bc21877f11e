//! The decoders of the source formats, one module each.
//!
//! Each reads the header, bounds the memory that decoding takes, and decodes once for all targets, row by row into
//! their resizers.
//!
//! # Why JPEG, PNG and lossy WebP don't go through the image crate
//!
//! It decodes whole pictures at full size, and gives no bound of the memory beforehand. A thumbnail needs a fraction of
//! a JPEG's coefficients, and of any picture a few rows at a time. CPU time and peak memory of the process on pictures
//! of 12 megapixels, for the whole thumbnail here and for decoding alone in image 0.25 (`image::load_from_memory`):
//!
//! | file | here | image crate |
//! | --- | --- | --- |
//! | JPEG, baseline, quality 85, 3.7 MB | 12 ms, 7 MB | 79 ms, 46 MB |
//! | the same, progressive, 3.5 MB | 5 ms, 8 MB | 188 ms, 81 MB |
//! | PNG, RGB, 25 MB | 57 ms, 30 MB | 122 ms, 63 MB |
//! | WebP, lossy, 3.2 MB | 182 ms, 7 MB | 413 ms, 65 MB |
//!
//! The other formats are rarer, and the crate's own decoders are good enough for them.

mod bmp;
mod format;
mod gif;
mod jpeg;
mod planes;
mod png;
mod rows;
mod samples;
mod tiff;
mod webp;

pub use self::format::{SourceFormat, SourceFormats};

use self::rows::Rows;
use super::orientation::Orientation;
use super::output::{Format, Picture};
use super::size::Framing;
use super::{Encoding, Limits, Refusal, Target};

/// The longest side that is read, which is libpng's default too: memory grows with the length of a row.
const MAX_SIDE: u32 = 1_000_000;

/// A picture whose header has been read.
pub(super) enum Source<'a> {
    /// Decoded in blocks, at a size that depends on the target.
    Jpeg(jpeg::Photo<'a>),
    /// Decoded in rows, with the framing of each target.
    Rows(SourceFormat, Box<dyn Rows + 'a>, Vec<Framing>),
}

impl<'a> Source<'a> {
    /// Recognises the format by content and reads the header.
    pub(super) fn read(
        bytes: &'a [u8],
        limits: Limits,
        targets: &[Target],
    ) -> Result<Self, Refusal> {
        let format = format::recognise(bytes, limits.formats)?;
        let rows: Box<dyn Rows + 'a> = match format {
            SourceFormat::Jpeg => {
                return jpeg::Photo::read(bytes, limits, targets).map(Self::Jpeg);
            }
            SourceFormat::Png => Box::new(png::Header::read(bytes, limits)?),
            SourceFormat::WebP => Box::new(webp::Header::read(bytes, limits)?),
            SourceFormat::Gif => Box::new(gif::Header::read(bytes, limits)?),
            SourceFormat::Bmp => Box::new(bmp::Header::read(bytes, limits)?),
            SourceFormat::Tiff => Box::new(tiff::Header::read(bytes, limits)?),
        };
        let (width, height) = rows.size();
        let orientation = rows.orientation();
        let framings = targets
            .iter()
            .map(|target| orientation.frame(width, height, target));
        let framings = framings.collect();
        Ok(Self::Rows(format, rows, framings))
    }

    /// Columns and rows as stored.
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Jpeg(photo) => (photo.header.width, photo.header.height),
            Self::Rows(_, rows, _) => rows.size(),
        }
    }

    /// The orientation in which it is shown.
    pub(super) fn orientation(&self) -> Orientation {
        match self {
            Self::Jpeg(photo) => photo.orientation,
            Self::Rows(_, rows, _) => rows.orientation(),
        }
    }

    /// The size of each target's output, before orientation.
    pub(super) fn output_sizes(&self) -> Vec<(u32, u32)> {
        match self {
            Self::Jpeg(photo) => photo.sizes().collect(),
            Self::Rows(_, _, framings) => framings.iter().map(Framing::size).collect(),
        }
    }

    /// The output format that a target asks for.
    pub(super) fn format_of(&self, target: &Target) -> Format {
        match (target.encoding, self) {
            (Encoding::Jpeg(..), _) | (Encoding::Source(..), Self::Jpeg(_)) => Format::Jpeg,
            (Encoding::WebP(_), _) | (Encoding::Source(..), Self::Rows(SourceFormat::WebP, ..)) => {
                Format::WebP
            }
            (Encoding::Png | Encoding::Source(..), _) => Format::Png,
        }
    }

    /// An upper bound of the heap that [`Self::render`] takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        match self {
            Self::Jpeg(photo) => photo.memory_bytes(),
            Self::Rows(_, rows, framings) => rows.decoder_bytes() + rows.resizer_bytes(framings),
        }
    }

    /// Decodes the picture, and passes each target's index and output, before orientation, to `take`.
    pub(super) fn render(
        &self,
        take: &mut impl FnMut(usize, Picture) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Jpeg(photo) => photo.render(take),
            Self::Rows(_, rows, framings) => {
                for (index, pixels) in rows.render(framings)?.into_iter().enumerate() {
                    take(index, Picture::Pixels(pixels))?;
                }
                Ok(())
            }
        }
    }
}

/// Refuses a picture over the operator's limit, or one with a side over [`MAX_SIDE`].
fn check_size((width, height): (u32, u32), limits: Limits) -> Result<(), Refusal> {
    limits.check(width, height)?;
    if width.max(height) > MAX_SIDE {
        return Err(Refusal::TooComplex("a side of more than 1,000,000 pixels"));
    }
    Ok(())
}
