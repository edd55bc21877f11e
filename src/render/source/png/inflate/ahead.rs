//! Parts of a block decoded at once, by looking ahead.

use super::codes::Codes;
use super::lanes;
use super::part::{MAX_BYTES, Part, SIZE};
use super::symbols::{self, Matches, Reached, Stop};

/// How many parts: more don't fit into registers.
const PARTS: usize = 3;

/// How much room the window must have.
pub(super) const ROOM: usize = PARTS * SIZE + symbols::ROOM;

/// How many bits a part is decoded from where it is cut, until codes fall into step.
const WARM_UP: usize = 8 * 100;

/// The shortest part that pays.
const MIN_BITS: usize = 8 << 10;

/// How many literals there must be for each match.
const LITERALS: usize = 64;

/// The fewest bytes to learn from.
const MIN_BYTES: usize = 1 << 10;

/// How many times in a row parts may fail to meet before looking ahead is given up.
const MAX_MISSES: u32 = 4;

/// Decodes a block where nearly all of its symbols are literals, as in photographs.
///
/// The data is cut into parts, and each but the first is decoded from any bit on. That is wrong, but Huffman codes fall
/// into step by themselves after some symbols (Klein and Wiseman: Parallel Huffman decoding with applications to JPEG
/// files, 2003), so that a part is taken to begin some bits later. If the one before it ends at the same bit, it was
/// right: the same bits are decoded with the same codes. If not, it is dropped.
pub(super) struct Ahead {
    /// Made when first used.
    parts: Vec<Part>,
    /// Where the block began, in all of the data.
    begun: u64,
    /// The bits of the block before.
    block: u64,
    /// The bits and bytes of the last stretch, and its matches.
    bits: usize,
    bytes: usize,
    matches: Matches,
    misses: u32,
}

impl Ahead {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = PARTS * (Part::MEMORY + size_of::<Part>());

    pub(super) fn new() -> Self {
        Self {
            parts: Vec::new(),
            begun: 0,
            block: 0,
            bits: 0,
            bytes: 0,
            matches: Matches::default(),
            misses: 0,
        }
    }

    /// A block begins at this bit of all data.
    pub(super) fn begin_block(&mut self, position: u64) {
        self.begun = position;
    }

    /// The block ends there.
    pub(super) fn end_block(&mut self, position: u64) {
        self.block = position - self.begun;
    }

    /// Learns from a stretch that was decoded.
    pub(super) fn learn(&mut self, bits: usize, bytes: usize, matches: Matches) {
        if bytes >= MIN_BYTES {
            (self.bits, self.bytes, self.matches) = (bits, bytes, matches);
        }
    }

    /// The bits of a part, if looking ahead pays where `available` bits can be seen.
    pub(super) fn part_bits(&self, position: u64, available: usize) -> Option<usize> {
        let literals = self.bytes.saturating_sub(self.matches.length);
        if literals < LITERALS * self.matches.count || self.misses >= MAX_MISSES {
            return None;
        }
        // A block is taken to be as long as the one before. If it is longer, by as much as is known, then by as much again.
        let left = self.block.abs_diff(position - self.begun);
        let bits = usize::try_from(left).unwrap_or(usize::MAX).min(available) / PARTS;
        let most = (MAX_BYTES * 3 / 4 * self.bits).checked_div(self.bytes)?;
        Some(bits.min(most)).filter(|bits| *bits >= MIN_BITS)
    }

    /// Decodes the block from bit `at` on, in parts of so many bits, all of them before `limit`.
    ///
    /// `window` has [`ROOM`] behind `end`.
    pub(super) fn decode(
        &mut self,
        codes: &Codes,
        bytes: &[u8],
        (at, part_bits, limit): (usize, usize, usize),
        window: &mut [u8],
        end: usize,
    ) -> Reached {
        if self.parts.is_empty() {
            self.parts = (0..PARTS).map(|_| Part::new()).collect();
        }
        self.begin(codes, bytes, at, part_bits, limit);
        lanes::finish(codes, bytes, &mut self.parts);
        self.join(at, window, end)
    }

    /// Finds where parts can begin.
    fn begin(&mut self, codes: &Codes, bytes: &[u8], at: usize, part_bits: usize, limit: usize) {
        for (part, start) in self.parts.iter_mut().zip((at..).step_by(part_bits)) {
            part.begin(start, limit.min(start + WARM_UP));
        }
        let Some((first, others)) = self.parts.split_first_mut() else {
            return;
        };
        lanes::finish(codes, bytes, others);
        let mut limit = limit.min(at + PARTS * part_bits);
        for part in others.iter_mut().rev() {
            part.begin(part.at, limit);
            limit = part.start;
        }
        first.begin(at, limit);
    }

    /// Writes part by part, as long as they meet.
    ///
    /// What can't be decoded is left to be met again one symbol after the other, as is all that follows it.
    fn join(&mut self, at: usize, window: &mut [u8], end: usize) -> Reached {
        let stop = Stop::Within;
        let mut reached = Reached { at, end, stop };
        let mut matches = Matches::default();
        self.misses += 1;
        for (index, part) in self.parts.iter().enumerate() {
            if part.start != reached.at {
                break;
            }
            let Some(end) = part.write(window, reached.end) else {
                self.misses = MAX_MISSES;
                break;
            };
            (reached.at, reached.end) = (part.at, end);
            matches.count += part.found.sum.count;
            matches.length += part.found.sum.length;
            match part.stop {
                Stop::Within if index < PARTS - 1 => {}
                Stop::Within => self.misses = 0,
                Stop::BlockEnd => {
                    reached.stop = Stop::BlockEnd;
                    self.misses = 0;
                    break;
                }
                Stop::Corrupt(_) => {
                    self.misses = MAX_MISSES;
                    break;
                }
            }
        }
        self.learn(reached.at - at, reached.end - end, matches);
        reached
    }
}
