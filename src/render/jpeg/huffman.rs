//! Huffman codes and the tables that decode them (ITU-T T.81, C.2 and F.2.2.3).

use super::{
    Refusal,
    bits::{Bits, Fault, extend},
};

/// A Huffman table as a DHT segment tells it (B.2.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Specification {
    /// How many codes of 1 to 16 bits there are.
    pub(super) counts: [u8; 16],
    /// The symbols in the order of their codes; zeros fill the rest.
    pub(super) symbols: [u8; 256],
}

/// Bits of the window of [`Codes::short`].
const SHORT: u32 = 9;

/// The canonical code of a table: which symbol stands next in the bits.
#[derive(Debug, Clone)]
struct Codes {
    /// By the next 9 bits: the symbol and its code's length, or length 0 where
    /// the code is longer.
    short: [(u8, u8); 1 << SHORT],
    /// By length: the first 16-bit window that lies behind all codes of at
    /// most that length.
    limits: [u32; 17],
    /// By length: what to add to a code for its index among the symbols.
    offsets: [u32; 17],
    symbols: [u8; 256],
}

impl Codes {
    /// Gives the codes out in order of length, as C.2 does.
    fn new(specification: &Specification) -> Result<Self, Refusal> {
        let mut codes = Self {
            short: [(0, 0); 1 << SHORT],
            limits: [0; 17],
            offsets: [0; 17],
            symbols: specification.symbols,
        };
        let (mut code, mut index) = (0_u32, 0_u32);
        for (length, &count) in (1_u32..).zip(&specification.counts) {
            let count = u32::from(count);
            let slot = length as usize & 15 | (length as usize & 16);
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
    fn decode(&self, window: u64) -> Result<(u8, u32), Fault> {
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

/// Bits of the window of [`DcTable`]'s and [`AcTable`]'s values.
const VALUE: u32 = 10;

/// A coefficient whose code and bits fit into one window.
#[derive(Debug, Clone, Copy, Default)]
struct Coefficient {
    value: i16,
    /// How many zeros precede it.
    run: u8,
    /// Bits of the code and of the value; 0 if they don't fit.
    length: u8,
}

impl Coefficient {
    /// The coefficient that `window` begins with, if `size_of` finds one in
    /// its symbol and it ends within [`VALUE`] bits.
    fn at(codes: &Codes, window: u64, size_of: impl Fn(u8) -> Option<u32>) -> Self {
        let Ok((symbol, length)) = codes.decode(window) else {
            return Self::default();
        };
        let Some(size) = size_of(symbol).filter(|size| length + size <= VALUE) else {
            return Self::default();
        };
        let bits = ((window << length >> 1 >> (63 - size)) & 0xFFFF) as u32;
        Self {
            value: i16::try_from(extend(bits, size)).unwrap_or_default(),
            run: symbol >> 4,
            length: byte(length + size),
        }
    }
}

/// The windows of `bits` bits, each left-aligned in 64.
fn windows(bits: u32) -> impl Iterator<Item = u64> {
    (0..1_u64 << bits).map(move |window| window << (64 - bits))
}

/// A table for DC coefficients (F.2.2.1).
#[derive(Debug, Clone)]
pub(super) struct DcTable {
    codes: Codes,
    values: [Coefficient; 1 << VALUE],
}

impl DcTable {
    pub(super) fn new(specification: &Specification) -> Result<Box<Self>, Refusal> {
        let coded = specification
            .counts
            .iter()
            .map(|&count| usize::from(count))
            .sum();
        if specification
            .symbols
            .iter()
            .take(coded)
            .any(|&size| size > 15)
        {
            return Err(Refusal::Corrupt(
                "JPEG Huffman table with a DC size above 15".into(),
            ));
        }
        let mut table = Box::new(Self {
            codes: Codes::new(specification)?,
            values: [Coefficient::default(); 1 << VALUE],
        });
        for (value, window) in table.values.iter_mut().zip(windows(VALUE)) {
            *value = Coefficient::at(&table.codes, window, |size| Some(u32::from(size)));
        }
        Ok(table)
    }

    /// The difference to the DC coefficient before. Leaves 25 bits of a refill.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits) -> Result<i32, Fault> {
        let entry = self.values[bits.peek::<VALUE>() & ((1 << VALUE) - 1)];
        if entry.length != 0 {
            bits.consume(u32::from(entry.length));
            return Ok(i32::from(entry.value));
        }
        let (size, length) = self.codes.decode(bits.window())?;
        bits.consume(length);
        Ok(bits.take_signed(u32::from(size)))
    }
}

/// What an AC code says (F.2.2.2 and G.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// So many zeros, then this value.
    Value(u32, i32),
    /// Sixteen zeros.
    ZeroRun,
    /// The band ends here, in progressive scans also in other blocks: the
    /// number of bits that say in how many.
    EndOfBand(u32),
}

/// Bits of the window of [`AcTable::skip`].
const SKIP: u32 = 12;

/// The most bits that one lookup there may finish, and how many lookups a
/// refill's 56 bits are enough for.
const LONGEST: u32 = 18;
const LOOKUPS: u32 = 56 / LONGEST;

/// The flag of a [`Skip`] that ends its block.
const END: u8 = 0x80;

/// As many whole coefficients as fit into one window, to be passed over.
#[derive(Debug, Clone, Copy)]
struct Skip {
    /// Bits of all of them, the end of block included.
    length: u8,
    /// How far they advance in the block, with [`END`] if the block ends; 64
    /// if not even the first fits.
    advance: u8,
}

/// A table for AC coefficients (F.2.2.2).
#[derive(Debug, Clone)]
pub(super) struct AcTable {
    codes: Codes,
    values: [Coefficient; 1 << VALUE],
    skips: [Skip; 1 << SKIP],
}

impl AcTable {
    /// `skipping` fills the table of [`AcTable::skip`], which costs more than
    /// all the rest.
    pub(super) fn new(specification: &Specification, skipping: bool) -> Result<Box<Self>, Refusal> {
        let mut table = Box::new(Self {
            codes: Codes::new(specification)?,
            values: [Coefficient::default(); 1 << VALUE],
            skips: [Skip {
                length: 0,
                advance: 64,
            }; 1 << SKIP],
        });
        for (value, window) in table.values.iter_mut().zip(windows(VALUE)) {
            // A size of 0 is no value but a run of zeros or an end.
            let size = |symbol: u8| Some(u32::from(symbol & 15)).filter(|&size| size > 0);
            *value = Coefficient::at(&table.codes, window, size);
        }
        if skipping {
            for (skip, window) in table.skips.iter_mut().zip(windows(SKIP)) {
                *skip = skip_at(&table.codes, window);
            }
        }
        Ok(table)
    }

    /// Decodes the next symbol; needs 31 bits of a refill.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits) -> Result<Symbol, Fault> {
        let entry = self.values[bits.peek::<VALUE>() & ((1 << VALUE) - 1)];
        if entry.length != 0 {
            bits.consume(u32::from(entry.length));
            return Ok(Symbol::Value(u32::from(entry.run), i32::from(entry.value)));
        }
        let (symbol, length) = self.codes.decode(bits.window())?;
        bits.consume(length);
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        Ok(match (run, size) {
            (15, 0) => Symbol::ZeroRun,
            (run, 0) => Symbol::EndOfBand(run),
            (run, size) => Symbol::Value(run, bits.take_signed(size)),
        })
    }

    /// Passes over the rest of a sequential block, from coefficient `k` (at
    /// least 1) on.
    ///
    /// One lookup says how many bits and coefficients the next 12 bits finish,
    /// often several symbols at once. The bits' part of it is the loop's whole
    /// dependency chain: shift, load, shift.
    #[inline(always)]
    pub(super) fn skip(&self, bits: &mut Bits, k: u32) -> Result<(), Fault> {
        let mut k = k;
        loop {
            bits.refill();
            for _ in 0..LOOKUPS {
                let skip = self.skips[bits.peek::<SKIP>() & ((1 << SKIP) - 1)];
                let next = k + u32::from(skip.advance);
                if next < 64 {
                    bits.consume(u32::from(skip.length));
                    k = next;
                    continue;
                }
                // Nothing of the window may belong to the next block: an end
                // of block counts only if block is left for it.
                if next == 64 || (u32::from(END) + 1..u32::from(END) + 64).contains(&next) {
                    bits.consume(u32::from(skip.length));
                    // A window of which nothing fits advances by 64, to 65 or more.
                    return Ok(());
                }
                // One symbol with a long code, or the last ones of a full block.
                bits.refill();
                let (symbol, length) = self.codes.decode(bits.window())?;
                let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                bits.consume(length + size);
                if size == 0 && run < 15 {
                    return Ok(());
                }
                k += run + 1;
                match k {
                    0..64 => break,
                    64 => return Ok(()),
                    _ => return Err(Fault::Run),
                }
            }
        }
    }
}

/// Follows the symbols whose codes lie within a window.
///
/// Only codes need to: the bits of a value may lie behind the window, since
/// nobody wants to know them.
fn skip_at(codes: &Codes, window: u64) -> Skip {
    let (mut length, mut advance) = (0, 0);
    while let Ok((symbol, code)) = codes.decode(window << length) {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        if length + code > SKIP || length + code + size > LONGEST {
            break;
        }
        if size == 0 && run < 15 {
            return Skip {
                length: byte(length + code),
                advance: byte(advance) | END,
            };
        }
        if advance + run + 1 > 63 {
            break;
        }
        length += code + size;
        advance += run + 1;
    }
    Skip {
        length: byte(length),
        advance: if length == 0 { 64 } else { byte(advance) },
    }
}

fn byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}
