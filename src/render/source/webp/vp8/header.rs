//! The frame header (RFC 6386, sections 9 and 19.2).

use super::bool_decoder::BoolDecoder;
use super::tables::{AC_STEPS, Bands, DC_STEPS, TOKEN_UPDATES, TOKENS};
use crate::render::Refusal;

/// A key frame whose header has been read.
pub(super) struct Header<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) segments: [Segment; 4],
    /// The probabilities of a macroblock's segment, if macroblocks tell it (section 9.3).
    pub(super) segment_tree: Option<[u8; 3]>,
    pub(super) filter: Filter,
    /// The probability that a macroblock has coefficients, if macroblocks tell it (section 9.11).
    pub(super) coded: Option<u8>,
    pub(super) tokens: Box<[Bands; 4]>,
    /// The rest of the first partition: the macroblocks' modes.
    pub(super) modes: BoolDecoder<'a>,
    /// The partitions of the coefficients. Rows of macroblocks take them in turns (section 9.5).
    pub(super) partitions: Vec<BoolDecoder<'a>>,
}

/// What macroblocks of a segment have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) steps: Steps,
    /// The levels of the loop filter for macroblocks that are predicted whole, and for those whose subblocks are.
    pub(super) levels: [u8; 2],
}

/// What coefficients are multiplied with, the first of a block and the others (section 9.6 and 14.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) luma: [i32; 2],
    /// Those of the block that holds the first luma coefficients.
    pub(super) means: [i32; 2],
    pub(super) chroma: [i32; 2],
}

/// The loop filter (section 9.6 and 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) simple: bool,
    /// 0 turns it off, whatever segments say.
    pub(super) level: u8,
    pub(super) sharpness: u8,
}

/// What the header says of a segment (section 9.3).
#[derive(Clone, Copy, Default)]
struct Change {
    quantizer: i32,
    level: i32,
}

/// What the header says of the segments.
#[derive(Default)]
struct Segmentation {
    changes: Option<[Change; 4]>,
    /// Whether the changes replace the frame's values or are added to them.
    absolute: bool,
    tree: Option<[u8; 3]>,
}

impl<'a> Header<'a> {
    /// Reads the header of a frame.
    pub(super) fn read(frame: &'a [u8]) -> Result<Self, Refusal> {
        let (tag, rest) = frame.split_first_chunk().ok_or(Refusal::Truncated)?;
        let [a, b, c] = *tag;
        if a & 1 == 1 {
            return Err(Refusal::Unsupported("a WebP that starts within a video"));
        }
        let length = usize::try_from(u32::from_le_bytes([a, b, c, 0]) >> 5);
        let (start, rest) = rest.split_first_chunk::<7>().ok_or(Refusal::Truncated)?;
        let [0x9D, 0x01, 0x2A, w0, w1, h0, h1] = *start else {
            return Err(malformed());
        };
        let side = |low, high| usize::from(u16::from_le_bytes([low, high]) & 0x3FFF);
        let (width, height) = (side(w0, w1), side(h0, h1));
        if width == 0 || height == 0 {
            return Err(malformed());
        }
        let split = rest.split_at_checked(length.unwrap_or(usize::MAX));
        let (first, rest) = split.ok_or(Refusal::Truncated)?;
        let mut bits = BoolDecoder::new(first);
        // Colours of another space than Y'CbCr are reserved. Clamping isn't needed only where it changes nothing.
        if bits.flag() {
            return Err(Refusal::Unsupported("a WebP of another colour space"));
        }
        bits.flag();
        let segmentation = Segmentation::read(&mut bits);
        let filter = Filter {
            simple: bits.flag(),
            level: bits.literal(6),
            sharpness: bits.literal(3),
        };
        let adjustments = adjustments(&mut bits);
        let count = 1 << bits.literal(2);
        let partitions = partitions(rest, count)?;
        let quantizers = quantizers(&mut bits);
        let segments = segmentation.segments(&quantizers, filter.level, adjustments);
        // Whether the probabilities are kept for the next frame.
        bits.flag();
        let tokens = tokens(&mut bits);
        let coded = bits.flag().then(|| bits.literal(8));
        check(&bits)?;
        Ok(Self {
            width,
            height,
            segments,
            segment_tree: segmentation.tree,
            filter,
            coded,
            tokens,
            modes: bits,
            partitions,
        })
    }
}

/// Refuses a partition that has ended before what is read of it.
pub(super) fn check(bits: &BoolDecoder<'_>) -> Result<(), Refusal> {
    if bits.is_past_end() {
        return Err(Refusal::Corrupt("a WebP's partition is too short".into()));
    }
    Ok(())
}

impl Segmentation {
    /// Section 9.3.
    fn read(bits: &mut BoolDecoder<'_>) -> Self {
        if !bits.flag() {
            return Self::default();
        }
        let (tells_map, tells_values) = (bits.flag(), bits.flag());
        // Without values, all are zero; only a frame before could have set others.
        let (mut changes, mut absolute) = ([Change::default(); 4], true);
        if tells_values {
            absolute = bits.flag();
            for change in &mut changes {
                change.quantizer = bits.optional(7).unwrap_or(0);
            }
            for change in &mut changes {
                change.level = bits.optional(6).unwrap_or(0);
            }
        }
        let tree = tells_map.then(|| {
            let mut probability = || if bits.flag() { bits.literal(8) } else { 255 };
            [probability(), probability(), probability()]
        });
        Self {
            changes: Some(changes),
            absolute,
            tree,
        }
    }

    fn segments(
        &self,
        quantizers: &Quantizers,
        level: u8,
        adjustments: Option<[i32; 2]>,
    ) -> [Segment; 4] {
        let level = i32::from(level);
        let changes = self.changes.unwrap_or_default();
        changes.map(|change| {
            let (quantizer, level) = match (self.changes.is_some(), self.absolute) {
                (false, _) => (quantizers.base, level),
                (true, true) => (change.quantizer, change.level),
                (true, false) => (quantizers.base + change.quantizer, level + change.level),
            };
            let level = level.clamp(0, 63);
            let levels = adjustments.map_or([level; 2], |[frame, subblocks]| {
                [level + frame, level + frame + subblocks]
            });
            Segment {
                steps: quantizers.steps(quantizer),
                levels: levels.map(|level| u8::try_from(level.clamp(0, 63)).unwrap_or(0)),
            }
        })
    }
}

/// What is added to the loop filter's level in key frames, and beyond that where subblocks are predicted (section 9.6).
fn adjustments(bits: &mut BoolDecoder<'_>) -> Option<[i32; 2]> {
    bits.flag().then(|| {
        let mut deltas = [0; 8];
        if bits.flag() {
            deltas = deltas.map(|_| bits.optional(6).unwrap_or(0));
        }
        [deltas[0], deltas[4]]
    })
}

/// The partitions of the coefficients; all lengths but the last one's come first (section 9.5).
fn partitions(bytes: &[u8], count: usize) -> Result<Vec<BoolDecoder<'_>>, Refusal> {
    let split = bytes.split_at_checked(3 * (count - 1));
    let (lengths, mut rest) = split.ok_or(Refusal::Truncated)?;
    let mut partitions = Vec::with_capacity(count);
    for [a, b, c] in lengths.as_chunks().0 {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).unwrap_or(usize::MAX);
        let (partition, after) = rest.split_at_checked(length).ok_or(Refusal::Truncated)?;
        partitions.push(BoolDecoder::new(partition));
        rest = after;
    }
    partitions.push(BoolDecoder::new(rest));
    Ok(partitions)
}

/// The frame's index of quantization, and what is added to it for each kind of coefficient (section 9.6).
struct Quantizers {
    base: i32,
    luma_dc: i32,
    means: [i32; 2],
    chroma: [i32; 2],
}

fn quantizers(bits: &mut BoolDecoder<'_>) -> Quantizers {
    let base = i32::from(bits.literal(7));
    let mut delta = || bits.optional(4).unwrap_or(0);
    Quantizers {
        base,
        luma_dc: delta(),
        means: [delta(), delta()],
        chroma: [delta(), delta()],
    }
}

impl Quantizers {
    /// Section 14.1.
    fn steps(&self, index: i32) -> Steps {
        let at = |delta: i32| usize::try_from((index + delta).clamp(0, 127)).unwrap_or(0);
        let dc = |delta: i32| i32::from(DC_STEPS[at(delta)]);
        let ac = |delta: i32| i32::from(AC_STEPS[at(delta)]);
        Steps {
            luma: [dc(self.luma_dc), ac(0)],
            means: [
                dc(self.means[0]) * 2,
                (ac(self.means[1]) * 155 / 100).max(8),
            ],
            chroma: [dc(self.chroma[0]).min(132), ac(self.chroma[1])],
        }
    }
}

/// The token probabilities of the frame (section 13.4).
fn tokens(bits: &mut BoolDecoder<'_>) -> Box<[Bands; 4]> {
    let mut tokens = Box::new(TOKENS);
    let updates = TOKEN_UPDATES.as_flattened().as_flattened().as_flattened();
    let probabilities = tokens.as_flattened_mut().as_flattened_mut();
    for (probability, update) in probabilities.as_flattened_mut().iter_mut().zip(updates) {
        if bits.read(*update) {
            *probability = bits.literal(8);
        }
    }
    tokens
}

fn malformed() -> Refusal {
    Refusal::Corrupt("a WebP's frame header".to_owned())
}

#[cfg(test)]
mod tests;
