//! A part of an entropy-coded segment without its stuffed zeros (ITU-T T.81, B.1.1.5).

use super::super::bits::ffs;
use crate::render::heap::boxed;

/// How many bytes are kept at most; a power of two, so that an index is easily kept within.
pub(super) const CAPACITY: usize = 128 << 10;
/// How many stuffed zeros they can have had.
const MAX_STUFFED: usize = 8 << 10;
/// Zeros behind the bytes, so that eight can be taken at once near their end.
const PADDING: usize = 16;
/// How many bytes are tested for an 0xFF as a whole, which is vectorized.
const BLOCK: usize = 32;

/// The bytes of a [`Plain`], and zeros behind them.
pub(super) type Bytes = [u8; CAPACITY + PADDING];

/// Bytes in which a position is a number of bits.
#[derive(Debug)]
pub(super) struct Plain {
    bytes: Box<Bytes>,
    length: usize,
    /// Where in the source they begin.
    base: usize,
    /// By stuffed zero: the index of the byte that came behind it.
    stuffed: Vec<u32>,
}

impl Plain {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = CAPACITY + PADDING + 4 * MAX_STUFFED;

    /// None yet of the bytes from `base` on.
    pub(super) fn new(base: usize) -> Self {
        Self {
            bytes: boxed(0),
            length: 0,
            base,
            stuffed: Vec::with_capacity(MAX_STUFFED),
        }
    }

    /// Takes up to `limit` bytes from `base` on: they end early before a marker and before fill bytes.
    pub(super) fn fill(&mut self, source: &[u8], base: usize, limit: usize) {
        let limit = limit.min(CAPACITY);
        self.base = base;
        self.stuffed.clear();
        let (mut from, mut to) = (base, 0);
        while to < limit {
            let rest = source.get(from..).unwrap_or_default();
            if let Some(bytes) = rest.first_chunk::<BLOCK>()
                && let Some(place) = self.bytes.get_mut(to..).and_then(<[u8]>::first_chunk_mut)
                && bytes
                    .iter()
                    .fold(0, |found, &byte| found | u8::from(byte == 0xFF))
                    == 0
            {
                *place = *bytes;
                (from, to) = (from + BLOCK, to + BLOCK);
                continue;
            }
            let Some(bytes) = rest.first_chunk::<8>() else {
                break;
            };
            let Some(place) = self.bytes.get_mut(to..).and_then(<[u8]>::first_chunk_mut) else {
                break;
            };
            *place = *bytes;
            let ffs = ffs(u64::from_be_bytes(*bytes));
            if ffs == 0 {
                (from, to) = (from + 8, to + 8);
                continue;
            }
            let index = (ffs.leading_zeros() / 8) as usize;
            (from, to) = (from + index, to + index);
            if rest.get(index + 1) != Some(&0) || self.stuffed.len() == MAX_STUFFED {
                break;
            }
            (from, to) = (from + 2, to + 1);
            self.stuffed.push(u32::try_from(to).unwrap_or(u32::MAX));
        }
        self.length = to.min(limit);
        let padding = self.bytes.get_mut(self.length..).unwrap_or_default();
        for byte in padding.iter_mut().take(PADDING) {
            *byte = 0;
        }
    }

    /// How many bytes there are.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The bytes, and zeros behind them.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Where in the source the byte was that bit `at` is in.
    pub(super) fn in_source(&self, at: u32) -> usize {
        let index = (at >> 3) as usize;
        let before = self
            .stuffed
            .partition_point(|&behind| behind as usize <= index);
        self.base + index + before
    }
}

/// The bits from `at` on, left-aligned: at least 57, zeros behind the end.
#[inline(always)]
pub(super) fn window(bytes: &Bytes, at: u32) -> u64 {
    let rest = bytes.get((at >> 3) as usize % CAPACITY..);
    let word = rest.and_then(<[u8]>::first_chunk).copied();
    u64::from_be_bytes(word.unwrap_or_default()) << (at & 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_zeros_are_left_out_and_markers_end_the_bytes() {
        for offset in 0..100_u8 {
            let mut source: Vec<u8> = (0..offset).collect();
            source.extend([0xFF, 0x00, 1, 0xFF, 0x00, 2, 3, 0xFF, 0xD9]);
            source.extend(0..20);
            let mut plain = Plain::new(0);
            plain.fill(&source, 0, CAPACITY);
            let length = usize::from(offset) + 5;
            assert_eq!(plain.length(), length);
            let mut expected: Vec<u8> = (0..offset).collect();
            expected.extend([0xFF, 1, 0xFF, 2, 3]);
            expected.extend([0; 16]);
            assert_eq!(plain.bytes()[..length + 16], expected);
            let places = [0, 1, 2, 3, 5].map(|behind| u32::from(offset) + behind);
            let behind = places.map(|place| plain.in_source(8 * place) - usize::from(offset));
            assert_eq!(behind, [0, 2, 3, 5, 7]);
        }
    }
}
