//! Coefficients as symbols of the entropy coder, first counted, then written (ITU-T T.81, F.1.2).

#![expect(
    clippy::cast_possible_truncation,
    reason = "bits are taken from the end of larger numbers"
)]

use super::codes::Code;
use super::forward::{ZIGZAG, place};

/// The places in a quantized block of the coefficients in zigzag order.
const ORDER: [u8; 64] = {
    let mut order = ZIGZAG;
    let mut n = 0;
    while n < 64 {
        order[n] = place(ZIGZAG[n] / 8, ZIGZAG[n] % 8);
        n += 1;
    }
    order
};

/// The inverse of [`ORDER`].
const RANK: [u8; 64] = {
    let mut rank = [0; 64];
    let mut n = 0;
    while n < 64 {
        rank[ORDER[n as usize] as usize] = n;
        n += 1;
    }
    rank
};

/// The nonzero coefficients of a few blocks.
///
/// The DC difference leads a block. Each other token is `zeros << 12 | value`, with the number of zeros before the
/// value, or one of [`ZEROS`] and [`END`].
pub(super) struct Tokens(Vec<u16>);

/// Sixteen zeros.
const ZEROS: u16 = 15 << 12;
/// The end of a block: only zeros follow.
const END: u16 = 0;

/// How often each symbol occurs in the blocks of one kind of component.
pub(super) struct Occurrences {
    pub(super) means: [u32; 256],
    pub(super) others: [u32; 256],
}

impl Occurrences {
    pub(super) fn new() -> Self {
        Self {
            means: [0; 256],
            others: [0; 256],
        }
    }

    /// The codes that take the fewest bits.
    pub(super) fn codes(&self) -> Codes {
        Codes {
            means: Code::best(&self.means),
            others: Code::best(&self.others),
        }
    }

    /// The bits that the blocks take under the codes.
    pub(super) fn bits(&self, codes: &Codes) -> u64 {
        let bits = |occurrences: &[u32; 256], code: &Code| -> u64 {
            let symbols = (0..=u8::MAX).zip(occurrences);
            symbols
                .map(|(symbol, n)| u64::from(*n) * u64::from(code.word(symbol).1 + symbol % 16))
                .sum()
        };
        bits(&self.means, &codes.means) + bits(&self.others, &codes.others)
    }
}

/// The codes of one kind of component.
pub(super) struct Codes {
    pub(super) means: Code,
    pub(super) others: Code,
}

impl Tokens {
    /// An empty list with room for so many blocks.
    pub(super) fn new(blocks: usize) -> Self {
        Self(Vec::with_capacity(blocks * 64))
    }

    /// Gives back unused capacity.
    pub(super) fn finished(mut self) -> Self {
        self.0.shrink_to_fit();
        self
    }

    /// Adds a quantized block; `mean` is the DC coefficient of its component's last block.
    #[inline(always)]
    pub(super) fn add(&mut self, block: &[i16; 64], mean: &mut i16, counts: &mut Occurrences) {
        let difference = block[0] - *mean;
        *mean = block[0];
        counts.means[usize::from(size(difference))] += 1;
        self.0.push(difference.cast_unsigned() & 0xFFF);
        let mut unordered = set(block) & !1;
        let mut left = 0;
        while unordered != 0 {
            left |= 1_u64 << RANK[unordered.trailing_zeros() as usize & 63];
            unordered &= unordered - 1;
        }
        let mut last = 0;
        while left != 0 {
            let next = left.trailing_zeros();
            left &= left - 1;
            let mut zeros = next - last - 1;
            last = next;
            while zeros > 15 {
                counts.others[0xF0] += 1;
                self.0.push(ZEROS);
                zeros -= 16;
            }
            let value = block[usize::from(ORDER[next as usize & 63] & 63)];
            let zeros = (zeros & 15) as u16;
            counts.others[usize::from(zeros << 4 | size(value)) & 0xFF] += 1;
            self.0.push(zeros << 12 | value.cast_unsigned() & 0xFFF);
        }
        if last < 63 {
            counts.others[0] += 1;
            self.0.push(END);
        }
    }

    /// Writes the blocks; `codes` has the codes of each in turn.
    pub(super) fn write<'a>(&self, mut codes: impl Iterator<Item = &'a Codes>, bits: &mut Bits) {
        let mut tokens = self.0.iter().copied();
        while let (Some(mean), Some(codes)) = (tokens.next(), codes.next()) {
            write(mean, &codes.means, bits);
            let mut place = 0;
            while place < 63 {
                let Some(token) = tokens.next() else { return };
                write(token, &codes.others, bits);
                if token == END {
                    break;
                }
                place += 1 + (token >> 12);
            }
        }
    }
}

/// The bits of a value's magnitude (tables F.1 and F.2).
#[inline(always)]
fn size(value: i16) -> u16 {
    (16 - value.unsigned_abs().leading_zeros()) as u16
}

/// The set of nonzero coefficients.
#[inline(always)]
fn set(block: &[i16; 64]) -> u64 {
    let flags = block.map(|value| u8::from(value != 0));
    let mut set = [0; 8];
    for (set, flags) in set.iter_mut().zip(flags.as_chunks::<8>().0) {
        // Gathers the bytes' lowest bits in the uppermost byte.
        let gathered = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080);
        [.., *set] = gathered.to_le_bytes();
    }
    u64::from_le_bytes(set)
}

/// Writes a token's symbol and the bits of its value (F.1.2.1 and F.1.2.2).
#[inline(always)]
fn write(token: u16, code: &Code, bits: &mut Bits) {
    let value = (token << 4).cast_signed() >> 4;
    let size = size(value);
    let (word, length) = code.word((token >> 12 << 4 | size) as u8);
    let below = value - i16::from(value < 0);
    let rest = below.cast_unsigned() & ((1 << size) - 1);
    bits.put(
        u32::from(word) << size | u32::from(rest),
        u32::from(length) + u32::from(size),
    );
}

/// A bit writer that stuffs bytes (F.1.2.3).
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// The bits that aren't bytes yet; the last is the lowest.
    waiting: u64,
    count: u32,
}

impl Bits {
    /// A writer that appends to `bytes`.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            waiting: 0,
            count: 0,
        }
    }

    /// Adds at most 32 bits.
    #[inline(always)]
    fn put(&mut self, bits: u32, count: u32) {
        self.waiting = self.waiting << count | u64::from(bits);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            self.push((self.waiting >> self.count) as u32);
        }
    }

    #[inline(always)]
    fn push(&mut self, word: u32) {
        // Whether no byte is 0xFF: the usual test for a zero byte, on the complement.
        if (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
            self.bytes.extend_from_slice(&word.to_be_bytes());
        } else {
            word.to_be_bytes()
                .into_iter()
                .for_each(|byte| self.stuff(byte));
        }
    }

    /// Adds a byte, and a zero behind 0xFF lest it is taken for a marker.
    fn stuff(&mut self, byte: u8) {
        self.bytes.push(byte);
        if byte == u8::MAX {
            self.bytes.push(0);
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn finished(mut self) -> Vec<u8> {
        let padding = self.count.wrapping_neg() % 8;
        self.waiting = self.waiting << padding | ((1 << padding) - 1);
        self.count += padding;
        while self.count > 0 {
            self.count -= 8;
            self.stuff((self.waiting >> self.count) as u8);
        }
        self.bytes
    }
}
