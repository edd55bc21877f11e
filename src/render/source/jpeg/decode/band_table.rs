//! Huffman tables for the bands of progressive scans (ITU-T T.81, G.1.2.2).

use super::{
    Refusal,
    bits::{Bits, Fault},
    huffman::{Codes, Coefficient, Short, Specification},
};

/// A decoded symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// This many zeros, then this value.
    Value(u32, i32),
    /// Sixteen zeros.
    ZeroRun,
    /// The end of the band in this block and others, whose number follows in this many bits.
    EndOfBand(u32),
}

/// A table for AC coefficients.
#[derive(Debug, Clone)]
pub(super) struct BandTable {
    codes: Codes,
    short: Short,
}

impl BandTable {
    pub(super) fn new(specification: &Specification) -> Result<Box<Self>, Refusal> {
        let codes = Codes::new(specification)?;
        let short = Coefficient::table(&codes, |symbol| {
            let size = u32::from(symbol & 15);
            (size > 0).then_some((symbol >> 4, size))
        });
        Ok(Box::new(Self { codes, short }))
    }

    /// Decodes the next symbol; needs 31 bits of a refill.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits) -> Result<Symbol, Fault> {
        let short = Coefficient::peek(&self.short, bits);
        if short.length != 0 {
            bits.consume(u32::from(short.length));
            return Ok(Symbol::Value(u32::from(short.run), i32::from(short.value)));
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
}
