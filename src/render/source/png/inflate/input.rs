//! Compressed data, a stretch at a time, read as bits (RFC 1951, section 3.1.1).

use super::Fault;
use super::codes::MAX_LENGTH;

/// The stretch: enough for what [`super::ahead`] decodes at once, and few enough to stay in the cache.
pub(super) const CAPACITY: usize = 64 << 10;

/// From how many bytes on no more are asked for.
const ENOUGH: usize = CAPACITY / 2;

/// More than the bytes of a block's head, 286 at most, or of a few symbols.
const LEAST: usize = 512;

/// Zeros behind the last byte, so that eight can be taken at once near the end.
const PADDING: usize = 16;

/// Bytes in which a position is a number of bits.
pub(in super::super) struct Input {
    bytes: Vec<u8>,
    end: usize,
    /// The next bit.
    at: usize,
    /// How many bytes came before `bytes`.
    before: u64,
    complete: bool,
}

impl Input {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = CAPACITY + PADDING;

    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; CAPACITY + PADDING],
            end: 0,
            at: 0,
            before: 0,
            complete: false,
        }
    }

    /// Whether more bytes should come.
    pub(in super::super) fn wants_more(&self) -> bool {
        !self.complete && self.left() < ENOUGH
    }

    /// Whether nothing but the end of the data allows to go on without more bytes.
    pub(super) fn is_short(&self) -> bool {
        !self.complete && self.left() < LEAST
    }

    /// Takes as many of these bytes as there is room for, and returns their number.
    pub(in super::super) fn append(&mut self, bytes: &[u8]) -> usize {
        if self.end + bytes.len() > CAPACITY {
            let taken = self.at / 8;
            self.bytes.copy_within(taken..self.end, 0);
            self.end -= taken;
            self.at %= 8;
            self.before += taken as u64;
        }
        let room = self.bytes.get_mut(self.end..CAPACITY).unwrap_or_default();
        let count = bytes.len().min(room.len());
        for (place, byte) in room.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.end += count;
        count
    }

    /// No more bytes will come.
    pub(in super::super) fn complete(&mut self) {
        self.complete = true;
        self.bytes.truncate(self.end);
        self.bytes.resize(self.end + PADDING, 0);
    }

    fn left(&self) -> usize {
        self.end.saturating_sub(self.at / 8)
    }

    /// The bytes and those behind them that may be loaded with them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The next bit's position in [`Self::bytes`].
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes on at another bit.
    pub(super) fn seek(&mut self, at: usize) -> Result<(), Fault> {
        self.at = at;
        if at > 8 * self.end {
            return Err(Fault::Cut);
        }
        Ok(())
    }

    /// What is wrong, if the next code can't be decoded: the data may be cut there.
    pub(super) fn cut_or(&self, fault: &'static str) -> Fault {
        if self.at + MAX_LENGTH > 8 * self.end {
            Fault::Cut
        } else {
            Fault::Corrupt(fault)
        }
    }

    /// The bit up to which symbols may begin.
    pub(super) fn limit(&self) -> usize {
        if self.complete {
            8 * self.end
        } else {
            8 * self.end.saturating_sub(LEAST / 2)
        }
    }

    /// The next bit's position in all of the data.
    pub(super) fn position(&self) -> u64 {
        8 * self.before + self.at as u64
    }

    /// The next 57 bits or more.
    pub(super) fn peek(&self) -> u64 {
        peek(&self.bytes, self.at)
    }

    /// Takes up to 32 bits.
    pub(super) fn take(&mut self, bits: u32) -> Result<u32, Fault> {
        let value = self.peek() & ((1 << bits) - 1);
        self.seek(self.at + bits as usize)?;
        Ok(u32::try_from(value).unwrap_or_default())
    }

    /// Drops what is left of a byte.
    pub(super) fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }

    /// Copies up to `most` bytes from the next on, which begins here.
    pub(super) fn copy(&mut self, most: usize, to: &mut [u8]) -> usize {
        let from = self.at / 8;
        let bytes = self.bytes.get(from..self.end).unwrap_or_default();
        let count = most.min(bytes.len()).min(to.len());
        for (place, byte) in to.iter_mut().zip(bytes.iter().take(count)) {
            *place = *byte;
        }
        self.at += 8 * count;
        count
    }
}

/// The 57 bits or more from `at` on, the first in the lowest place; zeros behind the bytes.
#[expect(clippy::inline_always, reason = "it is called for each symbol")]
#[inline(always)]
pub(super) fn peek(bytes: &[u8], at: usize) -> u64 {
    load(bytes, at / 8) >> (at % 8)
}

/// Eight bytes.
#[expect(clippy::inline_always, reason = "it is called for each symbol")]
#[inline(always)]
pub(super) fn load(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
