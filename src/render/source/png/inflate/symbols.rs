//! The symbols of a block, one after the other.

#![expect(
    clippy::inline_always,
    reason = "the bits stay in registers only if all that the loop calls is inlined"
)]

use super::codes::Codes;
use super::copy::{self, copy};
use super::entry::Entry;
use super::input::load;

/// The longest match.
pub(super) const MAX_MATCH: usize = 258;

/// How many literals may come before a match in a turn of the loop.
const MAX_LITERALS: usize = 4;

/// How much room the window must have for the next symbols.
pub(super) const ROOM: usize = MAX_LITERALS + MAX_MATCH + copy::BEYOND;

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// At a symbol of the same block.
    Within,
    /// Behind the block.
    BlockEnd,
    /// At what can't be decoded.
    Corrupt(&'static str),
}

/// How far a block was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// The next bit.
    pub(super) at: usize,
    /// The end of what is decoded.
    pub(super) end: usize,
    pub(super) stop: Stop,
}

/// The matches among some symbols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Matches {
    pub(super) count: usize,
    /// The bytes of all.
    pub(super) length: usize,
}

impl Matches {
    pub(super) fn add(&mut self, length: usize) {
        self.count += 1;
        self.length += length;
    }
}

/// The next bits.
struct Bits<'b> {
    bytes: &'b [u8],
    /// The byte that is loaded next.
    byte: usize,
    next: u64,
    /// How many of them count. What is above them is right too, or zero.
    count: u32,
}

impl<'b> Bits<'b> {
    fn new(bytes: &'b [u8], at: usize) -> Self {
        let mut bits = Self {
            bytes,
            byte: at / 8,
            next: 0,
            count: 0,
        };
        bits.refill();
        let begun = at % 8;
        bits.next >>= begun;
        bits.count -= u32::try_from(begun).unwrap_or_default();
        bits
    }

    fn at(&self) -> usize {
        8 * self.byte - self.count as usize
    }

    /// Makes them 56 or more.
    #[inline(always)]
    fn refill(&mut self) {
        self.next |= load(self.bytes, self.byte) << self.count;
        self.byte += ((63 - self.count) / 8) as usize;
        self.count |= 0x38;
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.next >>= bits;
        self.count -= bits;
    }

    /// Takes the extra bits of a length or distance behind its code.
    #[inline(always)]
    fn value(&mut self, entry: Entry) -> usize {
        self.skip(entry.bits());
        let value = entry.value(self.next);
        self.skip(entry.extra());
        value
    }
}

#[inline(always)]
fn put(window: &mut [u8], end: &mut usize, entry: Entry) {
    if let Some(place) = window.get_mut(*end..*end + 2) {
        place.copy_from_slice(&entry.literals());
    }
    *end += entry.count();
}

/// Decodes symbols from the bit `at` on, as long as they begin before `limit` and `end` isn't beyond `most`; at most some
/// bits and bytes more. The window must have [`ROOM`] behind `most`.
#[inline(never)]
pub(super) fn decode(
    codes: &Codes,
    bytes: &[u8],
    (at, limit): (usize, usize),
    window: &mut [u8],
    (mut end, most): (usize, usize),
) -> (Reached, Matches) {
    let Codes {
        symbols, distances, ..
    } = codes;
    debug_assert!(window.len() >= most + ROOM, "no room for symbols");
    let mut matches = Matches::default();
    let mut stop = Stop::Within;
    let mut bits = Bits::new(bytes, at);
    let limit = limit / 8 + 8;
    // The next symbol is looked up before the bits are filled up, not to wait for these.
    let mut entry = symbols.first(bits.next);
    bits.refill();
    while bits.byte < limit && end <= most {
        if entry.is_literal() {
            let second_bits = entry.skip(bits.next);
            let second = symbols.first(second_bits);
            let third_bits = second.skip(second_bits);
            let third = symbols.first(third_bits);
            put(window, &mut end, entry);
            if second.is_literal() {
                put(window, &mut end, second);
                if third.is_literal() {
                    put(window, &mut end, third);
                    bits.next = third.skip(third_bits);
                    bits.count -= entry.bits() + second.bits() + third.bits();
                    entry = symbols.first(bits.next);
                    bits.refill();
                    continue;
                }
                bits.next = third_bits;
                bits.count -= entry.bits() + second.bits();
                entry = third;
            } else {
                bits.next = second_bits;
                bits.count -= entry.bits();
                entry = second;
            }
            bits.refill();
        }
        if entry.is_special() {
            entry = symbols.whole(entry, bits.next);
            if entry.is_literal() {
                put(window, &mut end, entry);
                bits.skip(entry.bits());
                entry = symbols.first(bits.next);
                bits.refill();
                continue;
            }
            if entry.is_end() {
                bits.skip(entry.bits());
                stop = Stop::BlockEnd;
                break;
            }
            if entry.is_special() {
                stop = Stop::Corrupt("no symbol's code");
                break;
            }
        }
        let length = bits.value(entry);
        let code = distances.first(bits.next);
        let code = distances.whole(code, bits.next);
        if code.is_special() {
            stop = Stop::Corrupt("no distance's code");
            break;
        }
        let distance = bits.value(code);
        if distance > end {
            stop = Stop::Corrupt("a distance beyond the beginning");
            break;
        }
        bits.refill();
        entry = symbols.first(bits.next);
        copy(window, end, length, distance);
        end += length;
        matches.add(length);
    }
    let at = bits.at();
    (Reached { at, end, stop }, matches)
}
