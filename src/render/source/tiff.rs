//! The first picture of a TIFF (TIFF 6.0), decoded by the `tiff` crate, whole and at once.
//!
//! The crate refuses pictures with a palette. It is made to read such a picture as grey, by a changed byte of the field
//! that says so, and the palette is applied here.

mod directory;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use tiff::decoder::{BufferLayoutPreference, Decoder, Limits as DecoderLimits};
use tiff::tags::{SampleFormat, Tag};
use tiff::{ColorType, TiffError};

use self::directory::Directory;
use super::check_size;
use super::rows::{Cover, Resizers, Rows, TakeRow};
use super::samples::{add_alpha_bytes, add_bytes, add_premultiplied_bytes, rounded};
use crate::render::orientation::Orientation;
use crate::render::pixels::Pixels;
use crate::render::resize::Grid;
use crate::render::size::index;
use crate::render::{Limits, Refusal};

const PHOTOMETRIC: u16 = 262;
const COLOUR_MAP: u16 = 320;
const EXTRA_SAMPLES: u16 = 338;
const ICC_PROFILE: u16 = 34675;
/// The fields that the decoder reads into lists, at 32 bytes a number.
const READ: [u16; 19] = [
    256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339, 530,
];
/// The value of PHOTOMETRIC for greys whose highest value is white.
const BLACK_IS_ZERO: u8 = 1;
/// The value of PHOTOMETRIC for a palette.
const PALETTE: u16 = 3;

/// The most strips or tiles, each of which costs a decoder of its own.
const MAX_CHUNKS: u64 = 1 << 16;
/// The bytes that strips or tiles may hold beyond the picture: padding and samples that aren't shown are decoded too.
const MAX_UNSHOWN: u64 = 64 << 20;
/// The longest list of numbers in a field: one for each strip or tile.
const MAX_FIELD_BYTES: usize = 4 * (1 << 16);

/// The header of a TIFF.
pub(super) struct Header<'a> {
    source: Patched<'a>,
    size: (u32, u32),
    orientation: Orientation,
    profile: Option<&'a [u8]>,
    samples: Samples,
    /// Bytes of a row of one plane, and of all planes of all rows.
    row: usize,
    bytes: usize,
    planes: usize,
    /// Bytes of a row of a strip or tile, with its padding and samples that aren't shown.
    chunk_row: u64,
    /// The heap that the decoder takes for the directory.
    directory_bytes: u64,
}

/// The meaning of a pixel's samples.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Samples {
    /// Indices of up to 8 bits, and their colours.
    Indexed(u8, Vec<[u8; 4]>),
    /// The samples of a colour model.
    Colours { model: Model, width: Width },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    Grey,
    GreyAlpha(Alpha),
    Rgb,
    Rgba(Alpha),
    Cmyk,
}

/// Whether colours are premultiplied by the alpha (section 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alpha {
    /// Premultiplied.
    Associated,
    Unassociated,
}

/// How a sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    U8,
    U16,
    /// A float from 0 to 1.
    F32,
}

impl Model {
    fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha(_) => 2,
            Self::Rgb => 3,
            Self::Rgba(_) | Self::Cmyk => 4,
        }
    }
}

impl<'a> Header<'a> {
    /// Reads the first directory of `source`.
    pub(super) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let directory = Directory::read(source)?;
        let mut list_bytes = 0;
        for field in READ {
            list_bytes += directory.checked_length(field, MAX_FIELD_BYTES)? as u64;
        }
        let photometric = directory.find(PHOTOMETRIC)?;
        let palette = directory.find_short(PHOTOMETRIC)? == Some(PALETTE);
        let source = Patched {
            cursor: Cursor::new(source),
            patch: photometric.filter(|_| palette).map(|field| {
                let low = u64::from(!source.starts_with(b"II"));
                (field.position as u64 + low, BLACK_IS_ZERO)
            }),
        };
        let mut decoder = source.decoder(limits)?;
        let size = decoder.dimensions().map_err(|error| refusal(&error))?;
        check_size(size, limits)?;
        let chunks = decoder.strip_count().or_else(|_| decoder.tile_count());
        let chunks = u64::from(chunks.map_err(|error| refusal(&error))?);
        if chunks > MAX_CHUNKS {
            return Err(Refusal::TooComplex("a TIFF of more than 65,536 parts"));
        }
        let colour = decoder.colortype().map_err(|error| refusal(&error))?;
        let layout = decoder
            .image_buffer_layout()
            .map_err(|error| refusal(&error))?;
        let samples = Samples::new(&directory, palette, colour, &layout)?;
        let chunk_row = chunk_row_bytes(&mut decoder, colour, &layout)?;
        let chunk_rows = u64::from(decoder.chunk_dimensions().1.min(size.1));
        if chunk_row.saturating_mul(chunk_rows).saturating_mul(chunks)
            > (layout.complete_len as u64).saturating_mul(2) + MAX_UNSHOWN
        {
            return Err(Refusal::TooComplex("a TIFF's padding"));
        }
        Ok(Self {
            size,
            orientation: Orientation::from_exif(source.cursor.get_ref()),
            profile: directory.find(ICC_PROFILE)?.map(|field| field.bytes),
            samples,
            row: layout.row_stride.map_or(0, usize::from),
            bytes: layout.complete_len,
            planes: layout.planes,
            chunk_row,
            directory_bytes: directory.fields() * 64 + list_bytes * 40 + chunks * 64,
            source,
        })
    }

    fn walk(&self, take: &mut TakeRow<'_>) -> Result<(), Refusal> {
        let mut decoder = self.source.decoder(Limits::default())?;
        let mut stored = vec![0; self.bytes];
        decoder
            .read_image_bytes(&mut stored)
            .map_err(|error| refusal(&error))?;
        let (row, height) = (self.row.max(1), index(self.size.1));
        let Samples::Colours { model, width } = self.samples else {
            for (y, row) in stored.chunks_exact(row).take(height).enumerate() {
                take(Grid::WHOLE, y, row);
            }
            return Ok(());
        };
        let mut bytes = Vec::with_capacity(index(self.size.0) * model.samples());
        let mut planes: Vec<_> = stored
            .chunks_exact(row * height)
            .map(|plane| plane.chunks_exact(row))
            .collect();
        for y in 0..height {
            bytes.clear();
            if let [plane] = &mut *planes {
                width.convert(plane.next().unwrap_or_default(), &mut bytes);
            } else {
                bytes.resize(index(self.size.0) * self.planes, 0);
                let mut samples = Vec::with_capacity(index(self.size.0));
                for (first, plane) in planes.iter_mut().enumerate() {
                    samples.clear();
                    width.convert(plane.next().unwrap_or_default(), &mut samples);
                    let slots = bytes.iter_mut().skip(first).step_by(self.planes);
                    for (slot, sample) in slots.zip(&samples) {
                        *slot = *sample;
                    }
                }
            }
            take(Grid::WHOLE, y, &bytes);
        }
        Ok(())
    }
}

/// Bytes of a row of a strip or tile.
fn chunk_row_bytes(
    decoder: &mut Decoder<Patched<'_>>,
    colour: ColorType,
    layout: &BufferLayoutPreference,
) -> Result<u64, Refusal> {
    let mut find = |tag| {
        let number = decoder.find_tag_unsigned::<u32>(tag);
        number.map_err(|error| refusal(&error))
    };
    let stored = match find(Tag::SamplesPerPixel)?.unwrap_or(1) {
        _ if layout.planes > 1 => 1,
        samples => samples,
    };
    // The decoder doesn't know of bits that are stored from the lowest to the highest.
    if find(Tag::FillOrder)? == Some(2) {
        return Err(Refusal::Unsupported("this kind of TIFF"));
    }
    let predicted = find(Tag::Predictor)?.is_some_and(|predictor| predictor != 1);
    // The decoder drops samples that aren't shown before it undoes the prediction, which then adds up the wrong ones.
    if predicted && layout.planes == 1 && stored != u32::from(colour.num_samples()) {
        return Err(Refusal::Unsupported("this kind of TIFF"));
    }
    let bits = u64::from(stored) * u64::from(colour.bit_depth());
    let columns = u64::from(decoder.chunk_dimensions().0);
    Ok(columns.saturating_mul(bits).div_ceil(8))
}

impl Samples {
    fn new(
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
            let map = directory.find(COLOUR_MAP)?.ok_or_else(unsupported)?;
            // Some writers scale levels to 16 bits by 256 instead of 257, and some not at all: then none is above 255.
            let shift = if directory.shorts(&map).any(|level| level > 255) {
                8
            } else {
                0
            };
            let levels = directory.shorts(&map).map(|level| level >> shift);
            let colours: Vec<u8> = levels
                .map(|level| u8::try_from(level).unwrap_or(u8::MAX))
                .collect();
            let count = 1 << depth.min(8);
            if !indexed || !integers || colours.len() != 3 * count {
                return Err(Refusal::Corrupt("a TIFF's palette".to_owned()));
            }
            let (red, rest) = colours.split_at(count);
            let (green, blue) = rest.split_at(count);
            let colours = red.iter().zip(green).zip(blue);
            let colours = colours.map(|((r, g), b)| [*r, *g, *b, u8::MAX]);
            return Ok(Self::Indexed(depth, colours.collect()));
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
    fn convert(self, stored: &[u8], samples: &mut Vec<u8>) {
        match self {
            Self::U8 => samples.extend(stored),
            Self::U16 => {
                let words = stored.as_chunks().0.iter();
                samples.extend(words.map(|word| rounded(u16::from_ne_bytes(*word))));
            }
            Self::F32 => {
                let numbers = stored.as_chunks().0.iter();
                let numbers = numbers.map(|number| f32::from_ne_bytes(*number) * 255.0);
                samples.extend(numbers.map(crate::render::pixels::to_sample));
            }
        }
    }
}

impl Rows for Header<'_> {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn orientation(&self) -> Orientation {
        self.orientation
    }

    fn profile(&self) -> Option<&[u8]> {
        self.profile
    }

    fn decoder_bytes(&self) -> u64 {
        // The picture, rows as they are stored and converted, and a decompressor.
        let rows = u64::from(self.size.0) * 16 * 4;
        self.bytes as u64 + rows + self.chunk_row + self.directory_bytes + (512 << 10)
    }

    fn in_order(&self) -> bool {
        true
    }

    fn render(&self, resizers: &Resizers<'_>) -> Result<Vec<Pixels>, Refusal> {
        let walk = |take: &mut TakeRow<'_>| self.walk(take);
        let model = match &self.samples {
            Samples::Indexed(depth, colours) => {
                return resizers.shrink_indexed(*depth, colours, Cover::WHOLE, walk);
            }
            Samples::Colours { model, .. } => *model,
        };
        match model {
            Model::Grey => resizers.shrink(1, add_bytes::<1>, walk),
            Model::GreyAlpha(Alpha::Unassociated) => {
                resizers.shrink(255, add_alpha_bytes::<2>, walk)
            }
            Model::GreyAlpha(Alpha::Associated) => {
                resizers.shrink(255, add_premultiplied_bytes::<2>, walk)
            }
            Model::Rgb => resizers.shrink(1, add_bytes::<3>, walk),
            Model::Rgba(Alpha::Unassociated) => resizers.shrink(255, add_alpha_bytes::<4>, walk),
            Model::Rgba(Alpha::Associated) => {
                resizers.shrink(255, add_premultiplied_bytes::<4>, walk)
            }
            Model::Cmyk => resizers.shrink_cmyk(255, add_premultiplied_bytes::<4>, walk),
        }
    }
}

/// A file in which one byte may be replaced.
#[derive(Clone)]
struct Patched<'a> {
    cursor: Cursor<&'a [u8]>,
    patch: Option<(u64, u8)>,
}

impl Patched<'_> {
    fn decoder(&self, limits: Limits) -> Result<Decoder<Self>, Refusal> {
        let mut bounds = DecoderLimits::default();
        // The pixel limit bounds what is decoded, and the estimate its memory.
        bounds.decoding_buffer_size =
            usize::try_from(limits.max_pixels.saturating_mul(16)).unwrap_or(usize::MAX);
        bounds.intermediate_buffer_size = usize::MAX;
        let decoder = Decoder::new(self.clone()).map_err(|error| refusal(&error))?;
        Ok(decoder.with_limits(bounds))
    }
}

impl Read for Patched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.cursor.position();
        let read = self.cursor.read(buffer)?;
        if let Some((position, byte)) = self.patch {
            let offset = position.checked_sub(start);
            let offset = offset.and_then(|offset| usize::try_from(offset).ok());
            let read = buffer.get_mut(..read).unwrap_or_default();
            if let Some(slot) = offset.and_then(|offset| read.get_mut(offset)) {
                *slot = byte;
            }
        }
        Ok(read)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.cursor.seek(position)
    }
}

fn refusal(error: &TiffError) -> Refusal {
    match error {
        TiffError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated
        }
        TiffError::UnsupportedError(_) => Refusal::Unsupported("this kind of TIFF"),
        TiffError::LimitsExceeded => Refusal::TooComplex("a TIFF's fields"),
        error => Refusal::Corrupt(error.to_string()),
    }
}
