//! The description of an output: its size, fit and encoding.
//!
//! Its text is a URL's query string, such as `size=200x200&fit=cover&format=webp`. The canonical form has every
//! parameter with an effect, in a fixed order, so that equal targets have equal texts.

use std::fmt;
use std::num::{NonZeroU8, NonZeroU16};
use std::str::FromStr;

/// The longest side of a [`BoxSize`], in pixels.
pub const MAX_BOX_SIDE: u16 = 8192;

/// Everything that determines the pixels and bytes of one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The box that the output fits or fills.
    pub size: BoxSize,
    /// Whether the output fits the box or fills it.
    pub fit: Fit,
    /// The output's format and its parameters.
    pub encoding: Encoding,
}

/// A box in pixels, free on at most one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoxSize {
    /// Width and height.
    Both(Side, Side),
    /// The width; the height is free.
    Width(Side),
    /// The height; the width is free.
    Height(Side),
}

/// A length of 1 to [`MAX_BOX_SIDE`] pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Side(NonZeroU16);

/// How a picture is fitted to a box; it is never enlarged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// The whole picture fits into the box.
    #[default]
    Inside,
    /// The picture is cropped evenly to the box's ratio. A box that is free on one side crops nothing.
    Cover,
}

/// An output's format, with the parameters of its encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg(Quality, Background),
    /// Lossy WebP.
    WebP(Quality),
    /// The source's format where it is one of these three, else PNG.
    Source(Quality, Background),
}

/// The quality of a lossy encoder, 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(NonZeroU8);

/// The sRGB colour behind transparent pixels, for formats without alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Background(pub [u8; 3]);

/// Why a text is no [`Target`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// A parameter is unknown.
    #[error("{0:?} is no parameter; there are size, fit, format, quality and background")]
    UnknownParameter(String),
    /// A parameter is given twice.
    #[error("{0} is given twice")]
    GivenTwice(&'static str),
    /// The parameter `size` is missing.
    #[error("size is required, such as size=200x200")]
    NoSize,
    /// The value of `size` is no box.
    #[error("size is WIDTHxHEIGHT, WIDTHx or xHEIGHT, each of 1 to {MAX_BOX_SIDE}")]
    Size,
    /// The value of `fit` is unknown.
    #[error("fit is inside or cover")]
    Fit,
    /// The value of `format` is unknown.
    #[error("format is png, jpeg, webp or source")]
    Format,
    /// The value of `quality` is out of range.
    #[error("quality is a whole number from 1 to 100")]
    Quality,
    /// The value of `background` is no colour.
    #[error("background is RRGGBB, such as FFFFFF")]
    Background,
}

impl Default for Target {
    /// A PNG that fits 128x128.
    fn default() -> Self {
        const SIDE: Side = Side(NonZeroU16::new(128).unwrap());
        Self {
            size: BoxSize::Both(SIDE, SIDE),
            fit: Fit::Inside,
            encoding: Encoding::Png,
        }
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    /// Parses parameters joined by `&`, in any order.
    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let [mut size, mut fit, mut format, mut quality, mut background] = [None; 5];
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, slot) = match name {
                "size" => ("size", &mut size),
                "fit" => ("fit", &mut fit),
                "format" => ("format", &mut format),
                "quality" => ("quality", &mut quality),
                "background" => ("background", &mut background),
                _ => return Err(InvalidTarget::UnknownParameter(name.to_owned())),
            };
            if slot.replace(value).is_some() {
                return Err(InvalidTarget::GivenTwice(name));
            }
        }
        let quality = quality.map_or(Ok(Quality::default()), str::parse)?;
        let background = background.map_or(Ok(Background::default()), str::parse)?;
        Ok(Self {
            size: size.ok_or(InvalidTarget::NoSize)?.parse()?,
            fit: match fit {
                None | Some("inside") => Fit::Inside,
                Some("cover") => Fit::Cover,
                Some(_) => return Err(InvalidTarget::Fit),
            },
            encoding: match format {
                None | Some("png") => Encoding::Png,
                Some("jpeg") => Encoding::Jpeg(quality, background),
                Some("webp") => Encoding::WebP(quality),
                Some("source") => Encoding::Source(quality, background),
                Some(_) => return Err(InvalidTarget::Format),
            },
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = match self.fit {
            Fit::Inside => "inside",
            Fit::Cover => "cover",
        };
        write!(f, "size={}&fit={fit}&format=", self.size)?;
        match self.encoding {
            Encoding::Png => f.write_str("png"),
            Encoding::Jpeg(quality, background) => {
                write!(f, "jpeg&quality={quality}&background={background}")
            }
            Encoding::WebP(quality) => write!(f, "webp&quality={quality}"),
            Encoding::Source(quality, background) => {
                write!(f, "source&quality={quality}&background={background}")
            }
        }
    }
}

impl Side {
    /// A side of so many pixels, or `None` if it is out of range.
    #[must_use]
    pub fn new(pixels: u16) -> Option<Self> {
        NonZeroU16::new(pixels)
            .filter(|pixels| pixels.get() <= MAX_BOX_SIDE)
            .map(Self)
    }

    /// The number of pixels.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get().into()
    }
}

impl FromStr for BoxSize {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let side = |text: &str| -> Result<Option<Side>, InvalidTarget> {
            if text.is_empty() {
                return Ok(None);
            }
            number(text)
                .and_then(Side::new)
                .map(Some)
                .ok_or(InvalidTarget::Size)
        };
        let (width, height) = text.split_once('x').ok_or(InvalidTarget::Size)?;
        match (side(width)?, side(height)?) {
            (Some(width), Some(height)) => Ok(Self::Both(width, height)),
            (Some(width), None) => Ok(Self::Width(width)),
            (None, Some(height)) => Ok(Self::Height(height)),
            (None, None) => Err(InvalidTarget::Size),
        }
    }
}

impl fmt::Display for BoxSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Both(width, height) => write!(f, "{}x{}", width.0, height.0),
            Self::Width(width) => write!(f, "{}x", width.0),
            Self::Height(height) => write!(f, "x{}", height.0),
        }
    }
}

impl Default for Quality {
    /// 80.
    fn default() -> Self {
        const DEFAULT: Quality = Quality(NonZeroU8::new(80).unwrap());
        DEFAULT
    }
}

impl Quality {
    /// A quality, or `None` if the number is out of range.
    #[must_use]
    pub fn new(quality: u8) -> Option<Self> {
        NonZeroU8::new(quality)
            .filter(|quality| quality.get() <= 100)
            .map(Self)
    }

    /// The number, 1 to 100.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl FromStr for Quality {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let quality = number(text).and_then(|number| u8::try_from(number).ok());
        quality.and_then(Self::new).ok_or(InvalidTarget::Quality)
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for Background {
    /// White.
    fn default() -> Self {
        Self([u8::MAX; 3])
    }
}

impl FromStr for Background {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let digits = text.len() == 6 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let colour = u32::from_str_radix(text, 16).ok().filter(|_| digits);
        let [_, red, green, blue] = colour.ok_or(InvalidTarget::Background)?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "{red:02X}{green:02X}{blue:02X}")
    }
}

/// Parses digits only; `parse` alone would accept a sign.
fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests;
