//! One component's blocks: from codes to the samples of its strips.

use super::super::{
    BlockSide, Refusal, Sides,
    bits::{Bits, Fault},
    block_table::BlockTable,
    header::Header,
    huffman::DcTable,
    idct::{self, Block, LOWEST_4X4, NATURAL, coefficient, dequantized},
    planes::Strip,
    scan::{Scan, ScanComponent},
    tables::Tables,
};

/// One component during its scan.
pub(super) struct Decoder<'t> {
    pub(super) side: BlockSide,
    pub(super) dc: &'t DcTable,
    pub(super) ac: &'t BlockTable,
    /// Quantization steps in zigzag order.
    pub(super) steps: [u16; 64],
    /// The DC coefficient of the block before.
    pub(super) prediction: i32,
    pub(super) strip: Strip,
    /// The strips of the smaller sizes.
    pub(super) smaller: Vec<Strip>,
}

/// The Huffman tables that a scan uses, by their numbers.
#[derive(Default)]
pub(super) struct Decoding {
    dc: [Option<Box<DcTable>>; 4],
    ac: [Option<Box<BlockTable>>; 4],
}

impl Decoding {
    pub(super) fn new(scan: &Scan, tables: &Tables, sides: [Sides; 4]) -> Result<Self, Refusal> {
        let mut decoding = Self::default();
        let full = |component: &ScanComponent| {
            let sides = sides.get(component.index);
            sides.is_some_and(|sides| sides.largest() == BlockSide::Eight)
        };
        for component in &scan.components {
            if let Some(table @ None) = decoding.dc.get_mut(usize::from(component.dc)) {
                *table = Some(DcTable::new(tables.dc(component.dc)?)?);
            }
            if let Some(table @ None) = decoding.ac.get_mut(usize::from(component.ac)) {
                let mut users = scan
                    .components
                    .iter()
                    .filter(|other| other.ac == component.ac);
                let skipping = !users.all(full);
                *table = Some(BlockTable::new(tables.ac(component.ac)?, skipping)?);
            }
        }
        Ok(decoding)
    }

    pub(super) fn decoder(
        &self,
        header: &Header,
        scan: &Scan,
        component: &ScanComponent,
        tables: &Tables,
        sides: [Sides; 4],
    ) -> Option<Result<Decoder<'_>, Refusal>> {
        let plane = header.components.get(component.index)?;
        let sides = *sides.get(component.index)?;
        let across = scan.across as usize * component.h;
        let dc = self.dc.get(usize::from(component.dc))?.as_ref()?;
        let ac = self.ac.get(usize::from(component.ac))?.as_ref()?;
        let strip = |side| Strip::new(component.index, plane, side, across, component.v);
        Some(
            tables
                .quantization(plane.quantization)
                .map(|steps| Decoder {
                    side: sides.largest(),
                    dc,
                    ac,
                    steps: *steps,
                    prediction: 0,
                    strip: strip(sides.largest()),
                    smaller: sides.smaller().map(strip).collect(),
                }),
        )
    }
}

impl Decoder<'_> {
    /// Decodes one block (F.2.2) into its place in the strip, and for `SEVERAL` sizes into the smaller strips.
    #[inline(always)]
    pub(super) fn decode_block<const SEVERAL: bool>(
        &mut self,
        bits: &mut Bits,
        at: usize,
        (x, y): (usize, usize),
    ) -> Result<(), Fault> {
        bits.refill();
        self.prediction = self.prediction.wrapping_add(self.dc.difference(bits)?);
        let dc = dequantized(coefficient(self.prediction), self.steps[0]);
        match self.side {
            BlockSide::One => {
                self.strip.store([[idct::one(dc)]], at);
                self.ac.skip(bits, 1)?;
            }
            BlockSide::Two => {
                // The fourth in zigzag order is none of the lowest 2x2 and goes to a spare place.
                let mut lowest = [dc, 0, 0, 0, 0];
                self.ac
                    .coefficients(bits, &self.steps, &[0, 1, 2, 4, 3], &mut lowest)?;
                let [mean, across, down, both, _] = lowest;
                self.strip.store(idct::two([mean, across, down, both]), at);
                if SEVERAL {
                    for strip in &mut self.smaller {
                        strip.store([[idct::one(dc)]], strip.offset(x, y));
                    }
                }
            }
            BlockSide::Four => {
                let mut block = [0; 64];
                block[0] = dc;
                self.ac
                    .coefficients(bits, &self.steps, &LOWEST_4X4, &mut block)?;
                self.strip.store(idct::four(&block), at);
                if SEVERAL {
                    self.transform_smaller(&block, x, y);
                }
            }
            BlockSide::Eight => {
                let mut block = [0; 64];
                block[0] = dc;
                self.ac
                    .coefficients(bits, &self.steps, &NATURAL, &mut block)?;
                self.strip.store(idct::eight(&block), at);
                if SEVERAL {
                    self.transform_smaller(&block, x, y);
                }
            }
        }
        Ok(())
    }

    /// Transforms a block at the smaller sizes.
    fn transform_smaller(&mut self, block: &Block, x: usize, y: usize) {
        for strip in &mut self.smaller {
            strip.transform(block, strip.offset(x, y));
        }
    }
}
