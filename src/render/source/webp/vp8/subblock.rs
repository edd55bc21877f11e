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

#[cfg(test)]
mod tests {
    use super::super::coder::Random;
    use super::*;

    const MODES: [SubblockMode; 10] = [
        SubblockMode::Mean,
        SubblockMode::TrueMotion,
        SubblockMode::Vertical,
        SubblockMode::Horizontal,
        SubblockMode::LeftDown,
        SubblockMode::RightDown,
        SubblockMode::VerticalRight,
        SubblockMode::VerticalLeft,
        SubblockMode::HorizontalDown,
        SubblockMode::HorizontalUp,
    ];

    /// A sample as section 12.3 has it, from its neighbours up the left side, at the corner and along the row above.
    fn plain(mode: SubblockMode, around: &[i32; 13], x: usize, y: usize) -> i32 {
        let (left, corner, above) = (
            |y: usize| around[3 - y],
            around[4],
            |x: usize| around[5 + x],
        );
        let two = |a: i32, b: i32| (a + b + 1) >> 1;
        let three = |a: i32, b: i32, c: i32| (a + 2 * b + c + 2) >> 2;
        let edge_two = |at: usize| two(around[at], around[at + 1]);
        let edge_three = |at: usize| three(around[at - 1], around[at], around[at + 1]);
        match mode {
            SubblockMode::Mean => (around[..4].iter().chain(&around[5..9]).sum::<i32>() + 4) >> 3,
            SubblockMode::TrueMotion => (left(y) + above(x) - corner).clamp(0, 255),
            SubblockMode::Vertical => edge_three(5 + x),
            SubblockMode::Horizontal if y == 3 => three(left(2), left(3), left(3)),
            SubblockMode::Horizontal => edge_three(3 - y),
            SubblockMode::LeftDown if x + y == 6 => three(above(6), above(7), above(7)),
            SubblockMode::LeftDown => three(above(x + y), above(x + y + 1), above(x + y + 2)),
            SubblockMode::RightDown => edge_three(4 + x - y),
            // Steps of half a sample along the edge for each row, or each column.
            SubblockMode::VerticalRight => match (2 * x + 1).checked_sub(y) {
                Some(0) => edge_three(4),
                Some(half) if half % 2 == 1 => edge_two(4 + half / 2),
                Some(half) => edge_three(4 + half / 2),
                None => edge_three(4 + 1 - y),
            },
            SubblockMode::HorizontalDown => match (2 * y + 1).checked_sub(x) {
                Some(0) => edge_three(4),
                Some(half) if half % 2 == 1 => edge_two(3 - half / 2),
                Some(half) => edge_three(4 - half / 2),
                None => edge_three(3 + x),
            },
            SubblockMode::VerticalLeft => match (x, y) {
                (3, 2) => edge_three(10),
                (3, 3) => edge_three(11),
                _ if y.is_multiple_of(2) => edge_two(5 + x + y / 2),
                _ => edge_three(6 + x + y / 2),
            },
            SubblockMode::HorizontalUp => match x + 2 * y {
                along @ 0..=4 if along % 2 == 0 => two(left(along / 2), left(along / 2 + 1)),
                along @ 0..=4 => edge_three(2 - along / 2),
                5 => three(left(2), left(3), left(3)),
                _ => left(3),
            },
        }
    }

    #[test]
    fn subblocks_are_predicted_as_the_specification_does_it() {
        let mut random = Random(10);
        for _ in 0..200 {
            let mut around = [0; 16];
            around[..13].copy_from_slice(&random.bytes(13));
            let last = around[12];
            around[13..].fill(last);
            let wide = std::array::from_fn(|index| i32::from(around[index]));
            for mode in MODES {
                for (y, row) in predict(mode, &around).iter().enumerate() {
                    for (x, sample) in row.iter().enumerate() {
                        let expected = plain(mode, &wide, x, y);
                        assert_eq!(i32::from(*sample), expected, "{mode:?} {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_subblock_sees_those_before_it_and_the_macroblocks_around() {
        let mut random = Random(11);
        let mut row = || std::array::from_fn(|_| random.byte());
        let mut block = Block::<16> {
            above: row(),
            left: row(),
            corner: row()[0],
            rows: [[0; 16]; 16],
        };
        let mut random = Random(12);
        let modes = std::array::from_fn(|index| MODES[(index * 7 + 4) % 10]);
        let pairs: Vec<Pair> = (0..8)
            .map(|_| Pair([(); 4].map(|()| std::array::from_fn(|_| random.around_zero(90)))))
            .collect();
        let above_right = [1, 99, 3, 200];
        reconstruct(&mut block, &modes, above_right, &pairs);
        let at = |x: usize, y: usize| {
            // Shifted by one, so that 0 is what is above or to the left.
            match (x, y) {
                (0, 0) => block.corner,
                (17.., _) => above_right[x - 17],
                (_, 0) => block.above[x - 1],
                (0, _) => block.left[y - 1],
                _ => block.rows[y - 1][x - 1],
            }
        };
        for (index, mode) in modes.into_iter().enumerate() {
            let (left, top) = (index % 4 * 4, index / 4 * 4);
            let around = std::array::from_fn(|place| {
                i32::from(match place {
                    0..4 => at(left, top + 4 - place),
                    _ if left == 12 && place > 8 => above_right[place - 9],
                    _ => at(left + place - 4, top),
                })
            });
            for (x, y) in (0..16).map(|index| (index % 4, index / 4)) {
                let residue = pairs[index / 2].0[y][index % 2 * 4 + x];
                let expected = plain(mode, &around, x, y) + i32::from(residue);
                let sample = block.rows[top + y][left + x];
                assert_eq!(
                    i32::from(sample),
                    expected.clamp(0, 255),
                    "{index}: {x} {y}"
                );
            }
        }
    }
}
