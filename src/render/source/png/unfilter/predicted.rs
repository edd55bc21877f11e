//! Undoing any mixture of filters for several scanlines at once, their pixels side by side in a vector of bytes.

#![expect(
    clippy::inline_always,
    reason = "a pixel's few instructions must not pass through memory"
)]

use wide::{bytemuck::cast, u8x16, u16x8};

const _: () = assert!(
    cfg!(target_endian = "little"),
    "a number's low byte is its first"
);

/// How many pixels each scanline is behind the one above it: one more than needed, which leaves time to move what is
/// above a pixel into its lanes while the pixel before is predicted.
const BEHIND: usize = 2;

/// Pixels between two looks at the bounds of slices.
const BLOCK: usize = 4;

/// Undoes the filters of `R` scanlines of pixels of `N` bytes, each with its filter byte, whose first is below `above`.
///
/// `R` is 4 for up to four bytes, and 2 for up to eight.
pub(super) fn undo<const N: usize, const R: usize>(
    lines: [&[u8]; R],
    above: &[u8],
    rows: [&mut [u8]; R],
) {
    let mut scanlines = Scanlines::<N, R> {
        coded: lines.map(|line| line[1..].as_chunks().0),
        above: above.as_chunks().0,
        rows: rows.map(|row| row.as_chunks_mut().0),
    };
    let mut predictor = Predictor::new(lines.map(|line| line[0]));
    let (length, delay) = (scanlines.above.len(), BEHIND * (R - 1));
    let blocks = length.saturating_sub(delay) / BLOCK;
    for step in 0..delay {
        scanlines.step(&mut predictor, step);
    }
    if blocks > 0 {
        predictor = scanlines.blocks(predictor, blocks);
    }
    for step in delay + blocks * BLOCK..length + delay {
        scanlines.step(&mut predictor, step);
    }
}

/// Scanlines that are unfiltered step by step, each [`BEHIND`] the one above it.
struct Scanlines<'a, const N: usize, const R: usize> {
    coded: [&'a [[u8; N]]; R],
    above: &'a [[u8; N]],
    rows: [&'a mut [[u8; N]]; R],
}

impl<const N: usize, const R: usize> Scanlines<'_, N, R> {
    /// A step in which some scanlines may have no pixel.
    fn step(&mut self, predictor: &mut Predictor<R>, step: usize) {
        let pixel = |line: &[[u8; N]], row: usize| {
            let place = step.checked_sub(BEHIND * row);
            place.and_then(|place| line.get(place)).map_or(0, number)
        };
        let coded = std::array::from_fn(|row| pixel(self.coded[row], row));
        let pixels = predictor.next(coded, pixel(self.above, 0));
        for (row, (line, pixel)) in self.rows.iter_mut().zip(pixels).enumerate() {
            let place = step.checked_sub(BEHIND * row);
            if let Some(place) = place.and_then(|place| line.get_mut(place)) {
                place.copy_from_slice(&pixel.to_le_bytes()[..N]);
            }
        }
    }

    /// So many blocks of steps from the first on in which each scanline has a pixel.
    fn blocks(&mut self, mut predictor: Predictor<R>, blocks: usize) -> Predictor<R> {
        let start = |row: usize| BEHIND * (R - 1 - row);
        let coded: [_; R] =
            std::array::from_fn(|row| self.coded[row][start(row)..].as_chunks::<BLOCK>().0);
        let above = self.above[start(0)..].as_chunks::<BLOCK>().0;
        let mut starts = (0..R).map(start);
        let mut rows = self.rows.each_mut().map(|row| {
            let start = starts.next().unwrap_or_default();
            row[start..].as_chunks_mut::<BLOCK>().0
        });
        for block in 0..blocks {
            let coded = coded.map(|line| &line[block]);
            let above = &above[block];
            let mut rows = rows.each_mut().map(|row| &mut row[block]);
            for index in 0..BLOCK {
                let coded = coded.map(|pixels| load(pixels, index));
                let pixels = predictor.next(coded, load(above, index));
                for (row, pixel) in rows.iter_mut().zip(pixels) {
                    store(row, index, pixel);
                }
            }
        }
        predictor
    }
}

/// The pixels from which the next of each scanline are predicted, and the scanlines' filters.
struct Predictor<const R: usize> {
    left: u8x16,
    /// The pixels left of `left`.
    before: u8x16,
    /// What the Paeth filter takes for the pixels above `left`.
    corner: u8x16,
    paeth: u8x16,
    up: u8x16,
    average: u8x16,
    /// The lanes of the filters whose bytes the Paeth predictor must leave as they are.
    others: u8x16,
}

impl<const R: usize> Predictor<R> {
    fn new(kinds: [u8; R]) -> Self {
        let lanes =
            |wanted: &[u8]| gather(kinds.map(|kind| u64::MAX * u64::from(wanted.contains(&kind))));
        let others = lanes(&[0, 2, 3]);
        Self {
            left: u8x16::default(),
            before: u8x16::default(),
            corner: others,
            paeth: lanes(&[4]),
            up: lanes(&[2]),
            average: lanes(&[3]),
            others,
        }
    }

    /// The next pixel of each scanline, of up to `16 / R` bytes, given the next one above the first.
    ///
    /// Each depends on the one before, so all that doesn't is kept off that way. For the sake of the Paeth predictor let
    /// `fall` be from the corner down to the smaller neighbour, and `rise` up to the greater, none below zero. The greater
    /// is nearest where `rise` is at least twice `fall`, the smaller where `fall` is at least twice `rise`, and else
    /// the corner; where both hold, all are equal. With zeros above it predicts the left pixel, which undoes the first
    /// filter, and with a corner of 255 it predicts zero.
    #[inline(always)]
    fn next(&mut self, coded: [u64; R], above: u64) -> [u64; R] {
        let rows = scatter::<R>(self.before);
        let above = gather::<R>(std::array::from_fn(|row| match row {
            0 => above,
            _ => rows[row - 1],
        }));
        let (left, corner) = (self.left, self.corner);
        let beside = above & self.paeth;
        let fall = corner
            .saturating_sub(left)
            .max(corner.saturating_sub(beside));
        let rise = left
            .saturating_sub(corner)
            .max(beside.saturating_sub(corner));
        let to_greater = fall.saturating_add(fall).max(rise).simd_eq(rise);
        let to_smaller = rise.saturating_add(rise).max(fall).simd_eq(fall);
        let different: u16x8 = cast(left ^ above);
        let half: u8x16 = cast(different.unbounded_shr_scalar(1));
        let half = half & (self.average & u8x16::splat(0x7F));
        let common = left & (above & self.average);
        let flat = gather(coded) + (above & self.up) + corner + common + half;
        self.before = left;
        self.left = flat + ((rise & to_greater) - (fall & to_smaller));
        self.corner = beside | self.others;
        scatter(self.left)
    }
}

/// Pixels side by side.
#[expect(
    clippy::cast_possible_truncation,
    reason = "four pixels have up to four bytes each"
)]
#[inline(always)]
fn gather<const R: usize>(pixels: [u64; R]) -> u8x16 {
    if R == 4 {
        cast::<[u32; 4], _>(std::array::from_fn(|row| pixels[row] as u32))
    } else {
        cast::<[u64; 2], _>(std::array::from_fn(|row| pixels[row]))
    }
}

/// The opposite of [`gather`].
#[inline(always)]
fn scatter<const R: usize>(lanes: u8x16) -> [u64; R] {
    if R == 4 {
        let pixels = cast::<_, [u32; 4]>(lanes);
        std::array::from_fn(|row| u64::from(pixels[row]))
    } else {
        let pixels = cast::<_, [u64; 2]>(lanes);
        std::array::from_fn(|row| pixels[row])
    }
}

/// A pixel of a block. Three bytes may come with a fourth, which is cheaper to load and to be stored over.
#[inline(always)]
fn load<const N: usize>(block: &[[u8; N]; BLOCK], index: usize) -> u64 {
    if N == 3 {
        let last = index == BLOCK - 1;
        let start = index * N - usize::from(last);
        let bytes = block.as_flattened();
        let four: [u8; 4] = std::array::from_fn(|byte| bytes[start + byte]);
        u64::from(u32::from_le_bytes(four) >> (8 * u32::from(last)))
    } else {
        number(&block[index])
    }
}

/// Stores a pixel in a block. The bytes after it are written next.
#[inline(always)]
fn store<const N: usize>(block: &mut [[u8; N]; BLOCK], index: usize, pixel: u64) {
    let bytes = pixel.to_le_bytes();
    let length = if N == 3 && index < BLOCK - 1 { 4 } else { N };
    block.as_flattened_mut()[index * N..][..length].copy_from_slice(&bytes[..length]);
}

/// The bytes of a pixel, at most eight, as a number.
#[inline(always)]
fn number<const N: usize>(pixel: &[u8; N]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..N].copy_from_slice(pixel);
    u64::from_le_bytes(bytes)
}
