//! Prediction of whole blocks from their neighbours, and the sum with the residue (RFC 6386, sections 12.2, 12.3 and 14.5).

use wide::{i16x8, u8x16};

use super::modes::Luma;
use super::modes::Mode;
use super::subblock;
use super::tokens::{Content, Residue};
use super::transform::Pair;

/// The samples of a block and their neighbours: the row above comes first, and in each row the sample to the left.
///
/// Neighbours are what was decoded before the loop filter, and beyond the picture 127 above and 129 to the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block<const SIDE: usize> {
    pub(super) above: [u8; SIDE],
    /// Left of the row above.
    pub(super) corner: u8,
    pub(super) left: [u8; SIDE],
    pub(super) rows: [[u8; SIDE]; SIDE],
}

/// Whether a block has neighbours in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    pub(super) above: bool,
    pub(super) left: bool,
}

impl<const SIDE: usize> Block<SIDE> {
    /// The block left of the first one in a row; `above` is a block's row above.
    pub(super) fn before_row(has_above: bool) -> Self {
        // The corner of the first block counts as above in the first row, and as left in the others.
        let corner = if has_above { 129 } else { 127 };
        Self {
            above: [corner; SIDE],
            corner,
            left: [129; SIDE],
            rows: [[129; SIDE]; SIDE],
        }
    }

    /// Moves on to the next block in the row, below what is `above`.
    pub(super) fn advance(&mut self, above: [u8; SIDE]) {
        self.corner = self.above[SIDE - 1];
        for (left, row) in self.left.iter_mut().zip(&self.rows) {
            *left = row[SIDE - 1];
        }
        self.above = above;
    }

    /// Predicts the block whole (section 12.2).
    #[inline(always)]
    pub(super) fn predict(&mut self, mode: Mode, neighbours: Neighbours) {
        match mode {
            Mode::Mean => self.rows = [[self.mean(neighbours); SIDE]; SIDE],
            Mode::Vertical => self.rows = [self.above; SIDE],
            Mode::Horizontal => self.rows = self.left.map(|left| [left; SIDE]),
            Mode::TrueMotion => self.continue_planes(),
        }
    }

    fn mean(&self, neighbours: Neighbours) -> u8 {
        let sum = |samples: &[u8; SIDE]| samples.iter().map(|sample| u32::from(*sample)).sum();
        let above: Option<u32> = neighbours.above.then(|| sum(&self.above));
        let left: Option<u32> = neighbours.left.then(|| sum(&self.left));
        let side = SIDE.trailing_zeros();
        let mean = match (above, left) {
            (Some(above), Some(left)) => (above + left + (1 << side)) >> (side + 1),
            (Some(sum), None) | (None, Some(sum)) => (sum + (1 << (side - 1))) >> side,
            (None, None) => 128,
        };
        u8::try_from(mean).unwrap_or(u8::MAX)
    }

    fn continue_planes(&mut self) {
        let corner = i16::from(self.corner);
        for (row, left) in self.rows.iter_mut().zip(&self.left) {
            let step = i16::from(*left) - corner;
            for (sample, above) in row.iter_mut().zip(&self.above) {
                *sample = clamped(i16::from(*above) + step);
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "clamped to 0..=255")]
pub(super) fn clamped(value: i16) -> u8 {
    value.clamp(0, 255) as u8
}

/// Turns the coefficients of pairs into their residue.
#[inline(always)]
fn transform(pairs: &mut [Pair], contents: &[Content]) {
    for (pair, content) in pairs.iter_mut().zip(contents) {
        match content {
            Content::Nothing => {}
            Content::First => pair.transform_first(),
            Content::Any => pair.transform(),
        }
    }
}

impl Block<16> {
    /// Predicts a macroblock's luma and adds its residue, whose coefficients are given. `above_right` are the samples that
    /// follow the row above.
    pub(super) fn reconstruct(
        &mut self,
        luma: &Luma,
        neighbours: Neighbours,
        above_right: [u8; 4],
        residue: &mut Residue,
    ) {
        let (pairs, contents) = (&mut residue.pairs[..8], &residue.contents[..8]);
        transform(pairs, contents);
        match luma {
            Luma::Whole(mode) => {
                self.predict(*mode, neighbours);
                let pairs = pairs.as_chunks::<2>().0.iter();
                let contents = contents.as_chunks::<2>().0;
                let rows = self.rows.as_chunks_mut::<4>().0;
                for ((rows, pairs), contents) in rows.iter_mut().zip(pairs).zip(contents) {
                    if *contents == [Content::Nothing; 2] {
                        continue;
                    }
                    let [left, right] = pairs;
                    for ((row, left), right) in rows.iter_mut().zip(&left.0).zip(&right.0) {
                        let samples = u8x16::new(*row);
                        let left = i16x8::from_u8x16_low(samples) + i16x8::new(*left);
                        let right = i16x8::from_u8x16_high(samples) + i16x8::new(*right);
                        *row = u8x16::narrow_i16x8(left, right).to_array();
                    }
                }
            }
            Luma::Subblocks(modes) => subblock::reconstruct(self, modes, above_right, pairs),
        }
    }
}

impl Block<8> {
    /// The same for a plane of chroma, blue or red.
    pub(super) fn reconstruct(
        &mut self,
        mode: Mode,
        neighbours: Neighbours,
        plane: usize,
        residue: &mut Residue,
    ) {
        let pairs = residue.pairs.as_chunks_mut::<2>().0.iter_mut();
        let contents = residue.contents.as_chunks::<2>().0;
        self.predict(mode, neighbours);
        let Some((pairs, contents)) = pairs.zip(contents).nth(4 + plane) else {
            return;
        };
        transform(pairs, contents);
        let rows = self.rows.as_chunks_mut::<4>().0.iter_mut();
        for ((rows, pair), content) in rows.zip(pairs).zip(contents) {
            if *content == Content::Nothing {
                continue;
            }
            for (row, residue) in rows.iter_mut().zip(&pair.0) {
                for (sample, residue) in row.iter_mut().zip(residue) {
                    *sample = clamped(i16::from(*sample).saturating_add(*residue));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::coder::Random;
    use super::*;

    fn noise<const SIDE: usize>(random: &mut Random) -> Block<SIDE> {
        let mut row = || std::array::from_fn(|_| random.byte());
        Block {
            above: row(),
            left: row(),
            rows: [(); SIDE].map(|()| row()),
            corner: row()[0],
        }
    }

    fn check<const SIDE: usize>() {
        let mut random = Random(7);
        let block: Block<SIDE> = noise(&mut random);
        let both = Neighbours {
            above: true,
            left: true,
        };
        let sum = |samples: [u8; SIDE]| samples.into_iter().map(u32::from).sum::<u32>();
        let side = u32::try_from(SIDE).unwrap();
        let (above, left) = (sum(block.above), sum(block.left));
        let means = [
            (true, true, (above + left + side) / (2 * side)),
            (true, false, (above + side / 2) / side),
            (false, true, (left + side / 2) / side),
            (false, false, 128),
        ];
        for (above, left, mean) in means {
            let mut predicted = block.clone();
            predicted.predict(Mode::Mean, Neighbours { above, left });
            assert_eq!(predicted.rows, [[u8::try_from(mean).unwrap(); SIDE]; SIDE]);
        }
        for mode in [Mode::Vertical, Mode::Horizontal, Mode::TrueMotion] {
            let mut predicted = block.clone();
            predicted.predict(mode, both);
            for (y, row) in predicted.rows.iter().enumerate() {
                for (x, sample) in row.iter().enumerate() {
                    let [above, left, corner] =
                        [block.above[x], block.left[y], block.corner].map(i32::from);
                    let expected = match mode {
                        Mode::Vertical => above,
                        Mode::Horizontal => left,
                        _ => (left + above - corner).clamp(0, 255),
                    };
                    assert_eq!(i32::from(*sample), expected, "{mode:?} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn whole_blocks_are_predicted_from_their_neighbours() {
        check::<16>();
        check::<8>();
    }

    #[test]
    fn neighbours_are_those_of_the_block_before_and_above() {
        let mut random = Random(8);
        let mut block = Block::<8>::before_row(true);
        block.advance([5; 8]);
        assert_eq!(
            (block.corner, block.left, block.above),
            (129, [129; 8], [5; 8])
        );
        block.rows = noise(&mut random).rows;
        let rows = block.rows;
        block.advance([6; 8]);
        assert_eq!((block.corner, block.above), (5, [6; 8]));
        assert_eq!(block.left, rows.map(|row| row[7]));
        let mut first = Block::<8>::before_row(false);
        first.advance([127; 8]);
        assert_eq!((first.corner, first.left), (127, [129; 8]));
    }

    #[test]
    fn residue_is_added_where_it_belongs() {
        let mut random = Random(9);
        let both = Neighbours {
            above: true,
            left: true,
        };
        let (mut luma, mut chroma) = (noise::<16>(&mut random), noise::<8>(&mut random));
        let mut residue = Residue::default();
        for (pair, content) in residue.pairs.iter_mut().zip(&mut residue.contents) {
            *pair = Pair([(); 4].map(|()| std::array::from_fn(|_| random.around_zero(300))));
            *content = Content::Any;
        }
        let mut transformed = residue.pairs;
        transform(&mut transformed, &[Content::Any; 12]);
        luma.reconstruct(&Luma::Whole(Mode::Vertical), both, [0; 4], &mut residue);
        chroma.reconstruct(Mode::Horizontal, both, 1, &mut residue);
        let sum = |sample: u8, residue: i16| clamped(i16::from(sample) + residue);
        for (y, row) in luma.rows.iter().enumerate() {
            for (x, sample) in row.iter().enumerate() {
                let residue = transformed[y / 4 * 2 + x / 8].0[y % 4][x % 8];
                assert_eq!(*sample, sum(luma.above[x], residue), "luma {x} {y}");
            }
        }
        for (y, row) in chroma.rows.iter().enumerate() {
            for (x, sample) in row.iter().enumerate() {
                let residue = transformed[10 + y / 4].0[y % 4][x];
                assert_eq!(*sample, sum(chroma.left[y], residue), "chroma {x} {y}");
            }
        }
    }
}
