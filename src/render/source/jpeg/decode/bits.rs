//! The bit stream of an entropy-coded segment (ITU-T T.81, B.1.1.5 and F.2.2.5).

use super::{Refusal, markers};

/// What can be wrong inside an entropy-coded segment.
///
/// Small and `Copy`, so that the hot loops carry no string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The next bits are no code of the Huffman table.
    Code,
    /// A run of coefficients or of blocks leaves its block or its scan.
    Run,
    /// A restart marker is missing or out of turn.
    Restart,
    /// A marker stands where coded bits should be.
    Short,
    /// The source ends where coded bits should be.
    End,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Code => Self::Corrupt("JPEG data holds an undefined Huffman code".into()),
            Fault::Run => Self::Corrupt("JPEG data runs past the end of a block".into()),
            Fault::Restart => Self::Corrupt("JPEG restart marker is missing or out of turn".into()),
            Fault::Short => Self::Corrupt("JPEG data stops before its scan is complete".into()),
            Fault::End => Self::Truncated,
        }
    }
}

/// A reader of the bits between two markers, most significant bit first.
///
/// Loops work on a copy of it, which the compiler keeps in registers. At a marker or at the end of the source it
/// invents zeros, so that the loops need no test per bit: [`Bits::check`] tells afterwards whether any was consumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a> {
    source: &'a [u8],
    position: usize,
    /// The next bits, left-aligned. Below the `count` valid ones there may be bits that follow them, never others.
    window: u64,
    count: u32,
    invented: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(source: &'a [u8], position: usize) -> Self {
        Self {
            source,
            position,
            window: 0,
            count: 0,
            invented: 0,
        }
    }

    /// A reader of the 64 bits of `window` alone.
    pub(super) fn of(window: u64) -> Self {
        Self {
            source: &[],
            position: 0,
            window,
            count: 63,
            invented: 0,
        }
    }

    /// A copy of the reader that stays in registers; one that came as an argument stays in memory.
    #[inline(always)]
    pub(super) fn in_registers(self) -> Self {
        let Self {
            source,
            position,
            window,
            count,
            invented,
        } = self;
        Self {
            source,
            position,
            window,
            count,
            invented,
        }
    }

    /// All that it reads from.
    pub(super) fn source(&self) -> &'a [u8] {
        self.source
    }

    /// The position from which the search for the next marker goes on.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Makes at least 56 bits available.
    ///
    /// Eight bytes without an 0xFF need no unstuffing and are taken at once, as many of them as fit: one load, one
    /// shift and one or.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let rest = self.source.get(self.position..);
        if let Some(bytes) = rest.and_then(<[u8]>::first_chunk) {
            let word = u64::from_be_bytes(*bytes);
            let fitting = (63 - self.count) >> 3;
            let ffs = ffs(word);
            let taken = if ffs == 0 {
                Some((word, fitting))
            } else {
                unstuffed(word, ffs, fitting)
            };
            if let Some((word, bytes)) = taken {
                self.window |= word >> self.count;
                self.position += bytes as usize;
                // Whole bytes were added: 56 to 63 bits are there now.
                self.count |= 0x38;
                return;
            }
        }
        let (window, bytes) = bytewise(self.source, self.position, self.window, self.count);
        self.window = window;
        self.position = bytes.position();
        self.invented = self.invented.saturating_add(8 * bytes.invented());
        self.count |= 0x38;
    }

    /// The next `N` bits as a number, without consuming them.
    #[inline(always)]
    pub(super) fn peek<const N: u32>(&self) -> usize {
        const { assert!(N >= 1 && N <= 16) };
        ((self.window >> (64 - N)) & 0xFFFF) as usize
    }

    /// The next `size` bits (at most 16) as a number, consumed.
    #[inline(always)]
    pub(super) fn take(&mut self, size: u32) -> u32 {
        // Two shifts, so that a size of 0 shifts by 63 and 1, not by 64.
        let value = ((self.window >> 1) >> (63 - (size & 31))) & 0xFFFF;
        self.consume(size);
        value as u32
    }

    /// One bit, consumed.
    #[inline(always)]
    pub(super) fn take_bit(&mut self) -> bool {
        let bit = self.window >> 63 != 0;
        self.consume(1);
        bit
    }

    /// Drops `size` bits, which a refill has made available.
    #[inline(always)]
    pub(super) fn consume(&mut self, size: u32) {
        debug_assert!(size <= self.count, "a refill must precede");
        self.window <<= size & 63;
        self.count -= size;
    }

    /// The available bits, left-aligned.
    #[inline(always)]
    pub(super) fn window(&self) -> u64 {
        self.window
    }

    /// A signed number of `size` bits (T.81 F.2.2.1, RECEIVE and EXTEND).
    #[inline(always)]
    pub(super) fn take_signed(&mut self, size: u32) -> i32 {
        extend(self.take(size), size)
    }

    /// Fails if more bits were consumed than there were.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.invented <= self.count {
            Ok(())
        } else if self.position + 1 >= self.source.len() {
            // A last byte that is left is an 0xFF whose second half is missing.
            Err(Fault::End)
        } else {
            Err(Fault::Short)
        }
    }

    /// Skips to the data behind the restart marker number `turn` (T.81 F.2.2.4 and E.2.4).
    pub(super) fn restart(&mut self, turn: u8) -> Result<(), Fault> {
        self.check()?;
        match markers::next_marker(self.source, self.position) {
            Some((marker, behind)) if marker == markers::RST0 + (turn & 7) => {
                *self = Self::new(self.source, behind);
                Ok(())
            }
            Some(_) => Err(Fault::Restart),
            None => Err(Fault::End),
        }
    }
}

/// The result of a refill: `invented << 56 | position`, where `invented` counts bytes.
#[derive(Debug, Clone, Copy)]
struct Taken(u64);

impl Taken {
    fn position(self) -> usize {
        usize::try_from(self.0 & (u64::MAX >> 8)).unwrap_or(usize::MAX)
    }

    fn invented(self) -> u32 {
        u32::from(self.0.to_be_bytes()[0])
    }
}

/// Refills `window` byte by byte, as far as [`Bits::refill`] would.
///
/// Arguments and results fit into registers: a reference to the reader would force the caller's copy of it into memory.
#[cold]
#[inline(never)]
fn bytewise(source: &[u8], position: usize, mut window: u64, mut count: u32) -> (u64, Taken) {
    let (mut position, mut invented) = (position, 0_u64);
    while count < 56 {
        let byte = match source.get(position..).unwrap_or_default() {
            [0xFF, 0x00, ..] => {
                position += 2;
                0xFF
            }
            [0xFF, 0xFF, ..] => {
                position += 1;
                continue;
            }
            [] | [0xFF, ..] => {
                invented += 1;
                0
            }
            &[byte, ..] => {
                position += 1;
                byte
            }
        };
        window |= u64::from(byte) << (56 - count);
        count += 8;
    }
    (window, Taken(position as u64 | invented << 56))
}

/// EXTEND of T.81 F.2.2.1: the upper half of the codes is positive.
#[inline(always)]
pub(super) fn extend(bits: u32, size: u32) -> i32 {
    let value = bits.cast_signed();
    let positive_from = (1_i32 << (size & 31)) >> 1;
    if value < positive_from {
        value - (1_i32 << (size & 31)) + 1
    } else {
        value
    }
}

/// The top bit of each byte of `word` that is 0xFF.
#[inline(always)]
pub(super) fn ffs(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    // Only 0x7F carries into the top bit, and no byte carries into the next.
    ((word & !TOPS) + ONES) & word & TOPS
}

/// Removes the zero that is stuffed behind the only 0xFF of `word`; also returns how many bytes of the source `fitting`
/// of its bytes are. `ffs` is as of [`ffs`].
///
/// `None` if there is another 0xFF or no such zero, which is rare. The last byte is left zero: at most seven ever fit.
#[inline(always)]
fn unstuffed(word: u64, ffs: u64, fitting: u32) -> Option<(u64, u32)> {
    let index = ffs.leading_zeros() / 8;
    let behind = u64::MAX.checked_shr(8 * (index + 1)).unwrap_or_default();
    let stuffed = behind & !(behind >> 8);
    let plain = ffs.is_power_of_two() && stuffed != 0 && word & stuffed == 0;
    let bytes = fitting + u32::from(index < fitting);
    plain.then_some((word & !behind | (word << 8) & behind, bytes))
}

#[cfg(test)]
mod tests;
