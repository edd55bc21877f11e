//! Huffman codes (RFC 1951, section 3.2) as tables that are looked up by the next bits.

#![expect(
    clippy::cast_possible_truncation,
    reason = "of masked bits, and of numbers of codes"
)]

use super::Fault;
use super::entry::{DISTANCES, END, Entry, LENGTHS, SYMBOLS};
use crate::render::heap::boxed;

/// How many bits are looked up at first: of two literals' codes often all. More would not stay in the cache.
const SYMBOL_BITS: usize = 12;
const DISTANCE_BITS: usize = 9;

/// The bits of the longest code for a length of a code.
const LENGTH_BITS: usize = 7;

/// The code for lengths of codes.
pub(super) type LengthTable = Table<LENGTH_BITS, { 1 << LENGTH_BITS }>;

/// The bits of the longest code.
pub(super) const MAX_LENGTH: usize = 15;

/// How many symbols there are at most.
const MAX_SYMBOLS: usize = 288;

/// The codes of a block.
pub(super) struct Codes {
    pub(super) symbols: Table<SYMBOL_BITS, { 1 << SYMBOL_BITS }>,
    pub(super) distances: Table<DISTANCE_BITS, { 1 << DISTANCE_BITS }>,
    pub(super) lengths: LengthTable,
    literal_bits: [u8; 256],
    /// Whether they are the fixed ones.
    fixed: bool,
}

impl Codes {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = {
        let first = (1 << SYMBOL_BITS) + (1 << DISTANCE_BITS) + (1 << LENGTH_BITS);
        // At most every code is longer, with all of the longest places to itself; vectors grow twofold.
        let longer =
            (MAX_SYMBOLS << (MAX_LENGTH - SYMBOL_BITS)) + (32 << (MAX_LENGTH - DISTANCE_BITS));
        size_of::<Entry>() * (first + 2 * longer)
    };

    pub(super) fn new() -> Self {
        Self {
            symbols: Table::new(),
            distances: Table::new(),
            lengths: Table::new(),
            literal_bits: [0; 256],
            fixed: false,
        }
    }

    /// Takes the codes whose lengths these are.
    pub(super) fn set(&mut self, symbols: &[u8], distances: &[u8]) -> Result<(), Fault> {
        self.fixed = false;
        if symbols.get(END).is_none_or(|bits| *bits == 0) {
            return Err(Fault::Corrupt("a block without an end"));
        }
        for (bits, length) in self.literal_bits.iter_mut().zip(symbols) {
            *bits = *length;
        }
        self.symbols.set(symbols, &SYMBOLS, true)?;
        self.distances.set(distances, &DISTANCES, false)
    }

    /// Takes the code for lengths of codes, of which there must be two at least.
    pub(super) fn set_lengths(&mut self, lengths: &[u8]) -> Result<(), Fault> {
        if lengths.iter().filter(|length| **length != 0).count() < 2 {
            return Err(Fault::Corrupt("no code for lengths"));
        }
        self.lengths.set(lengths, &LENGTHS, false)
    }

    /// Takes the fixed codes (section 3.2.6).
    pub(super) fn set_fixed(&mut self) -> Result<(), Fault> {
        // An empty block takes ten bits: many of them must not take long.
        if self.fixed {
            return Ok(());
        }
        let mut symbols = [8; MAX_SYMBOLS];
        symbols[144..256].fill(9);
        symbols[256..280].fill(7);
        self.set(&symbols, &[5; 32])?;
        self.fixed = true;
        Ok(())
    }

    /// The bits of a single literal's code.
    pub(super) fn literal_bits(&self, literal: u8) -> usize {
        self.literal_bits[usize::from(literal)].into()
    }
}

/// A code that is looked up by its first `BITS` bits, and by more if it is longer. `SIZE` is two to the power of `BITS`.
pub(super) struct Table<const BITS: usize, const SIZE: usize> {
    first: Box<[Entry; SIZE]>,
    longer: Vec<Entry>,
}

/// The symbols of a code, by their codes.
struct Sorted {
    /// How many symbols have a code of so many bits.
    counts: [usize; MAX_LENGTH + 1],
    symbols: [u16; MAX_SYMBOLS],
}

impl Sorted {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; MAX_LENGTH + 1];
        for length in lengths {
            counts[usize::from(length & 15)] += 1;
        }
        counts[0] = 0;
        let mut next = [0; MAX_LENGTH + 1];
        for length in 1..MAX_LENGTH {
            next[length + 1] = next[length] + counts[length];
        }
        let mut symbols = [0; MAX_SYMBOLS];
        for (symbol, length) in (0..).zip(lengths).filter(|(_, length)| **length != 0) {
            let next = &mut next[usize::from(length & 15)];
            symbols[*next % MAX_SYMBOLS] = symbol;
            *next += 1;
        }
        Self { counts, symbols }
    }

    /// Whether each sequence of bits is a code or begins with one.
    fn is_complete(&self) -> bool {
        let codes = (1..).zip(&self.counts[1..]);
        codes
            .map(|(bits, count)| count << (MAX_LENGTH - bits))
            .sum::<usize>()
            == 1 << MAX_LENGTH
    }

    /// Whether there is nothing but one code of one bit, or no code at all; that is allowed too.
    fn is_single(&self) -> bool {
        self.counts[1] <= 1 && self.counts[2..].iter().all(|count| *count == 0)
    }
}

/// A code, whose first bit is the lowest, and its symbol's index among the sorted ones.
#[derive(Default)]
struct Cursor {
    code: usize,
    index: usize,
}

impl Cursor {
    /// Goes to the next code of so many bits.
    fn advance(&mut self, bits: usize) {
        let zeros = !self.code & ((1 << bits) - 1);
        // Adding one to the reversed code: the highest zero becomes one, the ones above it zeros.
        let highest = zeros.checked_ilog2().map_or(0, |bit| 1 << bit);
        self.code = (self.code & (highest.max(1) - 1)) | highest;
        self.index += 1;
    }
}

impl<const BITS: usize, const SIZE: usize> Table<BITS, SIZE> {
    fn new() -> Self {
        Self {
            first: boxed(Entry::NONE),
            longer: Vec::new(),
        }
    }

    /// The entry for the next bits: often that of two literals.
    pub(super) fn first(&self, next: u64) -> Entry {
        self.first[next as usize % SIZE]
    }

    /// The same, if `entry` was found by [`Self::first`], and that of one symbol if that has a longer code.
    pub(super) fn whole(&self, entry: Entry, next: u64) -> Entry {
        if !entry.is_longer() {
            return entry;
        }
        let index = entry.value(next >> BITS);
        self.longer.get(index).copied().unwrap_or(Entry::NONE)
    }

    /// Takes a code; the symbols stand for these entries.
    fn set(&mut self, lengths: &[u8], entries: &[Entry], pairs: bool) -> Result<(), Fault> {
        let sorted = Sorted::new(lengths);
        let entry = |index: usize| {
            let symbol = usize::from(sorted.symbols[index % MAX_SYMBOLS]);
            entries.get(symbol).copied().unwrap_or(Entry::NONE)
        };
        self.longer.clear();
        if sorted.is_single() {
            self.first.fill(Entry::NONE);
            if sorted.counts[1] == 1 {
                let zeros = self.first.iter_mut().step_by(2);
                zeros.for_each(|place| *place = entry(0).of_bits(1));
            }
            return Ok(());
        }
        if !sorted.is_complete() {
            return Err(Fault::Corrupt("an incomplete code"));
        }
        let next = self.set_short(&sorted.counts, &entry, pairs);
        self.set_longer(&sorted.counts, &entry, next);
        Ok(())
    }

    /// Fills the entries of codes up to `BITS` bits: those of so many bits, and a copy of them all for each bit more.
    fn set_short(
        &mut self,
        counts: &[usize],
        entry: &impl Fn(usize) -> Entry,
        pairs: bool,
    ) -> Cursor {
        let mut cursor = Cursor::default();
        // With their codes, in the order of these; `ends` has where those of so many bits end.
        let mut literals = [(0_usize, Entry::NONE); MAX_SYMBOLS];
        let mut ends = [0; MAX_LENGTH + 1];
        let mut count = 0;
        for (bits, symbols) in (1..=BITS).zip(&counts[1..]) {
            for _ in 0..*symbols {
                let entry = entry(cursor.index).of_bits(bits as u32);
                self.first[cursor.code % SIZE] = entry;
                if pairs && entry.is_literal() {
                    literals[count % MAX_SYMBOLS] = (cursor.code, entry);
                    count += 1;
                }
                cursor.advance(bits);
            }
            ends[bits] = count;
            for first_bits in 1..bits {
                let of = |bits: usize| literals.get(ends[bits - 1]..ends[bits]).unwrap_or_default();
                for (code, first) in of(first_bits) {
                    for (second_code, second) in of(bits - first_bits) {
                        let code = code | second_code << first_bits;
                        self.first[code % SIZE] = first.then(*second, bits as u32);
                    }
                }
            }
            if bits < BITS {
                self.first.copy_within(..1 << bits, 1 << bits);
            }
        }
        cursor
    }

    fn set_longer(
        &mut self,
        counts: &[usize],
        entry: &impl Fn(usize) -> Entry,
        mut cursor: Cursor,
    ) {
        let mut start = 0;
        let mut prefix = SIZE;
        for bits in BITS + 1..=MAX_LENGTH {
            for used in 0..counts[bits] {
                if cursor.code % SIZE != prefix {
                    prefix = cursor.code % SIZE;
                    start = self.longer.len();
                    let more = more_bits(&counts[BITS..], bits - BITS, used);
                    self.first[prefix] = Entry::longer(start as u32, more as u32);
                    self.longer.resize(start + (1 << more), Entry::NONE);
                }
                let places = self.longer.get_mut(start + (cursor.code >> BITS)..);
                let places = places.unwrap_or_default().iter_mut();
                for place in places.step_by(1 << (bits - BITS)) {
                    *place = entry(cursor.index).of_bits(bits as u32);
                }
                cursor.advance(bits);
            }
        }
    }
}

/// How many more bits are looked up after a prefix, whose first code has `more` of them and comes after `used` such codes.
///
/// `counts` are the numbers of codes by how many more bits they have.
fn more_bits(counts: &[usize], mut more: usize, used: usize) -> usize {
    let mut codes = counts[more] - used;
    while codes < 1 << more && more + 1 < counts.len() {
        more += 1;
        codes = 2 * codes + counts[more];
    }
    more
}

#[cfg(test)]
mod tests;
