//! What the samples of a TIFF's pixels mean.

use tiff::ColorType;
use tiff::decoder::BufferLayoutPreference;
use tiff::tags::SampleFormat;

use super::directory::Directory;
use crate::render::Refusal;
use crate::render::pixels::to_sample;
use crate::render::source::samples::rounded;

const COLOUR_MAP: u16 = 320;
const EXTRA_SAMPLES: u16 = 338;

/// The meaning of a pixel's samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// Indices of up to 8 bits, and their colours.
    Indexed(u8, Vec<[u8; 4]>),
    /// The samples of a colour model.
    Colours { model: Model, width: Width },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Grey,
    GreyAlpha(Alpha),
    Rgb,
    Rgba(Alpha),
    Cmyk,
}

/// Whether colours are premultiplied by the alpha (section 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    /// Premultiplied.
    Associated,
    Unassociated,
}

/// How a sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    U8,
    U16,
    /// A float from 0 to 1.
    F32,
}

impl Model {
    pub(super) fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha(_) => 2,
            Self::Rgb => 3,
            Self::Rgba(_) | Self::Cmyk => 4,
        }
    }
}

impl Samples {
    pub(super) fn new(
        directory: &Directory<'_>,
        palette: bool,
        colour: ColorType,
        layout: &BufferLayoutPreference,
    ) -> Result<Self, Refusal> {
        let unsupported = || Refusal::Unsupported("this kind of TIFF");
        let (samples, depth) = match colour {
            ColorType::Gray(depth) => (1, depth),
            ColorType::RGB(depth) => (3, depth),
            ColorType::RGBA(depth) | ColorType::CMYK(depth) => (4, depth),
            ColorType::Multiband {
                bit_depth,
                num_samples: 2,
            } => (2, bit_depth),
            _ => return Err(unsupported()),
        };
        if layout.planes != 1 && layout.planes != samples {
            return Err(unsupported());
        }
        let indexed = samples == 1 && matches!(depth, 1 | 2 | 4 | 8);
        let integers = layout.sample_format == SampleFormat::Uint;
        if palette {
            let colours = palette_of(directory, depth)?;
            if !indexed || !integers {
                return Err(Refusal::Corrupt("a TIFF's palette".to_owned()));
            }
            return Ok(Self::Indexed(depth, colours));
        }
        if indexed && integers && depth < 8 {
            let highest = u8::MAX >> (8 - depth);
            let greys = (0..=highest).map(|value| value * (u8::MAX / highest));
            return Ok(Self::Indexed(
                depth,
                greys.map(|grey| [grey, grey, grey, u8::MAX]).collect(),
            ));
        }
        let alpha = match directory.find_short(EXTRA_SAMPLES)? {
            Some(1) => Alpha::Associated,
            _ => Alpha::Unassociated,
        };
        let model = match (colour, samples) {
            (ColorType::CMYK(_), _) => Model::Cmyk,
            (_, 1) => Model::Grey,
            (_, 2) => Model::GreyAlpha(alpha),
            (_, 3) => Model::Rgb,
            _ => Model::Rgba(alpha),
        };
        let width = match (depth, layout.sample_format) {
            (8, SampleFormat::Uint) => Width::U8,
            (16, SampleFormat::Uint) => Width::U16,
            (32, SampleFormat::IEEEFP) => Width::F32,
            _ => return Err(unsupported()),
        };
        Ok(Self::Colours { model, width })
    }
}

impl Width {
    /// Appends samples as 8-bit ones. The decoder returns them in native byte order.
    pub(super) fn convert(self, stored: &[u8], samples: &mut Vec<u8>) {
        match self {
            Self::U8 => samples.extend(stored),
            Self::U16 => {
                let words = stored.as_chunks().0.iter();
                samples.extend(words.map(|word| rounded(u16::from_ne_bytes(*word))));
            }
            Self::F32 => {
                let numbers = stored.as_chunks().0.iter();
                let numbers = numbers.map(|number| f32::from_ne_bytes(*number) * 255.0);
                samples.extend(numbers.map(to_sample));
            }
        }
    }
}

/// The colours of a palette for samples of `depth` bits.
fn palette_of(directory: &Directory<'_>, depth: u8) -> Result<Vec<[u8; 4]>, Refusal> {
    let map = directory.find(COLOUR_MAP)?;
    let map = map.ok_or(Refusal::Unsupported("this kind of TIFF"))?;
    // Some writers scale levels to 16 bits by 256 instead of 257, and some not at all: then none is above 255.
    let scaled = directory.shorts(&map).any(|level| level > 255);
    let levels = directory.shorts(&map);
    let levels = levels.map(|level| if scaled { level >> 8 } else { level });
    let levels: Vec<u8> = levels.map(|level| level.to_le_bytes()[0]).collect();
    let count = 1 << depth.min(8);
    if levels.len() != 3 * count {
        return Err(Refusal::Corrupt("a TIFF's palette".to_owned()));
    }
    let (red, rest) = levels.split_at(count);
    let (green, blue) = rest.split_at(count);
    let colours = red.iter().zip(green).zip(blue);
    Ok(colours.map(|((r, g), b)| [*r, *g, *b, u8::MAX]).collect())
}
