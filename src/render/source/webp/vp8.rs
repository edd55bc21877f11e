//! A decoder for the key frames of VP8, which a lossy WebP is (RFC 6386).
//!
//! A frame is decoded in one pass over its macroblocks, of which one row and the last samples of the row above are held, and
//! rows are handed on as soon as they are finished. The modules mirror the format:
//! - `bool_decoder`: the entropy-coded partitions. `header`: what the first one begins with. `tables`: its constants.
//! - `modes` and `tokens`: what is coded of a macroblock, its prediction and its coefficients.
//! - `transform`, `predict` and `subblock`: from there to samples.
//! - `band`: the samples that are held. `loop_filter` smooths them.
//! - `upsample`: pixels from luma and chroma.
//!
//! What decodes without an error is whole: nothing is filled in, but for a last byte of zeros that coders may leave out.

#![expect(
    clippy::inline_always,
    reason = "the bool decoder stays in registers, and blocks in vectors, only if what hot loops call is inlined"
)]
#![expect(
    clippy::redundant_else,
    reason = "what `branch!` goes on with may return"
)]

mod band;
mod bool_decoder;
#[cfg(test)]
mod coder;
mod header;
mod loop_filter;
mod modes;
mod predict;
mod subblock;
mod tables;
mod tokens;
mod transform;
mod upsample;

use std::ops::Range;

use self::band::Band;
use self::header::{Header, check};
use self::loop_filter::Strength;
use self::modes::{Luma, Modes};
use self::predict::{Block, Neighbours};
use self::tokens::{Nodes, Residue};
use self::upsample::{Stored, Upsampler};
use crate::render::Refusal;

/// An upper bound of the heap that decoding takes.
pub(super) fn memory_bytes(width: u32) -> u64 {
    let columns = u64::from(width).div_ceil(16);
    let column = (size_of::<Above>() + size_of::<Strength>()) as u64;
    let fixed = (size_of::<Header<'_>>() + size_of::<Nodes>() + size_of::<Residue>() + 4096) as u64;
    Band::memory_bytes(columns)
        + columns * column
        + Upsampler::memory_bytes(u64::from(width))
        + fixed
}

/// Decodes a frame, and hands on its rows of red, green and blue samples from top to bottom.
pub(super) fn decode_rgb(frame: &[u8], mut take: impl FnMut(usize, &[u8])) -> Result<(), Refusal> {
    let header = Header::read(frame)?;
    let mut upsampler = Upsampler::new(header.width);
    let last = header.height.div_ceil(2) - 1;
    decode(header, [false, true], |band, _, rows| {
        for y in rows {
            let near = y / 2;
            let next = if y.is_multiple_of(2) {
                near.saturating_sub(1)
            } else {
                (near + 1).min(last)
            };
            let ([blue, red], [next_blue, next_red]) = (band.chroma(near), band.chroma(next));
            let row = upsampler.row(&Stored {
                luma: band.luma(y),
                chroma: [[blue, next_blue], [red, next_red]],
            });
            take(y, row);
        }
    })
}

/// Decodes a frame, and hands on the rows of luma, blue and red differences, numbered 0 to 2, each from top to bottom; before
/// the loop filter and after it, as `wanted` says.
pub(super) fn decode_planes(
    frame: &[u8],
    wanted: [bool; 2],
    mut take: impl FnMut(usize, bool, &[u8]),
) -> Result<(), Refusal> {
    let header = Header::read(frame)?;
    let width = header.width;
    decode(header, wanted, |band, filtered, rows| {
        for y in rows.clone() {
            take(0, filtered, band.luma(y).get(..width).unwrap_or_default());
        }
        for y in rows.start / 2..rows.end.div_ceil(2) {
            for (component, row) in (1..).zip(band.chroma(y)) {
                let row = row.get(..width.div_ceil(2)).unwrap_or_default();
                take(component, filtered, row);
            }
        }
    })
}

/// Decodes a frame, and hands on the band after each row of macroblocks with the rows that are new, before the loop filter and
/// after it, as `wanted` says.
fn decode(
    header: Header<'_>,
    [unfiltered, filtered]: [bool; 2],
    mut take: impl FnMut(&Band, bool, Range<usize>),
) -> Result<(), Refusal> {
    let height = header.height;
    let mut decoder = Decoder::new(header);
    for y in 0..height.div_ceil(16) {
        decoder.read_row(y)?;
        if unfiltered {
            take(&decoder.band, false, y * 16..height.min(y * 16 + 16));
        }
        if filtered {
            decoder.filter(y);
            take(&decoder.band, true, decoder.band.finished(height));
        }
    }
    Ok(())
}

/// A frame on its way.
struct Decoder<'a> {
    header: Header<'a>,
    nodes: Box<Nodes>,
    above: Vec<Above>,
    strengths: Vec<Strength>,
    residue: Residue,
    band: Band,
}

/// What is kept of the macroblock above.
#[derive(Clone)]
struct Above {
    luma: [u8; 16],
    chroma: [[u8; 8]; 2],
    modes: modes::Edge,
    tokens: tokens::Edge,
}

/// What is kept of the macroblock to the left.
struct Left {
    luma: Block<16>,
    chroma: [Block<8>; 2],
    modes: modes::Edge,
    tokens: tokens::Edge,
}

impl Left {
    /// What stands to the left of the picture.
    fn new(has_above: bool) -> Self {
        Self {
            luma: Block::before_row(has_above),
            chroma: [Block::before_row(has_above), Block::before_row(has_above)],
            modes: modes::Edge::default(),
            tokens: tokens::Edge::NONE,
        }
    }
}

/// What stands above the picture.
const NOTHING_ABOVE: Above = Above {
    luma: [127; 16],
    chroma: [[127; 8]; 2],
    modes: [modes::SubblockMode::Mean; 4],
    tokens: tokens::Edge::NONE,
};

impl<'a> Decoder<'a> {
    fn new(header: Header<'a>) -> Self {
        let columns = header.width.div_ceil(16);
        Self {
            nodes: Box::new(Nodes::new(&header.tokens)),
            above: vec![NOTHING_ABOVE; columns],
            strengths: vec![Strength::default(); columns],
            residue: Residue::default(),
            band: Band::new(columns),
            header,
        }
    }

    /// Decodes the next row of macroblocks, which is number `y`.
    fn read_row(&mut self, y: usize) -> Result<(), Refusal> {
        if y > 0 {
            self.band.advance();
        }
        let turn = y % self.header.partitions.len();
        let mut left = Left::new(y > 0);
        for x in 0..self.above.len() {
            self.read_macroblock((x, y), turn, &mut left)?;
        }
        check(&self.header.modes)?;
        self.header.partitions.get(turn).map_or(Ok(()), check)
    }

    /// Decodes a macroblock, its coefficients from the partition whose turn it is.
    #[inline(always)]
    fn read_macroblock(
        &mut self,
        (x, y): (usize, usize),
        turn: usize,
        left: &mut Left,
    ) -> Result<(), Refusal> {
        let header = &mut self.header;
        let coefficients = header.partitions.get_mut(turn).ok_or(Refusal::Truncated)?;
        // Beyond the last macroblock its last sample goes on.
        let right = self.above.get(x + 1).map(|above| above.luma);
        let above = self.above.get_mut(x).ok_or(Refusal::Truncated)?;
        let right = right.map_or([above.luma[15]; 4], |[a, b, c, d, ..]| [a, b, c, d]);
        let tree = (header.segment_tree, header.coded);
        let modes = Modes::read(&mut header.modes, tree, &mut above.modes, &mut left.modes);
        let segment = &header.segments[modes.segment & 3];
        let has_means = matches!(modes.luma, Luma::Whole(_));
        let edges = (&mut above.tokens, &mut left.tokens);
        let has_residue = if modes.coded {
            let (nodes, steps) = (&self.nodes, &segment.steps);
            self.residue
                .read(coefficients, nodes, steps, has_means, edges)
        } else {
            edges.0.clear(has_means);
            edges.1.clear(has_means);
            false
        };
        if let Some(strength) = self.strengths.get_mut(x) {
            *strength = Strength::new(segment, &modes, has_residue);
        }
        let neighbours = Neighbours {
            above: y > 0,
            left: x > 0,
        };
        let (luma, chroma) = self.band.planes();
        let block = &mut left.luma;
        block.advance(above.luma);
        block.reconstruct(&modes.luma, neighbours, right, &mut self.residue);
        luma.put(x, &block.rows);
        above.luma = block.rows[15];
        let blocks = left.chroma.iter_mut().zip(&mut above.chroma);
        for (index, ((block, above), plane)) in blocks.zip(chroma).enumerate() {
            block.advance(*above);
            block.reconstruct(modes.chroma, neighbours, index, &mut self.residue);
            plane.put(x, &block.rows);
            *above = block.rows[7];
        }
        if has_residue {
            self.residue.clear();
        }
        Ok(())
    }

    /// Filters the newest row of macroblocks, which is number `y`.
    fn filter(&mut self, y: usize) {
        let filter = self.header.filter;
        if filter.level > 0 {
            filter.apply(&mut self.band, &self.strengths, y > 0);
        }
    }
}
