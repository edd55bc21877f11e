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
    /// By block, the set of coefficients that aren't zero so far, also of those that aren't kept: refinement needs
    /// them. Empty if only DC is kept.
    histories: Vec<u64>,
    /// How many blocks a row has, the padding of interleaved scans included.
    across: usize,
    /// By place in zigzag order, the place among a block's values; 0 for DC and what isn't kept.
    slots: [u8; 64],
    /// The set of coefficients up to the last one that is kept.
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

    /// A block's kept coefficients; none if there is no such block.
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

    /// Reconstructs samples at each of these sizes, none larger than the one that coefficients are kept for.
    pub(super) fn reconstruct(
        &self,
        index: usize,
        component: &Component,
        sizes: &[Size],
        sink: &mut Sink,
    ) {
        let kept = self.side.samples() as usize;
        let mut strips: Vec<Strip> = sizes
            .iter()
            .map(|size| Strip::new(index, component, size.side, self.across, 1))
            .collect();
        let mut placed = [0; 64];
        for (natural, &step) in NATURAL.iter().zip(&self.steps) {
            placed[usize::from(natural & 63)] = step;
        }
        let rows = self.values.chunks_exact(self.across * kept * kept);
        for row in rows.take(component.blocks_down as usize) {
            for (strip, size) in strips.iter_mut().zip(sizes) {
                self.fill(strip, size, row, &placed);
                strip.push(sink);
            }
        }
    }

    /// Fills a strip from a row of blocks; `placed` has the quantization steps row by row.
    fn fill(&self, strip: &mut Strip, size: &Size, row: &[i16], placed: &[u16; 64]) {
        let (kept, steps) = (self.side.samples() as usize, &self.steps);
        let blocks = row.chunks_exact(kept * kept);
        match (size.side, self.side) {
            // Without a block in between, these are vectorized.
            (BlockSide::One, BlockSide::One) => {
                let dc = row.iter().map(|&dc| dequantized(dc, steps[0]));
                strip.fill_ones(dc.map(idct::one));
            }
            (BlockSide::One, _) => {
                let dc = blocks.map(|block| dequantized(block[0], steps[0]));
                strip.fill_ones(dc.map(idct::one));
            }
            (BlockSide::Two, BlockSide::Two) => {
                let blocks = row.as_chunks().0.iter();
                strip.fill_twos(blocks.map(|values| idct::two(dequantized_2x2(*values, steps))));
            }
            (BlockSide::Two, _) => {
                let blocks = blocks.map(|block| {
                    let lowest = [0, 1, 8, 9].map(|place| {
                        let value = block[place / 8 * kept + place % 8];
                        cut_off(value, size.odd[place])
                    });
                    idct::two(dequantized_2x2(lowest, steps))
                });
                strip.fill_twos(blocks);
            }
            (BlockSide::Four | BlockSide::Eight, _) => {
                let samples = size.side.samples() as usize;
                for (x, values) in blocks.enumerate() {
                    let mut block = placed_block(values, kept, samples, size);
                    for (value, step) in block.iter_mut().zip(placed) {
                        *value = dequantized(*value, *step);
                    }
                    strip.transform(&block, strip.offset(x, 0));
                }
            }
        }
    }
}

/// The lowest 2x2 coefficients, dequantized.
#[inline(always)]
fn dequantized_2x2([mean, across, down, both]: [i16; 4], steps: &[u16; 64]) -> [i16; 4] {
    [
        dequantized(mean, steps[0]),
        dequantized(across, steps[1]),
        dequantized(down, steps[2]),
        dequantized(both, steps[4]),
    ]
}

/// The lowest `samples * samples` coefficients of `kept * kept` in the places of a whole block.
#[inline(always)]
fn placed_block(values: &[i16], kept: usize, samples: usize, size: &Size) -> Block {
    let mut block = [0; 64];
    let lines = block.chunks_exact_mut(8).zip(values.chunks_exact(kept));
    for (line, values) in lines.take(samples) {
        for (place, &value) in line.iter_mut().zip(values).take(samples) {
            *place = value;
        }
    }
    if size.cuts {
        for (value, odd) in block.iter_mut().zip(&size.odd) {
            *value = cut_off(*value, *odd);
        }
    }
    block
}

/// Clears the last bit of the value's magnitude where `odd` is 1.
#[inline(always)]
fn cut_off(value: i16, odd: i16) -> i16 {
    value.wrapping_sub((value >> 15) & odd.wrapping_neg()) & !odd
}

/// A size at which samples are reconstructed.
#[derive(Debug)]
pub(super) struct Size {
    side: BlockSide,
    cuts: bool,
    /// Row by row, 1 for each coefficient whose last bit is cleared.
    odd: Block,
}

impl Size {
    /// `last_bits` are the coefficients whose last bit is cleared, as a set of bits in zigzag order.
    pub(super) fn new(side: BlockSide, last_bits: u64) -> Self {
        let mut odd = [0; 64];
        for (k, natural) in NATURAL.iter().enumerate() {
            odd[usize::from(natural & 63)] = i16::from(last_bits >> k & 1 == 1);
        }
        Self {
            side,
            cuts: last_bits != 0,
            odd,
        }
    }
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
    /// The set of coefficients that aren't zero so far.
    #[inline(always)]
    pub(super) fn history(&self) -> u64 {
        self.history.as_ref().map_or(0, |history| **history)
    }

    /// The set of coefficients up to the last one that is kept.
    #[inline(always)]
    pub(super) fn near(&self) -> u64 {
        self.near
    }

    /// Sets coefficient `k`, which was zero, to its first bits.
    #[inline(always)]
    pub(super) fn set(&mut self, k: u32, value: i32) {
        if let Some(history) = &mut self.history {
            **history |= 1 << (k & 63);
        }
        if let Some(place) = self.place(k) {
            *place = coefficient(value);
        }
    }

    /// Adds a bit to the coefficient's magnitude, without a branch, which couldn't be predicted.
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
