//! The header and the ancillary chunks of a PNG (PNG specification, sections 11.2 and 11.3).

use super::chunks::{Chunk, Chunks};
use crate::render::orientation::Orientation;
use crate::render::source::check_size;
use crate::render::{Limits, Refusal};

/// The colour types, with the sample depths that go with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColourType {
    Grey,
    Rgb,
    Palette,
    GreyAlpha,
    Rgba,
}

impl ColourType {
    fn new(code: u8, depth: u8) -> Option<Self> {
        match (code, depth) {
            (0, 1 | 2 | 4 | 8 | 16) => Some(Self::Grey),
            (2, 8 | 16) => Some(Self::Rgb),
            (3, 1 | 2 | 4 | 8) => Some(Self::Palette),
            (4, 8 | 16) => Some(Self::GreyAlpha),
            (6, 8 | 16) => Some(Self::Rgba),
            _ => None,
        }
    }

    fn samples(self) -> u64 {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// The header of a PNG and the chunks that matter to its thumbnail.
pub(in crate::render) struct Header<'a> {
    pub(in crate::render) width: u32,
    pub(in crate::render) height: u32,
    pub(super) colour_type: ColourType,
    pub(super) depth: u8,
    pub(super) interlaced: bool,
    /// The content of PLTE; not empty if the colour type is [`ColourType::Palette`].
    pub(super) palette: &'a [u8],
    /// The content of tRNS, or empty.
    pub(super) transparency: &'a [u8],
    /// The profile of iCCP, inflated: its size bounds the memory of the conversion.
    pub(super) profile: Option<Vec<u8>>,
    pub(in crate::render) orientation: Orientation,
    /// The first IDAT chunk.
    pub(super) first: Chunk<'a>,
    /// The chunks after [`Self::first`].
    pub(super) rest: Chunks<'a>,
}

impl<'a> Header<'a> {
    /// Reads the header of `source`, which starts with the signature of a PNG.
    ///
    /// The limit is checked before anything beyond IHDR is read. Ancillary chunks of a wrong checksum are ignored.
    pub(in crate::render) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let mut chunks = Chunks::new(source);
        let first = chunks.next().ok_or(Refusal::Truncated)?;
        let mut header = Self::from_ihdr(first, chunks.clone())?;
        check_size((header.width, header.height), limits)?;
        header.read_until_picture(chunks)?;
        if header.colour_type == ColourType::Palette && header.palette.is_empty() {
            return Err(Refusal::Corrupt("no palette".to_owned()));
        }
        Ok(header)
    }

    fn from_ihdr(chunk: Chunk<'a>, rest: Chunks<'a>) -> Result<Self, Refusal> {
        if chunk.kind == *b"CgBI" {
            return Err(Refusal::Unsupported("Apple's CgBI PNG"));
        }
        if !chunk.is_whole() {
            return Err(Refusal::Truncated);
        }
        let malformed = || Refusal::Corrupt("IHDR chunk".to_owned());
        let fields: &[u8; 13] = chunk.content.try_into().map_err(|_| malformed())?;
        let [
            w0,
            w1,
            w2,
            w3,
            h0,
            h1,
            h2,
            h3,
            depth,
            colour,
            compression,
            filter,
            interlace,
        ] = *fields;
        let (width, height) = (
            u32::from_be_bytes([w0, w1, w2, w3]),
            u32::from_be_bytes([h0, h1, h2, h3]),
        );
        let sides = 1..=i32::MAX.unsigned_abs();
        if chunk.kind != *b"IHDR"
            || !chunk.is_sound()
            || !sides.contains(&width)
            || !sides.contains(&height)
            || compression != 0
            || filter != 0
            || interlace > 1
        {
            return Err(malformed());
        }
        Ok(Self {
            width,
            height,
            colour_type: ColourType::new(colour, depth).ok_or_else(malformed)?,
            depth,
            interlaced: interlace == 1,
            palette: &[],
            transparency: &[],
            profile: None,
            orientation: Orientation::default(),
            first: chunk,
            rest,
        })
    }

    /// Collects the chunks up to the first IDAT, and an eXIf behind the picture data.
    fn read_until_picture(&mut self, mut chunks: Chunks<'a>) -> Result<(), Refusal> {
        let mut profile = None;
        loop {
            let chunk = chunks.next().ok_or(Refusal::Truncated)?;
            match &chunk.kind {
                b"IDAT" => {
                    (self.first, self.rest) = (chunk, chunks.clone());
                    break;
                }
                b"PLTE" => {
                    if !chunk.is_sound() || !chunk.content.len().is_multiple_of(3) {
                        return Err(Refusal::Corrupt("PLTE chunk".to_owned()));
                    }
                    self.palette = chunk.content;
                }
                b"tRNS" if chunk.is_sound() => self.transparency = chunk.content,
                b"iCCP" if chunk.is_sound() => profile = Some(chunk.content),
                b"eXIf" => self.read_exif(&chunk),
                b"IEND" => return Err(Refusal::Corrupt("no picture data".to_owned())),
                kind if kind[0].is_ascii_uppercase() => {
                    return Err(Refusal::Corrupt("unknown critical chunk".to_owned()));
                }
                _ => {}
            }
        }
        self.profile = profile.and_then(super::profile);
        chunks
            .take_while(|chunk| chunk.kind != *b"IEND")
            .filter(|chunk| chunk.kind == *b"eXIf")
            .for_each(|chunk| self.read_exif(&chunk));
        Ok(())
    }

    fn read_exif(&mut self, chunk: &Chunk<'_>) {
        if chunk.is_sound() {
            // Some writers keep the prefix that EXIF has in a JPEG.
            let tiff = chunk
                .content
                .strip_prefix(b"Exif\0\0")
                .unwrap_or(chunk.content);
            self.orientation = Orientation::from_exif(tiff);
        }
    }

    /// Bits in a pixel.
    pub(super) fn pixel_bits(&self) -> u64 {
        self.colour_type.samples() * u64::from(self.depth)
    }
}
