//! Where the blocks of a scan begin, found for many blocks ahead.

use std::ops::Range;

use super::{
    super::bits::Bits,
    Decoder, Place,
    chains::Codes,
    part::{MAX_BLOCKS, Part, Row},
    plain::{Bytes, CAPACITY, Plain},
};

/// How many parts the data is cut into at a time.
const PARTS: usize = 6;

/// How many of them are followed at once: more don't fit into registers.
const LANES: usize = 3;

/// How far a part is followed into the next at most, in bytes. Of photographs, 99 of 100 meet within half of it.
const MAX_OVERLAP: usize = 1 << 10;

/// How often a part begins anew before it is left out.
const MAX_RETRIES: u32 = 100;

/// How many times in a row parts may fail to meet before looking ahead is given up.
const MAX_MISSES: u32 = 4;

/// From what size on it is worth while to look ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    /// How many blocks a scan must have.
    pub(super) blocks: u64,
    /// How many bytes of its data must be left.
    pub(super) bytes: usize,
    /// How long a part is at most, and at first.
    pub(super) part: usize,
}

impl Worth {
    /// Below, the tables cost more than is won.
    pub(super) const MEASURED: Self = Self {
        blocks: 12 << 10,
        bytes: 8 << 10,
        part: CAPACITY / PARTS,
    };
}

/// Finds where blocks begin.
///
/// The data is cut into parts, and each but the first is decoded as if a unit began where it begins. That is wrong, but
/// Huffman codes fall into step by themselves after some blocks (Klein and Wiseman: Parallel Huffman decoding with
/// applications to JPEG files, 2003). Each part is followed into the next; if it comes upon a bit where a block of the
/// next one began too, in the same place of a unit, then all that the next one found from there on is right: the same
/// bits are decoded with the same tables. (Places with the same tables are the same place, if all units repeat them.) If it doesn't, what the next one found is dropped.
///
/// Nothing is found from a marker or a fault on: there [`Ahead::bits`] takes over, and tells what is wrong.
pub(super) struct Ahead<'s, 't> {
    source: &'s [u8],
    codes: Codes<'t>,
    plain: Plain,
    parts: Vec<Part>,
    /// What was found: blocks of parts, the next ones last.
    found: Vec<(usize, Range<usize>)>,
    /// The next block: its position in `plain`, and its place in the unit.
    at: u32,
    turn: usize,
    misses: u32,
    worth: Worth,
    /// How long a part is now: about half as many blocks as there is room for.
    part: usize,
}

impl<'s, 't> Ahead<'s, 't> {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = Codes::MEMORY
        + Plain::MEMORY
        + PARTS * (Part::MEMORY + size_of::<Part>() + size_of::<(usize, Range<usize>)>());

    pub(super) fn new(
        decoders: &[Decoder<'t>],
        places: &[Place],
        bits: Bits<'s>,
        worth: Worth,
    ) -> Self {
        Self {
            source: bits.source(),
            codes: Codes::new(decoders, places),
            plain: Plain::new(bits.position()),
            parts: (0..PARTS).map(|_| Part::new()).collect(),
            found: Vec::with_capacity(PARTS),
            at: 0,
            turn: 0,
            misses: 0,
            worth,
            part: worth.part,
        }
    }

    /// The positions of the next blocks, at most `blocks`, and the bytes that they are in.
    pub(super) fn take(&mut self, blocks: usize) -> Option<(&[Row], &Bytes)> {
        if self.found.is_empty() && !self.look() {
            return None;
        }
        let (part, range) = self.found.last_mut()?;
        let part = self.parts.get(*part)?;
        let taken = range.start..range.end.min(range.start.saturating_add(blocks));
        range.start = taken.end;
        if range.start == range.end {
            self.found.pop();
        }
        self.at = part.rows.get(taken.end)?.start;
        self.turn = (self.turn + taken.len()) % self.codes.unit;
        Some((part.rows.get(taken)?, self.plain.bytes()))
    }

    /// A reader of the bits from the next block on.
    pub(super) fn bits(&self) -> Bits<'s> {
        let mut bits = Bits::new(self.source, self.plain.in_source(self.at));
        bits.refill();
        bits.consume(self.at & 7);
        bits
    }

    /// Looks further ahead; returns whether it found blocks.
    fn look(&mut self) -> bool {
        if self.misses >= MAX_MISSES {
            return false;
        }
        let base = self.plain.in_source(self.at);
        self.at &= 7;
        self.plain.fill(self.source, base, self.part * PARTS);
        if self.plain.length() < self.worth.bytes {
            return false;
        }
        self.begin();
        self.follow();
        self.join();
        let blocks = self.found.iter().map(|(_, range)| range.len()).sum();
        let end = self.found.first().and_then(|(part, range)| {
            let part = self.parts.get(*part)?;
            part.rows.get(range.end)
        });
        if let Some(&Row { start: end, .. }) = end
            && let Some(part) = (end as usize / 8 * (MAX_BLOCKS / 2)).checked_div(blocks)
        {
            self.part = part.clamp(256.min(self.worth.part), self.worth.part);
        }
        blocks > 0
    }

    /// Cuts the data into parts.
    fn begin(&mut self) {
        let length = self.plain.length();
        let bits = |bytes: usize| u32::try_from(8 * bytes).unwrap_or(u32::MAX);
        let overlap = (length / PARTS / 8).clamp(16, MAX_OVERLAP);
        for (index, part) in self.parts.iter_mut().enumerate() {
            let end = (length * (index + 1) / PARTS + overlap).min(length);
            let (at, turn) = match index {
                0 => (self.at, self.turn),
                _ => (bits(length * index / PARTS), 0),
            };
            part.begin(at, turn, bits(end));
        }
    }

    /// Follows all parts to their limits, several at once.
    fn follow(&mut self) {
        let mut waiting = LANES..self.parts.len();
        let mut active: Vec<usize> = (0..LANES).collect();
        let mut retries = [0; PARTS];
        loop {
            let result = match *active.as_slice() {
                [a, b, c] => self.advance([a, b, c]),
                [a, b] => self.advance([a, b]),
                [a] => self.advance([a]),
                _ => return,
            };
            if let Err(broken) = result
                && let Some(part) = self.parts.get_mut(broken)
                && let Some(retries) = retries.get_mut(broken)
            {
                // The first part is right, hence the data is wrong.
                if broken == 0 || *retries == MAX_RETRIES {
                    part.stop();
                } else {
                    *retries += 1;
                    part.retry();
                }
            }
            active.retain_mut(|index| {
                while self.parts.get(*index).is_none_or(Part::is_done) {
                    match waiting.next() {
                        Some(next) => *index = next,
                        None => return false,
                    }
                }
                true
            });
        }
    }

    /// Returns the part that can't be decoded, if there is one.
    fn advance<const N: usize>(&mut self, active: [usize; N]) -> Result<(), usize> {
        let Ok(parts) = self.parts.get_disjoint_mut(active) else {
            return Ok(());
        };
        let result = self.codes.follow(self.plain.bytes(), parts);
        result.map_err(|lane| active.get(lane).copied().unwrap_or_default())
    }

    /// Goes from part to part as long as they meet.
    fn join(&mut self) {
        self.found.clear();
        let total = 8 * u32::try_from(self.plain.length()).unwrap_or_default();
        let mut parts = self.parts.iter().enumerate();
        let Some((mut number, mut part)) = parts.next() else {
            return;
        };
        let mut from = 0;
        self.misses += 1;
        for (next_number, next) in parts {
            let Some((end, begin)) = part.meets(from, next, self.codes.period, total) else {
                break;
            };
            self.found.push((number, from..end));
            (number, part, from) = (next_number, next, begin);
            if number == PARTS - 1 {
                self.misses = 0;
            }
        }
        let starts = part.rows.get(from..=part.count).unwrap_or_default();
        let within = starts.partition_point(|row| row.start <= total);
        self.found
            .push((number, from..from + within.saturating_sub(1)));
        self.found.reverse();
    }
}

#[cfg(test)]
mod tests;
