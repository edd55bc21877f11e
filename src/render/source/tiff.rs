//! The first picture of a TIFF (TIFF 6.0), decoded by the `tiff` crate, whole and at once.
//!
//! The crate refuses pictures with a palette. It is made to read such a picture as grey, by a changed byte of the field
//! that says so, and the palette is applied here.

mod directory;
mod model;
mod patched;

use std::io::{self, Cursor};

use tiff::decoder::{BufferLayoutPreference, Decoder};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use self::directory::Directory;
use self::model::{Alpha, Model, Samples};
use self::patched::Patched;
use super::check_size;
use super::rows::{Cover, Resizers, Rows, TakeRow};
use super::samples::{add_alpha_bytes, add_bytes, add_premultiplied_bytes};
use crate::render::orientation::Orientation;
use crate::render::pixels::Pixels;
use crate::render::resize::Grid;
use crate::render::size::{Framing, index};
use crate::render::{Limits, Refusal};

const PHOTOMETRIC: u16 = 262;
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

    fn render(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
        let resizers = Resizers::new(self, framings);
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
