//! Several parts of a block decoded in one loop.
//!
//! To find where symbols begin, a decoder takes one code after the other: mask, load, shift, each waiting for the one
//! before. A processor has room for more such chains at the same time.

#![expect(
    clippy::inline_always,
    reason = "the lanes stay in registers only if all that the loop calls is inlined"
)]

use super::codes::Codes;
use super::input;
use super::part::{Part, SIZE};

/// The lookups that the 57 bits ahead are enough for.
const LOOKUPS: usize = 4;

/// The bits that all of them take at most, and some to spare.
const ROUND: usize = 64;

/// A part in the loop.
struct Lane<'p> {
    at: usize,
    count: usize,
    next: u64,
    literals: &'p mut [u8; SIZE],
    limit: usize,
    most: usize,
}

/// Decodes parts to their limits, several at once.
pub(super) fn finish(codes: &Codes, bytes: &[u8], parts: &mut [Part]) {
    let mut active: Vec<&mut Part> = parts.iter_mut().collect();
    loop {
        match active.as_mut_slice() {
            [a, b, c, ..] => together(codes, bytes, [a, b, c]),
            [a, b] => together(codes, bytes, [a, b]),
            [a] => together(codes, bytes, [a]),
            [] => return,
        }
        active.retain_mut(|part| {
            if ends_soon(part) {
                part.finish(codes, bytes);
            }
            !part.is_done()
        });
    }
}

/// Whether a round may be too much.
fn ends_soon(part: &Part) -> bool {
    part.at + ROUND > part.limit || part.is_done()
}

/// Decodes parts until one of them ends soon.
#[inline(never)]
fn together<const N: usize>(codes: &Codes, bytes: &[u8], mut parts: [&mut Part; N]) {
    while !parts.iter().any(|part| ends_soon(part)) {
        let other = follow(codes, bytes, &mut parts);
        if let Some(part) = other.and_then(|index| parts.get_mut(index)) {
            part.step(codes, bytes);
        }
    }
}

/// Decodes literals and matches of all parts as long as none of them ends soon; returns a part that has another symbol next.
#[inline(always)]
fn follow<const N: usize>(
    codes: &Codes,
    bytes: &[u8],
    parts: &mut [&mut Part; N],
) -> Option<usize> {
    let mut other = None;
    let mut lanes = parts.each_mut().map(|part| Lane {
        at: part.at,
        count: part.count,
        next: 0,
        limit: part.limit - ROUND,
        most: part.found.most(),
        literals: &mut part.literals,
    });
    'rounds: loop {
        let mut done = false;
        for lane in &mut lanes {
            done |= lane.at > lane.limit || lane.count >= lane.most;
            lane.next = input::peek(bytes, lane.at);
        }
        if done {
            break;
        }
        for _ in 0..LOOKUPS {
            for (index, lane) in lanes.iter_mut().enumerate() {
                if !lane.literals(codes) {
                    other = Some(index);
                    break 'rounds;
                }
            }
        }
    }
    let states = lanes.map(|lane| (lane.at, lane.count));
    for ((at, count), part) in states.into_iter().zip(parts) {
        (part.at, part.count) = (at, count);
    }
    other
}

impl Lane<'_> {
    /// Takes a literal or two; returns whether they were there.
    #[inline(always)]
    fn literals(&mut self, codes: &Codes) -> bool {
        let entry = codes.symbols.first(self.next);
        if !entry.is_literal() {
            return false;
        }
        if let Some(place) = self.literals.get_mut(self.count..self.count + 2) {
            place.copy_from_slice(&entry.literals());
        }
        self.count += entry.count();
        self.at += entry.bits() as usize;
        self.next = entry.skip(self.next);
        true
    }
}
