//! Rows of samples on their way out.

use super::{
    BlockSide, Sink,
    frame::Component,
    idct::{self, Block},
};

/// The samples of one row of blocks of a component, or of as many rows of
/// blocks as a minimum coded unit has.
#[derive(Debug)]
pub(super) struct Strip {
    component: usize,
    samples: Vec<u8>,
    stride: usize,
    side: usize,
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
        let side = side.samples() as usize;
        let stride = across * side;
        Self {
            component: index,
            samples: vec![0; stride * side * down],
            stride,
            side,
            width: width as usize,
            rows_left: height as usize,
        }
    }

    /// All samples, the place of a block's first, and the distance of its rows.
    #[inline(always)]
    pub(super) fn block(&mut self, x: usize, y: usize) -> (&mut [u8], usize, usize) {
        (
            &mut self.samples,
            (y * self.stride + x) * self.side,
            self.stride,
        )
    }

    /// Puts blocks of one sample in, from left to right.
    pub(super) fn fill_ones(&mut self, samples: impl Iterator<Item = u8>) {
        for (place, sample) in self.samples.iter_mut().zip(samples) {
            *place = sample;
        }
    }

    /// Puts blocks of 2x2 samples in, from left to right.
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

    /// Puts a block's samples into its place.
    pub(super) fn transform(&mut self, side: BlockSide, block: &Block, x: usize, y: usize) {
        let (samples, at, stride) = self.block(x, y);
        match side {
            BlockSide::One => idct::store([[idct::one(block[0])]], samples, at, stride),
            BlockSide::Two => {
                let lowest = [block[0], block[1], block[8], block[9]];
                idct::store(idct::two(lowest), samples, at, stride);
            }
            BlockSide::Four => idct::store(idct::four(block), samples, at, stride),
            BlockSide::Eight => idct::store(idct::eight(block), samples, at, stride),
        }
    }

    /// Hands the rows on, without the padding to whole blocks (A.2.4).
    pub(super) fn push(&mut self, sink: &mut Sink) {
        for row in self.samples.chunks_exact(self.stride).take(self.rows_left) {
            if let Some(row) = row.get(..self.width) {
                sink(self.component, row);
            }
        }
        self.rows_left = self
            .rows_left
            .saturating_sub(self.samples.len() / self.stride);
    }
}
