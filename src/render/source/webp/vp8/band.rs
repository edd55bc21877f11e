//! The rows of samples that are held at once.

use std::ops::Range;

/// How many rows of the macroblocks above are held beside the newest. The loop filter changes up to three of them, and of
/// chroma the next ones' neighbours are wanted.
pub(super) const KEPT: usize = 8;

/// A row of macroblocks, and the last rows above it.
pub(super) struct Band {
    /// The number of the row of macroblocks.
    number: usize,
    luma: Plane,
    chroma: [Plane; 2],
}

/// One component of a band.
pub(super) struct Plane {
    samples: Vec<u8>,
    stride: usize,
}

impl Band {
    /// The first row of a picture of so many columns of macroblocks.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            number: 0,
            luma: Plane::new(columns * 16, 16),
            chroma: [Plane::new(columns * 8, 8), Plane::new(columns * 8, 8)],
        }
    }

    /// The heap that a band takes.
    pub(super) fn memory_bytes(columns: u64) -> u64 {
        columns * (16 * (16 + 8) + 2 * 8 * (8 + 8))
    }

    /// Makes room for the next row of macroblocks.
    pub(super) fn advance(&mut self) {
        self.number += 1;
        self.luma.advance();
        self.chroma.iter_mut().for_each(Plane::advance);
    }

    /// The planes of luma and chroma.
    pub(super) fn planes(&mut self) -> (&mut Plane, &mut [Plane; 2]) {
        (&mut self.luma, &mut self.chroma)
    }

    /// The rows of luma that are finished after this row of macroblocks, in a picture of `height` rows.
    pub(super) fn finished(&self, height: usize) -> Range<usize> {
        let end = self.number * 16 + 16;
        let start = (end - 16).saturating_sub(KEPT);
        start..if end < height { end - KEPT } else { height }
    }

    /// Row `y` of the picture's luma.
    pub(super) fn luma(&self, y: usize) -> &[u8] {
        self.luma.row(y + KEPT - self.number * 16)
    }

    /// Row `y` of the picture's blue and red differences.
    pub(super) fn chroma(&self, y: usize) -> [&[u8]; 2] {
        let row = y + KEPT - self.number * 8;
        self.chroma.each_ref().map(|plane| plane.row(row))
    }
}

impl Plane {
    fn new(stride: usize, height: usize) -> Self {
        Self {
            samples: vec![0; stride * (KEPT + height)],
            stride,
        }
    }

    fn advance(&mut self) {
        let kept = self.samples.len() - KEPT * self.stride;
        self.samples.copy_within(kept.., 0);
    }

    /// Row `y`, counted from the first that is kept.
    fn row(&self, y: usize) -> &[u8] {
        let start = y * self.stride;
        self.samples.get(start..start + self.stride).unwrap_or(&[])
    }

    /// `N` samples of row `y`, counted from the first that is held, from column `x` on.
    #[inline(always)]
    pub(super) fn samples<const N: usize>(&self, x: usize, y: usize) -> [u8; N] {
        let samples = self.samples.get(y * self.stride + x..);
        let samples = samples.and_then(|samples| samples.first_chunk());
        samples.copied().unwrap_or([0; N])
    }

    /// Puts samples there.
    #[inline(always)]
    pub(super) fn put_samples<const N: usize>(&mut self, x: usize, y: usize, samples: &[u8; N]) {
        let places = self.samples.get_mut(y * self.stride + x..);
        if let Some(place) = places.and_then(|places| places.first_chunk_mut()) {
            *place = *samples;
        }
    }

    /// Puts a macroblock's samples in place.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, column: usize, rows: &[[u8; N]; N]) {
        for (row, y) in rows.iter().zip(KEPT..) {
            self.put_samples(column * N, y, row);
        }
    }
}
