//! Sequential frames: baseline and extended (ITU-T T.81, F.2).
//!
//! Each component is complete after its one scan, so that nothing is kept but
//! the samples of one row of minimum coded units.

use std::ops::Range;

use super::{
    BlockSide, Refusal, Sink,
    bits::{Bits, Fault},
    header::Header,
    huffman::{AcTable, DcTable, Symbol},
    idct::{self, Block, NATURAL, coefficient, dequantized},
    markers::{self, Segments},
    planes::Strip,
    scan::{Runs, Scan},
    tables::Tables,
};

/// Decodes scan by scan until every component has had its own.
///
/// What follows the last scan's data isn't looked at: a picture whose end
/// marker is missing is whole.
pub(super) fn decode(
    header: &Header,
    source: &[u8],
    sides: [BlockSide; 4],
    sink: &mut Sink,
) -> Result<(), Refusal> {
    let mut segments = Segments::new(source)?;
    let mut tables = Tables::default();
    let mut missing = vec![true; header.components.len()];
    while missing.contains(&true) {
        let segment = segments.next()?;
        match segment.marker {
            markers::EOI => {
                return Err(Refusal::Corrupt(
                    "JPEG with a component that has no scan".into(),
                ));
            }
            markers::SOS => {
                let scan = Scan::read(segment.payload, header)?;
                for component in &scan.components {
                    let missing = missing.get_mut(component.index);
                    if !missing.is_some_and(std::mem::take) {
                        return Err(Refusal::Corrupt(
                            "JPEG with a component in two scans".into(),
                        ));
                    }
                }
                let end = decode_scan(
                    header,
                    &scan,
                    &tables,
                    sides,
                    Bits::new(source, segments.position()),
                    sink,
                )?;
                segments.seek(end);
            }
            _ => tables.read(&segment)?,
        }
    }
    Ok(())
}

/// One component during its scan.
struct Decoder<'t> {
    side: BlockSide,
    h: usize,
    v: usize,
    dc: &'t DcTable,
    ac: &'t AcTable,
    /// Quantization steps in zigzag order.
    steps: [u16; 64],
    /// The DC coefficient of the block before.
    prediction: i32,
    strip: Strip,
}

/// Returns where the scan's data ends.
fn decode_scan(
    header: &Header,
    scan: &Scan,
    tables: &Tables,
    sides: [BlockSide; 4],
    bits: Bits,
    sink: &mut Sink,
) -> Result<usize, Refusal> {
    let (mut dc, mut ac) = ([const { None }; 4], [const { None }; 4]);
    for component in &scan.components {
        let side = sides
            .get(component.index)
            .copied()
            .unwrap_or(BlockSide::Eight);
        let skipping = side != BlockSide::Eight;
        if let Some(slot @ None) = dc.get_mut(usize::from(component.dc)) {
            *slot = Some(DcTable::new(tables.dc(component.dc)?)?);
        }
        if let Some(slot) = ac.get_mut(usize::from(component.ac)) {
            let ready = slot.as_ref().is_some_and(|(_, skips)| *skips >= skipping);
            if !ready {
                *slot = Some((AcTable::new(tables.ac(component.ac)?, skipping)?, skipping));
            }
        }
    }
    let mut decoders = Vec::with_capacity(4);
    for component in &scan.components {
        let missing = || Refusal::Corrupt("JPEG scan without its Huffman table".into());
        let plane = header.components.get(component.index).ok_or_else(missing)?;
        let side = sides
            .get(component.index)
            .copied()
            .unwrap_or(BlockSide::Eight);
        decoders.push(Decoder {
            side,
            h: component.h,
            v: component.v,
            dc: dc
                .get(usize::from(component.dc))
                .and_then(Option::as_ref)
                .ok_or_else(missing)?,
            ac: ac
                .get(usize::from(component.ac))
                .and_then(Option::as_ref)
                .map(|(table, _)| table)
                .ok_or_else(missing)?,
            steps: *tables.quantization(plane.quantization)?,
            prediction: 0,
            strip: Strip::new(
                component.index,
                plane,
                side,
                scan.across as usize * component.h,
                component.v,
            ),
        });
    }
    let mut bits = bits;
    for run in Runs::new(scan, tables.restart_interval) {
        if let Some(turn) = run.restart {
            bits.restart(turn)?;
            for decoder in &mut decoders {
                decoder.prediction = 0;
            }
        }
        bits = decode_run(&mut decoders, run.x, bits)?;
        if run.ends_row {
            bits.check()?;
            for decoder in &mut decoders {
                decoder.strip.push(sink);
            }
        }
    }
    Ok(bits.position())
}

/// Decodes minimum coded units of one row (A.2.3).
///
/// It is a function of its own so that its loops have the registers for
/// themselves.
#[inline(never)]
fn decode_run<'a>(
    decoders: &mut [Decoder],
    units: Range<usize>,
    bits: Bits<'a>,
) -> Result<Bits<'a>, Fault> {
    let mut bits = bits.in_registers();
    for unit in units {
        for decoder in &mut *decoders {
            for y in 0..decoder.v {
                for x in 0..decoder.h {
                    decoder.decode_block(&mut bits, unit * decoder.h + x, y)?;
                }
            }
        }
    }
    Ok(bits)
}

impl Decoder<'_> {
    /// Decodes one block (F.2.2) into the strip's column `x`, row `y` of blocks.
    #[inline(always)]
    fn decode_block(&mut self, bits: &mut Bits, x: usize, y: usize) -> Result<(), Fault> {
        bits.refill();
        self.prediction = self.prediction.wrapping_add(self.dc.difference(bits)?);
        let dc = dequantized(coefficient(self.prediction), self.steps[0]);
        if self.side == BlockSide::One {
            let (samples, at, stride) = self.strip.block(x, y);
            idct::store([[idct::one(dc)]], samples, at, stride);
            return self.ac.skip(bits, 1);
        }
        let mut block = [0; 64];
        block[0] = dc;
        let needed = match self.side {
            BlockSide::One | BlockSide::Two => 5,
            BlockSide::Four => 25,
            BlockSide::Eight => 64,
        };
        self.coefficients(bits, needed, &mut block)?;
        self.strip.transform(self.side, &block, x, y);
        Ok(())
    }

    /// Puts the block's first `needed` coefficients in zigzag order into
    /// `block`, dequantized (F.2.2.2), and passes over the others.
    #[inline(always)]
    fn coefficients(&self, bits: &mut Bits, needed: u32, block: &mut Block) -> Result<(), Fault> {
        let mut k = 1;
        while k < needed {
            bits.refill();
            match self.ac.symbol(bits)? {
                Symbol::Value(run, value) => {
                    k += run;
                    let (Some(&at), Some(&step)) =
                        (NATURAL.get(k as usize), self.steps.get(k as usize))
                    else {
                        return Err(Fault::Run);
                    };
                    block[usize::from(at & 63)] = dequantized(coefficient(value), step);
                    k += 1;
                }
                Symbol::ZeroRun => k += 16,
                Symbol::EndOfBand(_) => return Ok(()),
            }
        }
        match k {
            0..64 => self.ac.skip(bits, k),
            64 => Ok(()),
            _ => Err(Fault::Run),
        }
    }
}
