//! Huffman tables for the blocks of sequential scans (ITU-T T.81, F.2.2.2).

use super::{
    Refusal,
    bits::{Bits, Fault},
    huffman::{Codes, Coefficient, DcTable, Short, Specification, byte, windows},
    idct::{coefficient, dequantized},
};

/// The run that stands for the end of a block: longer than any other, it leads out of every block.
const END: u8 = 0x80;

/// Bits of the window of [`BlockTable::skip`].
pub(super) const WINDOW: u32 = 12;

/// The most bits that one lookup of [`BlockTable::skip`] consumes, and the lookups that 56 bits are enough for.
const LONGEST: u32 = 18;
const LOOKUPS: u32 = 56 / LONGEST;

/// The coefficients that one lookup skips: `advance << 8 | bits`.
///
/// `bits` counts those of all, the end of block included. `advance` counts the coefficients, zeros too, plus [`END`] if
/// the block ends; it is 64 if not even the first can be skipped. One addition counts both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skip(pub(super) u16);

impl Skip {
    /// None can be skipped.
    pub(super) const NONE: Self = Self(64 << 8);

    fn new(length: u32, advance: u8) -> Self {
        Self(u16::from_be_bytes([advance, byte(length)]))
    }
}

/// A table for AC coefficients.
#[derive(Debug, Clone)]
pub(super) struct BlockTable {
    codes: Codes,
    short: Short,
    skips: [Skip; 1 << WINDOW],
}

impl BlockTable {
    /// `skipping` fills the table of [`BlockTable::skip`], which costs more than all the rest.
    pub(super) fn new(specification: &Specification, skipping: bool) -> Result<Box<Self>, Refusal> {
        let codes = Codes::new(specification)?;
        // A run of sixteen zeros is read as fifteen and a value of 0, of no bits.
        let short = Coefficient::table(&codes, |symbol| match symbol {
            0xF0 => Some((15, 0)),
            _ => match u32::from(symbol & 15) {
                0 => Some((END, 0)),
                size => Some((symbol >> 4, size)),
            },
        });
        let mut skips = [Skip::new(0, 64); 1 << WINDOW];
        if skipping {
            for (skip, window) in skips.iter_mut().zip(windows(WINDOW)) {
                *skip = skip_at(&codes, window, (0, 0));
            }
        }
        Ok(Box::new(Self {
            codes,
            short,
            skips,
        }))
    }

    /// Stores a block's first `NEEDED` coefficients but the DC in `block`, dequantized, and skips the others. `order`
    /// tells their places.
    #[inline(always)]
    pub(super) fn coefficients<const NEEDED: usize, const SIZE: usize>(
        &self,
        bits: &mut Bits,
        steps: &[u16; 64],
        order: &[u8; NEEDED],
        block: &mut [i16; SIZE],
    ) -> Result<(), Fault> {
        let mut k = 1_usize;
        loop {
            bits.refill();
            // 56 bits are enough for two short coefficients and one of any length.
            for _ in 0..3 {
                let short = Coefficient::peek(&self.short, bits);
                let (run, value) = if short.length == 0 {
                    self.long(bits)?
                } else {
                    bits.consume(u32::from(short.length));
                    (short.run, short.value)
                };
                k += usize::from(run);
                if k >= 64 {
                    return if k >= usize::from(END) {
                        Ok(())
                    } else {
                        Err(Fault::Run)
                    };
                }
                if let (Some(&place), Some(&step)) = (order.get(k), steps.get(k))
                    && let Some(place) = block.get_mut(usize::from(place))
                {
                    *place = dequantized(value, step);
                }
                k += 1;
                if k >= NEEDED {
                    return if k < 64 { self.skip(bits, k) } else { Ok(()) };
                }
                if short.length == 0 {
                    break;
                }
            }
        }
    }

    /// The table of [`BlockTable::skip`].
    pub(super) fn skips(&self) -> &[Skip; 1 << WINDOW] {
        &self.skips
    }

    /// Fills a table that skips from the beginning of a block on, the DC coefficient included.
    pub(super) fn fill_starts(&self, dc: &DcTable, starts: &mut [Skip]) {
        for (start, window) in starts.iter_mut().zip(windows(WINDOW)) {
            *start = match dc.symbol(window) {
                Ok((size, code)) if code <= WINDOW && code + size <= LONGEST => {
                    skip_at(&self.codes, window, (code + size, 1))
                }
                _ => Skip::NONE,
            };
        }
    }

    /// The length of the symbol that `window` begins with, and the coefficient behind it; [`END`] behind a block.
    pub(super) fn symbol(&self, window: u64, k: u32) -> Result<(u32, u32), Fault> {
        let (symbol, length) = self.codes.decode(window)?;
        let size = u32::from(symbol & 15);
        let end = u32::from(END);
        let k = if size == 0 && symbol != 0xF0 {
            end
        } else {
            match k + u32::from(symbol >> 4) + 1 {
                k @ 0..64 => k,
                64 => end,
                _ => return Err(Fault::Run),
            }
        };
        Ok((length + size, k))
    }

    /// A coefficient that isn't in the short table: its run and its value.
    #[inline(always)]
    fn long(&self, bits: &mut Bits) -> Result<(u8, i16), Fault> {
        let (symbol, length) = self.codes.decode(bits.window())?;
        bits.consume(length);
        let size = u32::from(symbol & 15);
        let run = if size == 0 && symbol != 0xF0 {
            END
        } else {
            symbol >> 4
        };
        Ok((run, coefficient(bits.take_signed(size))))
    }

    /// Skips the rest of a block, from coefficient `k` (1 to 63) on.
    ///
    /// One lookup gives the bits and coefficients that the next 12 bits finish, often of several symbols at once. Of
    /// the loop only the bits are a dependency chain: shift, load, shift.
    #[inline(always)]
    pub(super) fn skip(&self, bits: &mut Bits, k: usize) -> Result<(), Fault> {
        const HIGH: u32 = 1 << 8;
        let mut place = u32::try_from(k).unwrap_or_default() * HIGH;
        loop {
            bits.refill();
            for _ in 0..LOOKUPS {
                let skip = u32::from(self.skips[bits.peek::<WINDOW>() & ((1 << WINDOW) - 1)].0);
                let next = place + skip;
                if next < 64 * HIGH {
                    bits.consume(skip & (HIGH - 1));
                    place = next & !(HIGH - 1);
                    continue;
                }
                let next = next / HIGH;
                // The window may hold codes of the next block: an end of block counts only if some of this block is
                // left for it.
                let end = u32::from(END);
                if next == 64 || (end < next && next < end + 64) {
                    bits.consume(skip & (HIGH - 1));
                    return Ok(());
                }
                // One symbol with a long code, or the last ones of a full block.
                bits.refill();
                let (symbol, length) = self.codes.decode(bits.window())?;
                let size = u32::from(symbol & 15);
                bits.consume(length + size);
                if size == 0 && symbol != 0xF0 {
                    return Ok(());
                }
                place += (u32::from(symbol >> 4) + 1) * HIGH;
                match place / HIGH {
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
/// Only codes must: the bits of a value may lie behind the window, since they are skipped unread.
fn skip_at(codes: &Codes, window: u64, (mut length, mut advance): (u32, u32)) -> Skip {
    while let Ok((symbol, code)) = codes.decode(window << length) {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        if length + code > WINDOW || length + code + size > LONGEST {
            break;
        }
        if size == 0 && run < 15 {
            return Skip::new(length + code, byte(advance) | END);
        }
        if advance + run + 1 > 63 {
            break;
        }
        length += code + size;
        advance += run + 1;
    }
    Skip::new(length, if length == 0 { 64 } else { byte(advance) })
}
