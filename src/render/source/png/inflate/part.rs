//! A part of a block, decoded without what comes before it.

use super::codes::Codes;
use super::copy::{BEYOND, copy};
use super::input;
use super::symbols::{MAX_MATCH, Matches, Stop};
use crate::render::heap::boxed;

/// The most bytes that a part stands for.
pub(super) const MAX_BYTES: usize = 16 << 10;

/// The most matches in a part.
const MAX_MATCHES: usize = 512;

/// Room for the literals, with that for those of a few symbols more.
pub(super) const SIZE: usize = MAX_BYTES + 64;

/// A match, which is copied only when all before it is there.
#[derive(Clone, Copy, Default)]
struct Match {
    /// How many literals of the part come before it.
    literals: u16,
    length: u16,
    distance: u16,
}

/// The matches of a part.
pub(super) struct Found {
    all: Box<[Match; MAX_MATCHES]>,
    pub(super) sum: Matches,
}

impl Found {
    /// How many literals the part may have before its next symbol.
    pub(super) fn most(&self) -> usize {
        if self.sum.count == MAX_MATCHES {
            return 0;
        }
        MAX_BYTES.saturating_sub(MAX_MATCH + self.sum.length)
    }

    /// Takes a match behind so many literals, and returns the bit behind it; `at`, if another symbol is there.
    #[inline(never)]
    pub(super) fn take(
        &mut self,
        codes: &Codes,
        bytes: &[u8],
        at: usize,
        literals: usize,
    ) -> usize {
        let mut next = input::peek(bytes, at);
        let entry = codes.symbols.whole(codes.symbols.first(next), next);
        if entry.is_literal() || entry.is_special() {
            return at;
        }
        next = entry.skip(next);
        let length = entry.value(next);
        next >>= entry.extra();
        let code = codes.distances.whole(codes.distances.first(next), next);
        if code.is_special() {
            return at;
        }
        let short = |value| u16::try_from(value).unwrap_or_default();
        self.all[self.sum.count % MAX_MATCHES] = Match {
            literals: short(literals),
            length: short(length),
            distance: short(code.value(code.skip(next))),
        };
        self.sum.add(length);
        at + (entry.bits() + entry.extra() + code.bits() + code.extra()) as usize
    }
}

/// A part of a block.
pub(super) struct Part {
    /// The bit that it begins at, the next one, and the one that it may stop at.
    pub(super) start: usize,
    pub(super) at: usize,
    pub(super) limit: usize,
    pub(super) stop: Stop,
    pub(super) literals: Box<[u8; SIZE]>,
    pub(super) count: usize,
    pub(super) found: Found,
}

impl Part {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = SIZE + size_of::<[Match; MAX_MATCHES]>();

    pub(super) fn new() -> Self {
        Self {
            start: 0,
            at: 0,
            limit: 0,
            stop: Stop::Within,
            literals: boxed(0),
            count: 0,
            found: Found {
                all: boxed(Match::default()),
                sum: Matches::default(),
            },
        }
    }

    /// Begins with the symbol at `start`, to stop at `limit` or behind.
    pub(super) fn begin(&mut self, start: usize, limit: usize) {
        self.start = start;
        self.at = start;
        self.limit = limit;
        self.stop = Stop::Within;
        self.count = 0;
        self.found.sum = Matches::default();
    }

    /// Whether it is at its limit, or can't go on.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.limit || self.stop != Stop::Within || self.count >= self.found.most()
    }

    /// Decodes one symbol; a single literal.
    pub(super) fn step(&mut self, codes: &Codes, bytes: &[u8]) {
        let next = input::peek(bytes, self.at);
        let entry = codes.symbols.whole(codes.symbols.first(next), next);
        if entry.is_literal() {
            let [literal, _] = entry.literals();
            self.literals[self.count % SIZE] = literal;
            self.count += 1;
            self.at += codes.literal_bits(literal);
        } else if entry.is_end() {
            self.at += entry.bits() as usize;
            self.stop = Stop::BlockEnd;
        } else {
            let behind = self.found.take(codes, bytes, self.at, self.count);
            if behind == self.at {
                self.stop = Stop::Corrupt("no symbol's code");
            }
            self.at = behind;
        }
    }

    /// Decodes one symbol after the other up to the limit.
    pub(super) fn finish(&mut self, codes: &Codes, bytes: &[u8]) {
        while !self.is_done() {
            self.step(codes, bytes);
        }
    }

    /// Writes what it stands for from `end` on, and returns the new end; `None` if a match begins before the window.
    pub(super) fn write(&self, window: &mut [u8], mut end: usize) -> Option<usize> {
        let mut written = 0;
        for found in self.found.all.get(..self.found.sum.count)? {
            let literals = self.literals.get(written..found.literals.into())?;
            end = append(window, end, literals)?;
            written = found.literals.into();
            let (length, distance) = (found.length.into(), found.distance.into());
            if distance > end || end + length + BEYOND > window.len() {
                return None;
            }
            copy(window, end, length, distance);
            end += length;
        }
        append(window, end, self.literals.get(written..self.count)?)
    }
}

fn append(window: &mut [u8], end: usize, literals: &[u8]) -> Option<usize> {
    let place = window.get_mut(end..end + literals.len())?;
    place.copy_from_slice(literals);
    Some(end + literals.len())
}
