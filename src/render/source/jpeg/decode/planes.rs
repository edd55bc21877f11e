//! Buffers of decoded samples, passed on row by row.

use super::{
    BlockSide, Sink,
    frame::Component,
    idct::{self, Block},
};

/// The samples of one row of blocks of a component, or of as many rows of blocks as a minimum coded unit has.
#[derive(Debug)]
pub(super) struct Strip {
    component: usize,
    samples: Vec<u8>,
    stride: usize,
    side: BlockSide,
    /// The plane's width.
    width: usize,
    /// The plane's rows that are still to come.
    rows_left: usize,
}

impl Strip {
    /// `across` and `down` count blocks.
    pub(super) fn new(
        index: usize,
        component: &Component,
        side: BlockSide,
        across: usize,
        down: usize,
    ) -> Self {
        let (width, height) = component.plane_size(side);
        let samples = side.samples() as usize;
        let stride = across * samples;
        Self {
            component: index,
            samples: vec![0; stride * samples * down],
            stride,
            side,
            width: width as usize,
            rows_left: height as usize,
        }
    }

    /// Where the samples of a block begin, in column `x` and row `y` of blocks.
    pub(super) fn offset(&self, x: usize, y: usize) -> usize {
        (y * self.stride + x) * self.side.samples() as usize
    }

    /// Stores a block's samples where [`Strip::offset`] says.
    #[inline(always)]
    pub(super) fn store<const N: usize>(&mut self, block: [[u8; N]; N], at: usize) {
        for (y, row) in block.into_iter().enumerate() {
            let place = self.samples.get_mut(at + y * self.stride..);
            if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
                *place = row;
            }
        }
    }

    /// Stores blocks of one sample, from left to right.
    pub(super) fn fill_ones(&mut self, samples: impl Iterator<Item = u8>) {
        for (place, sample) in self.samples.iter_mut().zip(samples) {
            *place = sample;
        }
    }

    /// Stores blocks of 2x2 samples, from left to right.
    pub(super) fn fill_twos(&mut self, samples: impl Iterator<Item = [[u8; 2]; 2]>) {
        let (upper, lower) = self.samples.split_at_mut(self.stride);
        let places = upper
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(lower.as_chunks_mut().0);
        for ((upper, lower), block) in places.zip(samples) {
            [*upper, *lower] = block;
        }
    }

    /// Transforms a block and stores its samples.
    pub(super) fn transform(&mut self, block: &Block, at: usize) {
        match self.side {
            BlockSide::One => self.store([[idct::one(block[0])]], at),
            BlockSide::Two => {
                let lowest = [block[0], block[1], block[8], block[9]];
                self.store(idct::two(lowest), at);
            }
            BlockSide::Four => self.store(idct::four(block), at),
            BlockSide::Eight => self.store(idct::eight(block), at),
        }
    }

    /// Passes the rows to `sink`, without the padding to whole blocks (A.2.4).
    pub(super) fn push(&mut self, sink: &mut Sink) {
        for row in self.samples.chunks_exact(self.stride).take(self.rows_left) {
            if let Some(row) = row.get(..self.width) {
                sink(self.component, self.side, row);
            }
        }
        self.rows_left = self
            .rows_left
            .saturating_sub(self.samples.len() / self.stride);
    }
}
