//! Prediction of luma by subblocks of 4 x 4 (RFC 6386, section 12.3).

use super::modes::SubblockMode;
use super::predict::{Block, clamped};
use super::transform::Pair;

/// The samples around a subblock: up the column to the left, the corner, along the row above and four more; the last again.
type Around = [u8; 16];

/// Where the corner is in [`Around`].
const CORNER: usize = 4;

/// Predicts the subblocks of a macroblock one by one, and adds their residue.
pub(super) fn reconstruct(
    block: &mut Block<16>,
    modes: &[SubblockMode; 16],
    above_right: [u8; 4],
    pairs: &[Pair],
) {
    // Room for the column to the left, the row above and what follows it.
    let mut samples = [[0; 24]; 17];
    samples[0][3] = block.corner;
    samples[0][4..20].copy_from_slice(&block.above);
    for (row, left) in samples[1..].iter_mut().zip(&block.left) {
        row[3] = *left;
    }
    // Lower subblocks at the right edge have the same samples above to the right, of the macroblock above.
    for row in samples.iter_mut().step_by(4) {
        row[20..].copy_from_slice(&above_right);
    }
    for (index, mode) in modes.iter().enumerate() {
        let (x, y) = (index % 4 * 4, index / 4 * 4);
        let mut around = [0; 16];
        for (place, row) in around.iter_mut().zip([4, 3, 2, 1]) {
            *place = samples[y + row][x + 3];
        }
        around[CORNER..13].copy_from_slice(&samples[y][x + 3..x + 12]);
        let last = around[12];
        around[13..].fill(last);
        let predicted = predict(*mode, &around);
        let residue = pairs.get(index / 2).map_or(&[[0; 8]; 4], |pair| &pair.0);
        let rows = samples[y + 1..].iter_mut().zip(&predicted).zip(residue);
        for ((row, predicted), residue) in rows {
            let residue = &residue[index % 2 * 4..][..4];
            let places = &mut row[x + 4..][..4];
            for ((sample, predicted), residue) in places.iter_mut().zip(predicted).zip(residue) {
                *sample = clamped(i16::from(*predicted).saturating_add(*residue));
            }
        }
    }
    for (row, samples) in block.rows.iter_mut().zip(&samples[1..]) {
        row.copy_from_slice(&samples[4..20]);
    }
}

/// The mean of two, rounded up.
fn mean_of_two(a: u8, b: u8) -> u8 {
    (a & b) + ((a ^ b) >> 1) + ((a ^ b) & 1)
}

/// The means of each sample and the next one.
#[inline(always)]
fn twos(around: &Around) -> Around {
    let mut means = [0; 16];
    for (mean, pair) in means.iter_mut().zip(around.windows(2)) {
        *mean = mean_of_two(pair[0], pair[1]);
    }
    means
}

/// The means of each sample, twice, and its neighbours, rounded.
#[inline(always)]
fn threes(around: &Around) -> Around {
    let mut means = [0; 16];
    for (mean, near) in means[1..].iter_mut().zip(around.windows(3)) {
        // The mean of the outer two, rounded down.
        let outer = (near[0] & near[2]) + ((near[0] ^ near[2]) >> 1);
        *mean = mean_of_two(outer, near[1]);
    }
    means
}

fn four(means: &Around, first: usize) -> [u8; 4] {
    let mut four = [0; 4];
    four.copy_from_slice(&means[first..first + 4]);
    four
}

#[inline(always)]
fn predict(mode: SubblockMode, around: &Around) -> [[u8; 4]; 4] {
    let above = four(around, CORNER + 1);
    let [fourth, third, second, first] = four(around, 0);
    match mode {
        SubblockMode::Mean => {
            let sum = |samples: [u8; 4]| samples.iter().map(|sample| u16::from(*sample)).sum();
            let (above, left): (u16, u16) = (sum(above), sum(four(around, 0)));
            let mean = u8::try_from((above + left + 4) >> 3).unwrap_or(u8::MAX);
            [[mean; 4]; 4]
        }
        SubblockMode::TrueMotion => [first, second, third, fourth].map(|left| {
            let step = i16::from(left) - i16::from(around[CORNER]);
            above.map(|above| clamped(i16::from(above) + step))
        }),
        SubblockMode::Vertical => [four(&threes(around), CORNER + 1); 4],
        SubblockMode::Horizontal => {
            let threes = threes(around);
            let last = three(third, fourth, fourth);
            [[threes[3]; 4], [threes[2]; 4], [threes[1]; 4], [last; 4]]
        }
        SubblockMode::LeftDown => {
            let threes = threes(around);
            [6, 7, 8, 9].map(|first| four(&threes, first))
        }
        SubblockMode::RightDown => {
            let threes = threes(around);
            [4, 3, 2, 1].map(|first| four(&threes, first))
        }
        SubblockMode::VerticalRight => {
            let (a, b) = (twos(around), threes(around));
            [
                four(&a, 4),
                four(&b, 4),
                [b[3], a[4], a[5], a[6]],
                [b[2], b[4], b[5], b[6]],
            ]
        }
        SubblockMode::VerticalLeft => {
            let (a, b) = (twos(around), threes(around));
            [
                four(&a, 5),
                four(&b, 6),
                [a[6], a[7], a[8], b[10]],
                [b[7], b[8], b[9], b[11]],
            ]
        }
        SubblockMode::HorizontalDown => {
            let (a, b) = (twos(around), threes(around));
            [
                [a[3], b[4], b[5], b[6]],
                [a[2], b[3], a[3], b[4]],
                [a[1], b[2], a[2], b[3]],
                [a[0], b[1], a[1], b[2]],
            ]
        }
        SubblockMode::HorizontalUp => {
            let (a, b) = (twos(around), threes(around));
            let last = three(third, fourth, fourth);
            [
                [a[2], b[2], a[1], b[1]],
                [a[1], b[1], a[0], last],
                [a[0], last, fourth, fourth],
                [fourth; 4],
            ]
        }
    }
}

fn three(a: u8, b: u8, c: u8) -> u8 {
    let sum = u16::from(a) + 2 * u16::from(b) + u16::from(c);
    u8::try_from((sum + 2) >> 2).unwrap_or(u8::MAX)
}
