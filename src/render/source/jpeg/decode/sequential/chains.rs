//! Several places of an entropy-coded segment decoded in one loop.
//!
//! To find where blocks begin, a decoder takes one code after the other: shift, load, shift, each waiting for the one
//! before. A processor has room for more such chains at the same time. The ends of blocks can't be predicted, and a
//! wrong prediction stops all chains, so that the loop has no branch for them.

use std::hint::select_unpredictable;

use super::{
    super::{
        block_table::{BlockTable, Skip, WINDOW},
        huffman::DcTable,
    },
    Decoder, MAX_PLACES, Place,
    part::{MAX_BLOCKS, MAX_COUNT, Part, Row},
    plain::{Bytes, window},
};
use crate::render::heap::boxed;

/// The most tables: one for the beginning and one for the rest of a block, for each of four components.
const MAX_TABLES: usize = 8;

/// How many entries all tables have.
const SKIPS: usize = MAX_TABLES << WINDOW;

/// The lookups that the 57 bits of a window are enough for.
const LOOKUPS: u8 = 3;

/// The tables of a block of a minimum coded unit.
#[derive(Clone, Copy, Default)]
struct Turn<'t> {
    /// Where its entries begin: from the DC coefficient on, and behind that.
    start: u16,
    rest: u16,
    tables: Option<(&'t DcTable, &'t BlockTable)>,
}

/// What the loop needs to know of a scan.
pub(super) struct Codes<'t> {
    /// The tables of [`BlockTable::skip`] and [`BlockTable::fill_starts`], one behind the other.
    skips: Box<[Skip; SKIPS]>,
    turns: [Turn<'t>; MAX_PLACES],
    /// How many blocks a unit has, and after how many of them the tables come again.
    pub(super) unit: usize,
    pub(super) period: usize,
    /// By block: where the entries for its rest begin, and in the upper half those for the next block.
    following: Box<[u32; MAX_BLOCKS + MAX_PLACES]>,
}

impl<'t> Codes<'t> {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = size_of::<[Skip; SKIPS]>()
        + size_of::<[u32; MAX_BLOCKS + MAX_PLACES]>()
        + 4 * size_of::<Turn>();

    pub(super) fn new(decoders: &[Decoder<'t>], places: &[Place]) -> Self {
        let mut skips = boxed(Skip::NONE);
        let mut free = skips
            .chunks_exact_mut(1 << WINDOW)
            .zip((0_u16..).step_by(1 << WINDOW));
        let mut made: Vec<Turn> = Vec::with_capacity(4);
        for decoder in decoders {
            // Components that share their tables share them here too: more would not stay in the cache.
            let same_ac = |turn: &&Turn| {
                let tables = turn.tables;
                tables.is_some_and(|(_, ac)| std::ptr::eq(ac, decoder.ac))
            };
            let same = |turn: &&Turn| {
                let tables = turn.tables;
                same_ac(turn) && tables.is_some_and(|(dc, _)| std::ptr::eq(dc, decoder.dc))
            };
            let mut filled = |fill: &dyn Fn(&mut [Skip])| {
                free.next().map_or(0, |(table, index)| {
                    fill(table);
                    index
                })
            };
            let start = made.iter().find(same).map(|turn| turn.start);
            let rest = made.iter().find(same_ac).map(|turn| turn.rest);
            let turn = Turn {
                start: start
                    .unwrap_or_else(|| filled(&|table| decoder.ac.fill_starts(decoder.dc, table))),
                rest: rest
                    .unwrap_or_else(|| filled(&|table| table.copy_from_slice(decoder.ac.skips()))),
                tables: Some((decoder.dc, decoder.ac)),
            };
            made.push(turn);
        }
        let unit = places.len().clamp(1, MAX_PLACES);
        let mut turns = [Turn::default(); MAX_PLACES];
        for (turn, place) in turns.iter_mut().zip(places) {
            *turn = made.get(place.decoder).copied().unwrap_or_default();
        }
        let table = |block: usize| turns.get(block % unit).map(|turn| (turn.start, turn.rest));
        let again = |&period: &usize| (0..unit).all(|block| table(block) == table(block + period));
        let period = (1..unit).find(again).unwrap_or(unit);
        let mut following = boxed(0);
        for (index, following) in following.iter_mut().enumerate() {
            let [block, next] = [index, index + 1].map(|block| turns[block % unit % MAX_PLACES]);
            *following = u32::from(next.start) << 16 | u32::from(block.rest);
        }
        Self {
            skips,
            turns,
            unit,
            period,
            following,
        }
    }

    /// The tables of a block, counted from the first block of a unit.
    fn turn(&self, block: usize) -> Turn<'t> {
        self.turns[block % self.unit % MAX_PLACES]
    }

    /// The part of `following` for blocks of which the first is `first` in its unit.
    fn following(&self, first: usize) -> &[u32; MAX_BLOCKS] {
        let rest = self.following.get(first..).unwrap_or_default();
        rest.first_chunk().unwrap_or(&[0; MAX_BLOCKS])
    }

    /// Follows one symbol that the table at `table` has no entry for: `position << 32 | place` behind it, or `u64::MAX`
    /// if there is none.
    ///
    /// A number and not an `Option`, which would have to go through memory.
    #[cold]
    #[inline(never)]
    fn symbol(&self, bytes: &Bytes, at: u32, table: u32, place: u32) -> u64 {
        let window = window(bytes, at);
        let mut turns = self.turns.iter();
        let turn = turns.find(|turn| [turn.start, turn.rest].map(u32::from).contains(&table));
        let symbol = turn.and_then(|turn| turn.tables).map(|(dc, ac)| {
            if place < 1 << 8 {
                dc.symbol(window).map(|(size, length)| (length + size, 1))
            } else {
                ac.symbol(window, place >> 8)
            }
        });
        match symbol {
            Some(Ok((length, place))) => u64::from(at + length) << 32 | u64::from(place << 8),
            _ => u64::MAX,
        }
    }

    /// Goes on with `N` parts at once until one of them is done, or one can't be decoded: its number is the error.
    #[inline(never)]
    pub(super) fn follow<const N: usize>(
        &self,
        bytes: &Bytes,
        mut parts: [&mut Part; N],
    ) -> Result<(), usize> {
        let limits = parts.each_ref().map(|part| part.limit);
        let mut lanes = parts.each_mut().map(|part| {
            if part.tables_of != Some(part.first) {
                part.tables_of = Some(part.first);
                for (row, &tables) in part.rows[1..].iter_mut().zip(self.following(part.first)) {
                    row.tables = tables;
                }
            }
            let turn = self.turn(part.first + part.count);
            Lane {
                window: 0,
                at: part.at,
                place: part.place,
                table: match part.place {
                    0 => turn.start.into(),
                    _ => turn.rest.into(),
                },
                count: part.count,
                next: {
                    let [_, next @ ..] = &mut *part.rows;
                    next
                },
            }
        });
        let mut result = Ok(());
        'follow: loop {
            let mut done = false;
            for (lane, limit) in lanes.iter_mut().zip(limits) {
                done |= lane.at >= limit || lane.count >= MAX_COUNT;
                lane.window = window(bytes, lane.at);
                lane.place &= 0xFF00;
            }
            if done {
                break;
            }
            for _ in 0..LOOKUPS {
                for (index, lane) in lanes.iter_mut().enumerate() {
                    if !lane.step(self, bytes) {
                        result = Err(index);
                        break 'follow;
                    }
                }
            }
        }
        let states = lanes.map(|lane| (lane.at, lane.place & 0xFF00, lane.count));
        for (state, part) in states.into_iter().zip(&mut parts) {
            (part.at, part.place, part.count) = state;
        }
        result
    }
}

/// A [`Part`] in the loop.
struct Lane<'p> {
    /// The bits from `at` on, left-aligned.
    window: u64,
    at: u32,
    /// `coefficients << 8` of the block so far; the low byte counts bits in vain.
    place: u32,
    /// Where the entries begin that are for these bits.
    table: u32,
    count: usize,
    /// By block: where the next one begins.
    next: &'p mut [Row; MAX_BLOCKS],
}

impl Lane<'_> {
    /// Takes one lookup, or one symbol that has none; returns whether there was a symbol.
    #[inline(always)]
    fn step(&mut self, codes: &Codes, bytes: &Bytes) -> bool {
        /// The end of a block, and the mark of what the table doesn't know: no entry, more coefficients than a block
        /// has, and exactly as many.
        const END: u32 = 15;
        const UNKNOWN: u32 = 0x4000;
        let slot = (self.window >> (64 - WINDOW)) as usize + self.table as usize;
        let skip = u32::from(codes.skips[slot % SKIPS].0);
        let place = self.place + skip;
        if place & UNKNOWN == 0 {
            self.place = place;
            self.at += skip & 0xFF;
            self.window <<= skip & 63;
        } else {
            let behind = codes.symbol(bytes, self.at, self.table, self.place);
            if behind == u64::MAX {
                return false;
            }
            self.at = (behind >> 32) as u32;
            self.place = (behind & 0xFFFF) as u32;
            self.window = window(bytes, self.at);
        }
        // The position is stored at once as that of the next block: if it isn't, the next lookup stores another.
        let Some(next) = self.next.get_mut(self.count) else {
            return false;
        };
        next.start = self.at;
        let both = next.tables;
        let ended = self.place >> END;
        self.count += ended as usize;
        let ends = ended != 0;
        // Both halves come with one load, since a choice between two loads would become a load that waits.
        self.table = select_unpredictable(ends, both >> 16, both & 0xFFFF);
        self.place = select_unpredictable(ends, 0, self.place);
        true
    }
}
