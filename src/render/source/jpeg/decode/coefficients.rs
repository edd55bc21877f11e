//! The coefficients that a progressive frame gathers scan by scan.

use super::{
    BlockSide, Sink,
    frame::Component,
    header::Header,
    idct::{self, Block, NATURAL, coefficient, dequantized},
    planes::Strip,
};

/// The coefficients of a component that its reduced size needs.
#[derive(Debug)]
pub(super) struct Coefficients {
    side: BlockSide,
    /// By block, then row by row, `side * side` of each.
    values: Vec<i16>,
    /// By block, the coefficients that aren't zero so far, also those that
    /// aren't kept: refinement needs them. Empty if only DC is kept.
    histories: Vec<u64>,
    /// How many blocks a row has, the padding of interleaved scans included.
    across: usize,
    /// By place in zigzag order, the place among the values.
    slots: [u8; 64],
    /// The coefficients up to the last one that is kept.
    near: u64,
    /// Quantization steps in zigzag order.
    steps: [u16; 64],
}

impl Coefficients {
    pub(super) fn new(
        header: &Header,
        component: &Component,
        side: BlockSide,
        steps: [u16; 64],
    ) -> Self {
        let (across, down) = padded(header, component);
        let blocks = across * down;
        let samples = side.samples();
        let mut slots = [0; 64];
        for (slot, natural) in slots.iter_mut().zip(NATURAL) {
            let (row, column) = (u32::from(natural / 8), u32::from(natural % 8));
            if row < samples && column < samples {
                *slot = (row * samples + column).to_le_bytes()[0];
            }
        }
        Self {
            side,
            values: vec![0; blocks * (samples * samples) as usize],
            histories: if side == BlockSide::One {
                Vec::new()
            } else {
                vec![0; blocks]
            },
            across,
            slots,
            near: u64::MAX >> Self::wanted(side).leading_zeros(),
            steps,
        }
    }

    /// The heap that [`Coefficients::new`] takes.
    pub(super) fn memory_bytes(header: &Header, component: &Component, side: BlockSide) -> u64 {
        let (across, down) = padded(header, component);
        let samples = u64::from(side.samples());
        let history = if side == BlockSide::One { 0 } else { 8 };
        across as u64 * down as u64 * (2 * samples * samples + history)
    }

    /// The coefficients that a reduced size needs, as a set of bits in zigzag order.
    pub(super) fn wanted(side: BlockSide) -> u64 {
        let low = |natural: u8| u32::from(natural / 8).max(u32::from(natural % 8)) < side.samples();
        (0..)
            .zip(NATURAL)
            .filter(|&(_, natural)| low(natural))
            .fold(0, |set, (k, _)| set | 1 << k)
    }

    fn dc(&mut self, x: usize, y: usize) -> Option<&mut i16> {
        let samples = self.side.samples() as usize;
        self.values
            .get_mut((y * self.across + x) * samples * samples)
    }

    #[inline(always)]
    pub(super) fn set_dc(&mut self, x: usize, y: usize, value: i32) {
        if let Some(dc) = self.dc(x, y) {
            *dc = coefficient(value);
        }
    }

    #[inline(always)]
    pub(super) fn add_dc_bit(&mut self, x: usize, y: usize, bit: i32) {
        if let Some(dc) = self.dc(x, y) {
            *dc |= coefficient(bit);
        }
    }

    /// One block's part; an empty one where there is none.
    #[inline(always)]
    pub(super) fn block(&mut self, x: usize, y: usize) -> BlockMut<'_> {
        let index = y * self.across + x;
        let kept = (self.side.samples() * self.side.samples()) as usize;
        BlockMut {
            values: self
                .values
                .get_mut(index * kept..(index + 1) * kept)
                .unwrap_or_default(),
            history: self.histories.get_mut(index),
            slots: &self.slots,
            near: self.near,
        }
    }

    /// Turns the coefficients into samples.
    pub(super) fn reconstruct(&self, index: usize, component: &Component, sink: &mut Sink) {
        let steps = &self.steps;
        let side = self.side.samples() as usize;
        let mut strip = Strip::new(index, component, self.side, self.across, 1);
        let mut placed = [0; 64];
        for (natural, &step) in NATURAL.iter().zip(steps) {
            placed[usize::from(natural & 63)] = step;
        }
        let rows = self.values.chunks_exact(self.across * side * side);
        for row in rows.take(component.blocks_down as usize) {
            match self.side {
                // Without a block in between, the compiler makes vectors of these.
                BlockSide::One => {
                    let dc = row.iter().map(|&dc| dequantized(dc, steps[0]));
                    strip.fill_ones(dc.map(idct::one));
                }
                BlockSide::Two => {
                    let steps = [steps[0], steps[1], steps[2], steps[4]];
                    let blocks = row.as_chunks().0.iter();
                    strip.fill_twos(blocks.map(|&[mean, across, down, both]| {
                        idct::two([
                            dequantized(mean, steps[0]),
                            dequantized(across, steps[1]),
                            dequantized(down, steps[2]),
                            dequantized(both, steps[3]),
                        ])
                    }));
                }
                BlockSide::Four | BlockSide::Eight => {
                    for (x, values) in row.chunks_exact(side * side).enumerate() {
                        let block = placed_block(values, side, &placed);
                        strip.transform(self.side, &block, strip.offset(x, 0));
                    }
                }
            }
            strip.push(sink);
        }
    }
}

/// The kept coefficients in the places of a whole block, dequantized.
#[inline(always)]
fn placed_block(values: &[i16], side: usize, steps: &[u16; 64]) -> Block {
    let mut block = [0; 64];
    let lines = block.chunks_exact_mut(8).zip(steps.chunks_exact(8));
    for ((line, steps), values) in lines.zip(values.chunks_exact(side)) {
        for ((place, &step), &value) in line.iter_mut().zip(steps).zip(values) {
            *place = dequantized(value, step);
        }
    }
    block
}

/// The blocks of a component in an interleaved scan, across and down.
fn padded(header: &Header, component: &Component) -> (usize, usize) {
    let (across, down) = header.mcus;
    (
        (across * component.h) as usize,
        (down * component.v) as usize,
    )
}

/// The kept coefficients of one block and its history.
pub(super) struct BlockMut<'a> {
    values: &'a mut [i16],
    history: Option<&'a mut u64>,
    slots: &'a [u8; 64],
    near: u64,
}

impl BlockMut<'_> {
    /// The coefficients that aren't zero so far.
    #[inline(always)]
    pub(super) fn history(&self) -> u64 {
        self.history.as_ref().map_or(0, |history| **history)
    }

    /// The coefficients up to the last one that is kept.
    #[inline(always)]
    pub(super) fn near(&self) -> u64 {
        self.near
    }

    /// Gives the coefficient `k` its first bits.
    #[inline(always)]
    pub(super) fn set(&mut self, k: u32, value: i32) {
        if let Some(history) = &mut self.history {
            **history |= 1 << (k & 63);
        }
        if let Some(place) = self.place(k) {
            *place = coefficient(value);
        }
    }

    /// Adds a bit to the coefficient's magnitude, without a branch on the bit,
    /// which nobody could predict.
    #[inline(always)]
    pub(super) fn correct(&mut self, k: u32, bit: i16) {
        if let Some(place) = self.place(k) {
            let sign = *place >> 15;
            *place = place.wrapping_add((bit ^ sign) - sign);
        }
    }

    #[inline(always)]
    fn place(&mut self, k: u32) -> Option<&mut i16> {
        let slot = self.slots[k as usize & 63];
        if slot == 0 {
            None
        } else {
            self.values.get_mut(usize::from(slot))
        }
    }
}
