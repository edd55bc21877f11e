//! The encoders of the output formats, one module each.

mod jpeg;
#[cfg(test)]
mod pictures;
mod planes;
mod png;
mod webp;

pub(super) use self::jpeg::halves_chroma;
#[cfg(test)]
pub(super) use self::planes::Chroma;
pub(super) use self::planes::Planes;
use super::orientation::Orientation;
use super::pixels::{Pixels, smallest_model};
use super::{Background, Encoding, Quality, Refusal};

/// The format of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// Lossy WebP.
    WebP,
}

impl Format {
    /// The media type of the format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// A finished output: sRGB, 8 bits a sample, no profile, no metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// The file's format.
    pub format: Format,
    /// The width in pixels, after orientation.
    pub width: u32,
    /// The height in pixels, after orientation.
    pub height: u32,
}

/// A finished output before it is encoded.
pub(super) enum Picture {
    /// Grey or RGB, with or without alpha.
    Pixels(Pixels),
    /// Luma and chroma, as lossy formats store them.
    Planes(Planes),
}

impl Picture {
    /// Applies the orientation, and reduces pixels to their smallest model.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        match self {
            Self::Pixels(pixels) => Self::Pixels(smallest_model(orientation.turn(pixels))),
            Self::Planes(planes) => Self::Planes(planes.turned(orientation)),
        }
    }

    /// Encodes the picture in `format`, with the parameters of `encoding`.
    pub(super) fn encode(self, format: Format, encoding: Encoding) -> Result<Encoded, Refusal> {
        let (quality, background) = parameters(encoding);
        let (width, height) = match &self {
            Self::Pixels(pixels) => (pixels.width, pixels.height),
            Self::Planes(planes) => (planes.width, planes.height),
        };
        let bytes = match (self, format) {
            (Self::Pixels(pixels), Format::Png) => png::encode(&pixels)?,
            (Self::Pixels(pixels), Format::Jpeg) => jpeg::encode(&pixels, quality, background)?,
            (Self::Pixels(pixels), Format::WebP) => webp::encode(&pixels, quality)?,
            (Self::Planes(planes), Format::Jpeg) => jpeg::encode_planes(&planes, quality)?,
            (Self::Planes(planes), Format::WebP) => webp::encode_planes(&planes, quality)?,
            (Self::Planes(_), Format::Png) => {
                return Err(Refusal::Unsupported("PNG of luma and chroma"));
            }
        };
        let side = |length: usize| u32::try_from(length).map_err(|_| Refusal::TooComplex("output"));
        Ok(Encoded {
            bytes,
            format,
            width: side(width)?,
            height: side(height)?,
        })
    }
}

/// An upper bound of the heap that finishing an output of this size takes beyond its planes.
pub(super) fn memory_bytes((width, height): (u32, u32), format: Format, encoding: Encoding) -> u64 {
    const FIXED: u64 = 2 << 20;
    // RGBA pixels, twice while they are turned.
    const PIXELS: u64 = 8;
    let (quality, _) = parameters(encoding);
    let pixels = u64::from(width) * u64::from(height) * PIXELS;
    let coder = match format {
        Format::Png => png::memory_bytes(width, height),
        Format::Jpeg => pixels + jpeg::memory_bytes(width, height, quality),
        Format::WebP => pixels + webp::memory_bytes(width, height, quality, true),
    };
    // The fixed part covers a thumbnail of 128x128.
    FIXED + coder.saturating_sub(128 * 128 * 48)
}

/// An upper bound of the heap that an output of this size takes while another is encoded: its pixels, or its file.
pub(super) fn waiting_bytes((width, height): (u32, u32)) -> u64 {
    // The file of a noisy picture is hardly longer than its pixels.
    const PIXEL: u64 = 5;
    u64::from(width) * u64::from(height) * PIXEL
}

fn parameters(encoding: Encoding) -> (Quality, Background) {
    match encoding {
        Encoding::Png => (Quality::default(), Background::default()),
        Encoding::WebP(quality) => (quality, Background::default()),
        Encoding::Jpeg(quality, background) | Encoding::Source(quality, background) => {
            (quality, background)
        }
    }
}
