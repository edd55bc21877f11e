//! Huffman codes and the tables that decode them (ITU-T T.81, C.2 and F.2.2.3).

use super::{
    Refusal,
    bits::{Bits, Fault},
};

/// A Huffman table as a DHT segment has it (B.2.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Specification {
    /// How many codes of 1 to 16 bits there are.
    pub(super) counts: [u8; 16],
    /// The symbols in the order of their codes; zeros fill the rest.
    pub(super) symbols: [u8; 256],
}

/// Bits of the window of [`Codes::short`].
const SHORT: u32 = 9;

/// A canonical Huffman code.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    /// By the next 9 bits: the symbol and its code's length, or length 0 where the code is longer.
    short: [(u8, u8); 1 << SHORT],
    /// By length: the first 16-bit window that lies behind all codes of at most that length.
    limits: [u32; 17],
    /// By length: what to add to a code for its index among the symbols.
    offsets: [u32; 17],
    symbols: [u8; 256],
}

impl Codes {
    /// Assigns the codes in order of length (C.2).
    pub(super) fn new(specification: &Specification) -> Result<Self, Refusal> {
        let mut codes = Self {
            short: [(0, 0); 1 << SHORT],
            limits: [0; 17],
            offsets: [0; 17],
            symbols: specification.symbols,
        };
        let (mut code, mut index) = (0_u32, 0_u32);
        for (length, &count) in (1_u32..).zip(&specification.counts) {
            let count = u32::from(count);
            let slot = length as usize;
            codes.offsets[slot] = index.wrapping_sub(code);
            if length <= SHORT {
                let width = 1_usize << (SHORT - length);
                let symbols = specification
                    .symbols
                    .iter()
                    .skip(index as usize)
                    .take(count as usize);
                let windows = codes.short.chunks_exact_mut(width).skip(code as usize);
                for (&symbol, windows) in symbols.zip(windows) {
                    windows.fill((symbol, byte(length)));
                }
            }
            code += count;
            index += count;
            if code > 1 << length {
                return Err(Refusal::Corrupt(
                    "JPEG Huffman table with too many codes".into(),
                ));
            }
            codes.limits[slot] = code << (16 - length);
            code <<= 1;
        }
        Ok(codes)
    }

    /// The symbol that the left-aligned `window` begins with, and its code's length.
    #[inline(always)]
    pub(super) fn decode(&self, window: u64) -> Result<(u8, u32), Fault> {
        let (symbol, length) = self.short[(window >> (64 - SHORT)) as usize & ((1 << SHORT) - 1)];
        if length == 0 {
            self.decode_long(window)
        } else {
            Ok((symbol, u32::from(length)))
        }
    }

    #[cold]
    fn decode_long(&self, window: u64) -> Result<(u8, u32), Fault> {
        let code = (window >> 48) as u32 & 0xFFFF;
        let rows = self.limits.iter().zip(&self.offsets).zip(0_u32..).skip(1);
        for ((&limit, &offset), length) in rows {
            if code < limit {
                let index = (code >> (16 - length)).wrapping_add(offset);
                let symbol = self.symbols.get(index as usize).ok_or(Fault::Code)?;
                return Ok((*symbol, length));
            }
        }
        Err(Fault::Code)
    }
}

/// Bits of the window of tables of [`Coefficient`]s.
pub(super) const SHORT_VALUE: u32 = 10;

/// Coefficients by the next 10 bits.
pub(super) type Short = [Coefficient; 1 << SHORT_VALUE];

/// A coefficient whose code and bits fit into one window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Coefficient {
    pub(super) value: i16,
    /// How many zeros precede it.
    pub(super) run: u8,
    /// Bits of the code and of the value; 0 if they don't fit.
    pub(super) length: u8,
}

impl Coefficient {
    /// Fills a table; `read` returns the run and size of the value that a symbol stands for, or `None` if for none.
    pub(super) fn table(codes: &Codes, read: impl Fn(u8) -> Option<(u8, u32)>) -> Short {
        let mut table = [Self::default(); 1 << SHORT_VALUE];
        for (coefficient, window) in table.iter_mut().zip(windows(SHORT_VALUE)) {
            let mut bits = Bits::of(window);
            let Ok((symbol, length)) = codes.decode(window) else {
                continue;
            };
            if let Some((run, size)) = read(symbol).filter(|(_, size)| length + size <= SHORT_VALUE)
            {
                bits.consume(length);
                let value = i16::try_from(bits.take_signed(size)).unwrap_or_default();
                *coefficient = Self {
                    value,
                    run,
                    length: byte(length + size),
                };
            }
        }
        table
    }

    /// The coefficient that the bits begin with, not consumed.
    #[inline(always)]
    pub(super) fn peek(table: &Short, bits: &Bits) -> Self {
        table[bits.peek::<SHORT_VALUE>() & ((1 << SHORT_VALUE) - 1)]
    }
}

/// All windows of `bits` bits, each left-aligned in 64.
pub(super) fn windows(bits: u32) -> impl Iterator<Item = u64> {
    (0..1_u64 << bits).map(move |window| window << (64 - bits))
}

/// A small length as a byte.
pub(super) fn byte(length: u32) -> u8 {
    length.to_le_bytes()[0]
}

/// A table for DC coefficients (F.2.2.1).
#[derive(Debug, Clone)]
pub(super) struct DcTable {
    codes: Codes,
    short: Short,
}

impl DcTable {
    pub(super) fn new(specification: &Specification) -> Result<Box<Self>, Refusal> {
        let count = specification
            .counts
            .iter()
            .map(|&count| usize::from(count))
            .sum();
        if specification
            .symbols
            .iter()
            .take(count)
            .any(|&size| size > 15)
        {
            return Err(Refusal::Corrupt(
                "JPEG Huffman table with a DC size above 15".into(),
            ));
        }
        let codes = Codes::new(specification)?;
        let short = Coefficient::table(&codes, |size| Some((0, u32::from(size))));
        Ok(Box::new(Self { codes, short }))
    }

    /// The size that `window` begins with, and its code's length.
    pub(super) fn symbol(&self, window: u64) -> Result<(u32, u32), Fault> {
        let (size, length) = self.codes.decode(window)?;
        Ok((u32::from(size), length))
    }

    /// Reads the difference to the previous DC coefficient. Leaves 25 bits of a refill.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits) -> Result<i32, Fault> {
        let coefficient = Coefficient::peek(&self.short, bits);
        if coefficient.length != 0 {
            bits.consume(u32::from(coefficient.length));
            return Ok(i32::from(coefficient.value));
        }
        let (size, length) = self.codes.decode(bits.window())?;
        bits.consume(length);
        Ok(bits.take_signed(u32::from(size)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three codes: 0, 10, 110.
    fn three(symbols: [u8; 3]) -> Specification {
        let mut specification = Specification {
            counts: [0; 16],
            symbols: [0; 256],
        };
        specification.counts[..3].fill(1);
        specification.symbols[..3].copy_from_slice(&symbols);
        specification
    }

    #[test]
    fn codes_are_given_out_in_order_of_length() {
        let codes = Codes::new(&three([7, 8, 9])).unwrap();
        let decoded = [0x0, 0x8, 0xC, 0xE].map(|code| codes.decode(code << 60));
        assert_eq!(
            decoded,
            [Ok((7, 1)), Ok((8, 2)), Ok((9, 3)), Err(Fault::Code)]
        );
    }

    #[test]
    fn codes_of_sixteen_bits_are_found() {
        let mut specification = three([7, 8, 9]);
        specification.counts[15] = 2;
        specification.symbols[3..5].copy_from_slice(&[10, 11]);
        let codes = Codes::new(&specification).unwrap();
        assert_eq!(codes.decode(0xE000 << 48), Ok((10, 16)));
        assert_eq!(codes.decode(0xE001 << 48), Ok((11, 16)));
        assert_eq!(codes.decode(0xE002 << 48), Err(Fault::Code));
    }

    #[test]
    fn more_codes_than_there_is_room_for_are_corrupt() {
        let mut specification = three([0; 3]);
        specification.counts[2] = 3;
        assert!(matches!(
            Codes::new(&specification),
            Err(Refusal::Corrupt(_))
        ));
    }

    #[test]
    fn dc_differences_short_and_long_are_signed() {
        let table = DcTable::new(&three([0, 3, 11])).unwrap();
        // 0, then 10 and 101 for 5, then 110 and 00000000001 for -2046.
        let source = [0b0101_0111, 0b0000_0000, 0b0001_0000, 0xFF, 0xD9];
        let mut bits = Bits::new(&source, 0);
        bits.refill();
        let differences = [(); 3].map(|()| table.difference(&mut bits).unwrap());
        assert_eq!(differences, [0, 5, -2046]);
        assert!(DcTable::new(&three([0, 1, 16])).is_err());
    }
}
