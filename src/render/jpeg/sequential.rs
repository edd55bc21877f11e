//! Sequential frames: baseline and extended (ITU-T T.81, F.2).
//!
//! Each component is complete after its one scan, so that nothing is kept but
//! the samples of one row of minimum coded units.

use super::{
    BlockSide, Refusal, Sink,
    bits::{Bits, Fault},
    header::Header,
    huffman::{AcTable, DcTable, Symbol},
    idct::{self, Block, NATURAL},
    markers::{self, Segments},
    planes::Strip,
    scan::{Restarts, Scan},
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
    let mut restarts = Restarts::new(tables.restart_interval);
    for _ in 0..scan.down {
        bits = decode_row(&mut decoders, scan.across as usize, bits, &mut restarts)?;
        bits.check()?;
        for decoder in &mut decoders {
            decoder.strip.push(sink);
        }
    }
    Ok(bits.position())
}

/// Decodes one row of minimum coded units (A.2.3).
fn decode_row<'a>(
    decoders: &mut [Decoder],
    across: usize,
    mut bits: Bits<'a>,
    restarts: &mut Restarts,
) -> Result<Bits<'a>, Fault> {
    for mcu in 0..across {
        if let Some(turn) = restarts.due() {
            bits.restart(turn)?;
            for decoder in &mut *decoders {
                decoder.prediction = 0;
            }
        }
        for decoder in &mut *decoders {
            for y in 0..decoder.v {
                for x in 0..decoder.h {
                    decoder.decode_block(&mut bits, mcu * decoder.h + x, y)?;
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
        let dc = idct::dequantized(self.prediction, self.steps[0]);
        let (samples, at, stride) = self.strip.block(x, y);
        match self.side {
            BlockSide::One => {
                self.ac.skip(bits, 1)?;
                idct::store([[idct::one(dc)]], samples, at, stride);
            }
            BlockSide::Two => {
                let block = self.block::<5>(bits, dc)?;
                let (samples, at, stride) = self.strip.block(x, y);
                idct::store(idct::two(&block), samples, at, stride);
            }
            BlockSide::Four => {
                let block = self.block::<25>(bits, dc)?;
                let (samples, at, stride) = self.strip.block(x, y);
                idct::store(idct::four(&block), samples, at, stride);
            }
            BlockSide::Eight => {
                let block = self.block::<64>(bits, dc)?;
                let (samples, at, stride) = self.strip.block(x, y);
                idct::store(idct::eight(&block), samples, at, stride);
            }
        }
        Ok(())
    }

    /// The block's first `NEEDED` coefficients in zigzag order, dequantized
    /// (F.2.2.2); the others are passed over.
    #[inline(always)]
    fn block<const NEEDED: u32>(&self, bits: &mut Bits, dc: i16) -> Result<Block, Fault> {
        let mut block = [0; 64];
        block[0] = dc;
        let mut k = 1;
        while k < NEEDED {
            bits.refill();
            match self.ac.symbol(bits)? {
                Symbol::Value(run, value) => {
                    k += run;
                    let (Some(&at), Some(&step)) =
                        (NATURAL.get(k as usize), self.steps.get(k as usize))
                    else {
                        return Err(Fault::Run);
                    };
                    block[usize::from(at & 63)] = idct::dequantized(value, step);
                    k += 1;
                }
                Symbol::ZeroRun => k += 16,
                Symbol::EndOfBand(_) => return Ok(block),
            }
        }
        match k {
            0..64 => self.ac.skip(bits, k)?,
            64 => {}
            _ => return Err(Fault::Run),
        }
        Ok(block)
    }
}
