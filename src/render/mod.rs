//! Renders a picture's bytes to a thumbnail: no I/O, no clock, no logging.
//!
//! [`Plan::new`] reads the header and knows the memory the rest will take; [`Plan::render`] does it.

mod colour;
mod components;
mod deflate;
mod encode;
mod format;
mod joined;
mod jpeg;
mod orientation;
mod output;
mod pixels;
mod png;
mod refusal;
mod resize;
mod size;
mod target;

pub use refusal::Refusal;
pub use size::MAX_SIDE;
pub use target::{
    Background, BoxSize, Encoding, Fit, InvalidTarget, MAX_BOX_SIDE, Quality, Side, Target,
};

use components::Photo;
use format::Format;

/// The pixels that a picture may have unless the operator says otherwise.
pub const DEFAULT_MAX_PIXELS: u64 = 250_000_000;

/// The operator's limits on a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width times height, as stored.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: DEFAULT_MAX_PIXELS,
        }
    }
}

impl Limits {
    /// Refuses a picture of more pixels.
    fn check(self, width: u32, height: u32) -> Result<(), Refusal> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            return Err(Refusal::TooManyPixels {
                pixels,
                limit: self.max_pixels,
            });
        }
        Ok(())
    }
}

/// What a picture's header says of the work to come; nothing is decoded yet.
pub struct Plan<'a> {
    /// Columns as stored, before orientation.
    pub width: u32,
    /// Rows as stored, before orientation.
    pub height: u32,
    picture: Picture<'a>,
}

/// The header by format.
enum Picture<'a> {
    Jpeg(Photo<'a>),
    Png(png::Header<'a>),
}

impl<'a> Plan<'a> {
    /// Recognises the format by content and reads the header.
    ///
    /// # Errors
    /// Refuses what is not a picture, not supported, over a limit, or malformed in its header.
    pub fn new(source: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        Ok(match format::recognise(source)? {
            Format::Jpeg => {
                let photo = Photo::read(source, *limits)?;
                Self {
                    width: photo.header.width,
                    height: photo.header.height,
                    picture: Picture::Jpeg(photo),
                }
            }
            Format::Png => {
                let header = png::Header::read(source, *limits)?;
                Self {
                    width: header.width,
                    height: header.height,
                    picture: Picture::Png(header),
                }
            }
        })
    }

    /// An upper bound of the heap that [`Plan::render`] takes beyond the source, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        // The finished pixels in their several forms, and the PNG encoder.
        const FINISH: u64 = 2 << 20;
        FINISH
            + match &self.picture {
                Picture::Jpeg(photo) => photo.memory_bytes(),
                Picture::Png(header) => png::memory_bytes(header),
            }
    }

    /// Decodes the picture and renders its thumbnail.
    ///
    /// # Errors
    /// Refuses what turns out truncated, corrupt or too complex while decoding.
    pub fn render(self) -> Result<Thumbnail, Refusal> {
        let (pixels, orientation) = match &self.picture {
            Picture::Jpeg(photo) => (photo.render()?, photo.orientation),
            Picture::Png(header) => (png::render(header)?, header.orientation),
        };
        let pixels = pixels::smallest_model(orientation.turn(pixels));
        encode::encode(&pixels)
    }
}

/// A finished thumbnail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// The PNG file: 8 bits a sample, no profile, no metadata.
    pub png: Vec<u8>,
    /// Columns, at most [`MAX_SIDE`].
    pub width: u32,
    /// Rows, at most [`MAX_SIDE`].
    pub height: u32,
}

/// Renders the thumbnail of the picture in `source`.
///
/// # Errors
/// As [`Plan::new`] and [`Plan::render`].
pub fn render(source: &[u8], limits: &Limits) -> Result<Thumbnail, Refusal> {
    Plan::new(source, limits)?.render()
}
