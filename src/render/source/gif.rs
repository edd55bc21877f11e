//! The decoder of a GIF's first frame (the specification of `GIF89a`), row by row into the resizers.
//!
//! It is shown as browsers show it: on a transparent canvas, which grows for a larger frame. Later frames aren't read.

use weezl::decode::{Configuration, Decoder};
use weezl::{BitOrder, LzwStatus};

use super::check_size;
use super::rows::{Cover, Resizers, Rows, TakeRow};
use crate::render::orientation::Orientation;
use crate::render::pixels::Pixels;
use crate::render::resize::Grid;
use crate::render::size::{Framing, index};
use crate::render::{Limits, Refusal};

const EXTENSION: u8 = 0x21;
const GRAPHIC_CONTROL: u8 = 0xF9;
const IMAGE_DESCRIPTOR: u8 = 0x2C;
const TRAILER: u8 = 0x3B;

/// Rows of each pass of an interlaced frame: the first, and the step (appendix E).
const INTERLACED: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

/// The header of a GIF, up to the codes of its first frame.
pub(super) struct Header<'a> {
    size: (u32, u32),
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    interlaced: bool,
    /// Red, green and blue, one after the other.
    palette: &'a [u8],
    /// The index whose pixels are transparent.
    transparent: Option<u8>,
    code_size: u8,
    codes: Blocks<'a>,
}

impl<'a> Header<'a> {
    /// Reads the header of `source`.
    pub(super) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let mut bytes = Bytes(source);
        bytes.take(6)?;
        let canvas = (bytes.word()?, bytes.word()?);
        let flags = bytes.byte()?;
        bytes.take(2)?;
        check_size((canvas.0.max(1), canvas.1.max(1)), limits)?;
        let global = bytes.palette(flags)?;
        let mut transparent = None;
        loop {
            match bytes.byte()? {
                EXTENSION => {
                    let label = bytes.byte()?;
                    let mut blocks = Blocks(bytes.0);
                    let block = blocks.next().ok_or(Refusal::Truncated)?;
                    if label == GRAPHIC_CONTROL {
                        transparent = match block {
                            [flags, _, _, index, ..] if flags & 1 == 1 => Some(*index),
                            _ => None,
                        };
                    }
                    if !block.is_empty() {
                        blocks.skip_all()?;
                    }
                    bytes = Bytes(blocks.0);
                }
                IMAGE_DESCRIPTOR => break,
                TRAILER => return Err(Refusal::Corrupt("a GIF without a frame".to_owned())),
                _ => return Err(Refusal::Corrupt("a GIF's block".to_owned())),
            }
        }
        let [left, top, width, height] =
            [bytes.word()?, bytes.word()?, bytes.word()?, bytes.word()?];
        let flags = bytes.byte()?;
        let local = bytes.palette(flags)?;
        let palette = local.or(global);
        let palette = palette.ok_or(Refusal::Corrupt("no palette".to_owned()))?;
        let code_size = bytes.byte()?;
        if width == 0 || height == 0 || !(1..=11).contains(&code_size) {
            return Err(Refusal::Corrupt("a GIF's frame".to_owned()));
        }
        let size = (canvas.0.max(left + width), canvas.1.max(top + height));
        check_size(size, limits)?;
        Ok(Self {
            size,
            left: index(left),
            top: index(top),
            width: index(width),
            height: index(height),
            interlaced: flags & 0x40 != 0,
            palette,
            transparent,
            code_size,
            codes: Blocks(bytes.0),
        })
    }

    /// The 256 colours of the indices: the palette, then black; one of all may be transparent.
    fn colours(&self) -> Vec<[u8; 4]> {
        let stored = self.palette.as_chunks::<3>().0.iter().copied();
        let colours = stored.chain(std::iter::repeat([0; 3])).zip(0..=u8::MAX);
        colours
            .map(|([r, g, b], index)| {
                let alpha = if self.transparent == Some(index) {
                    0
                } else {
                    u8::MAX
                };
                [r, g, b, alpha]
            })
            .collect()
    }

    fn walk(&self, take: &mut TakeRow<'_>) -> Result<(), Refusal> {
        let mut codes = Codes {
            decoder: Configuration::new(BitOrder::Lsb, self.code_size)
                .with_yield_on_full_buffer(true)
                .build(),
            blocks: self.codes.clone(),
            block: &[],
            missing: Refusal::Truncated,
        };
        let mut row = vec![0; self.width];
        let passes: &[_] = if self.interlaced {
            &INTERLACED
        } else {
            &[(0, 1)]
        };
        for (first, step) in passes {
            for y in (*first..self.height).step_by(*step) {
                codes.read(&mut row)?;
                take(Grid::WHOLE, self.top + y, &row);
            }
        }
        Ok(())
    }
}

impl Rows for Header<'_> {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn orientation(&self) -> Orientation {
        Orientation::default()
    }

    fn profile(&self) -> Option<&[u8]> {
        None
    }

    fn decoder_bytes(&self) -> u64 {
        // A row, and the decoder's table of 4,096 codes with its buffers.
        u64::from(self.size.0) + (128 << 10)
    }

    fn in_order(&self) -> bool {
        !self.interlaced
    }

    fn render(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
        let resizers = Resizers::new(self, framings);
        let cover = Cover {
            left: self.left,
            whole: (self.width, self.height) == (index(self.size.0), index(self.size.1)),
        };
        resizers.shrink_indexed(8, &self.colours(), cover, |take| self.walk(take))
    }
}

/// The rest of a file.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Refusal::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        let (first, rest) = self.0.split_first().ok_or(Refusal::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    fn word(&mut self) -> Result<u32, Refusal> {
        let (word, rest) = self.0.split_first_chunk().ok_or(Refusal::Truncated)?;
        self.0 = rest;
        Ok(u32::from(u16::from_le_bytes(*word)))
    }

    /// A colour table, if the flags before it say that there is one.
    fn palette(&mut self, flags: u8) -> Result<Option<&'a [u8]>, Refusal> {
        if flags & 0x80 == 0 {
            return Ok(None);
        }
        self.take(3 << ((flags & 7) + 1)).map(Some)
    }
}

/// Data sub-blocks (section 15): an empty one ends them, and so does the end of the file.
#[derive(Clone)]
struct Blocks<'a>(&'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first()?;
        let (block, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some(block)
    }
}

impl Blocks<'_> {
    /// Skips the rest, the empty block included.
    fn skip_all(&mut self) -> Result<(), Refusal> {
        let end = self.find(|block| block.is_empty());
        end.map(|_| ()).ok_or(Refusal::Truncated)
    }
}

/// The LZW decoder of a frame's indices (appendix F).
struct Codes<'a> {
    decoder: Decoder,
    blocks: Blocks<'a>,
    block: &'a [u8],
    /// The refusal of a frame that has too few codes.
    missing: Refusal,
}

impl Codes<'_> {
    /// Fills a row.
    fn read(&mut self, mut row: &mut [u8]) -> Result<(), Refusal> {
        let too_little = || Refusal::Corrupt("less picture data than the header says".to_owned());
        let mut idle = false;
        while !row.is_empty() {
            let read = self.decoder.decode_bytes(self.block, row);
            self.block = self.block.get(read.consumed_in..).unwrap_or_default();
            row = row.get_mut(read.consumed_out..).unwrap_or_default();
            match read.status {
                // The decoder may report no progress although there is some, or although codes that it holds back come
                // with the next call.
                Ok(LzwStatus::NoProgress) if read.consumed_out == 0 => {
                    match self.blocks.next() {
                        Some([]) => {
                            self.blocks = Blocks(&[]);
                            self.missing = too_little();
                        }
                        Some(block) => self.block = block,
                        None if idle => return Err(self.missing.clone()),
                        None => {}
                    }
                    idle = true;
                }
                Ok(LzwStatus::Done) if !row.is_empty() => return Err(too_little()),
                Ok(_) => idle = false,
                Err(_) => return Err(Refusal::Corrupt("a GIF's codes".to_owned())),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
