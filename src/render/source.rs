//! What comes in: each format has a room of its own, which reads the header, knows the memory that decoding takes, and decodes
//! once for all targets, row by row into their resizers.

mod format;
mod jpeg;
mod png;

use self::format::SourceFormat;
use super::orientation::Orientation;
use super::output::{Format, Picture};
use super::size::Framing;
use super::{Encoding, Limits, Refusal, Target};

/// A picture whose header has been read.
pub(super) enum Source<'a> {
    Jpeg(jpeg::Photo<'a>),
    Png(png::Header<'a>, Vec<Framing>),
}

impl<'a> Source<'a> {
    /// Recognises the format by content and reads the header.
    pub(super) fn read(
        bytes: &'a [u8],
        limits: Limits,
        targets: &[Target],
    ) -> Result<Self, Refusal> {
        match format::recognise(bytes)? {
            SourceFormat::Jpeg => jpeg::Photo::read(bytes, limits, targets).map(Self::Jpeg),
            SourceFormat::Png => {
                let header = png::Header::read(bytes, limits)?;
                let frame = |target| {
                    header
                        .orientation
                        .frame(header.width, header.height, target)
                };
                let framings = targets.iter().map(frame).collect();
                Ok(Self::Png(header, framings))
            }
        }
    }

    /// Columns and rows as stored.
    pub(super) fn size(&self) -> (u32, u32) {
        match self {
            Self::Jpeg(photo) => (photo.header.width, photo.header.height),
            Self::Png(header, _) => (header.width, header.height),
        }
    }

    /// How it is turned to be shown.
    pub(super) fn orientation(&self) -> Orientation {
        match self {
            Self::Jpeg(photo) => photo.orientation,
            Self::Png(header, _) => header.orientation,
        }
    }

    /// The size of each target's output, not yet turned.
    pub(super) fn output_sizes(&self) -> Vec<(u32, u32)> {
        match self {
            Self::Jpeg(photo) => photo.sizes().collect(),
            Self::Png(_, framings) => framings.iter().map(Framing::size).collect(),
        }
    }

    /// The format that a target asks for.
    pub(super) fn format_of(&self, target: &Target) -> Format {
        match (target.encoding, self) {
            (Encoding::Jpeg(..), _) | (Encoding::Source(..), Self::Jpeg(_)) => Format::Jpeg,
            (Encoding::WebP(_), _) => Format::WebP,
            (Encoding::Png, _) | (Encoding::Source(..), Self::Png(..)) => Format::Png,
        }
    }

    /// An upper bound of the heap that [`Self::render`] takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        match self {
            Self::Jpeg(photo) => photo.memory_bytes(),
            Self::Png(header, framings) => png::memory_bytes(header, framings),
        }
    }

    /// Decodes, and hands on a picture for each target, with its index and not yet turned.
    pub(super) fn render(
        &self,
        take: &mut impl FnMut(usize, Picture) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Jpeg(photo) => photo.render(take),
            Self::Png(header, framings) => {
                let rendered = png::render(header, framings)?;
                for (index, pixels) in rendered.into_iter().enumerate() {
                    take(index, Picture::Pixels(pixels))?;
                }
                Ok(())
            }
        }
    }
}
