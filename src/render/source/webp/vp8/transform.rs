//! The inverse transforms (RFC 6386, section 14).

use wide::{bytemuck::cast, i16x8, u64x2};

use crate::render::lanes::even_and_odd;

/// The coefficients or the residue of two blocks side by side: in each row four of the first block and four of the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair(pub(super) [[i16; 8]; 4]);

/// The first coefficients of all luma blocks, from those of the block in the first half (section 14.3).
pub(super) fn means(block: &Pair) -> [i16; 16] {
    let mut values = [[0; 4]; 4];
    for (values, row) in values.iter_mut().zip(&block.0) {
        for (value, coefficient) in values.iter_mut().zip(row) {
            *value = i32::from(*coefficient);
        }
    }
    for column in 0..4 {
        let transformed = hadamard(std::array::from_fn(|row| values[row][column]));
        for (row, value) in values.iter_mut().zip(transformed) {
            row[column] = value;
        }
    }
    let mut means = [0; 16];
    for (means, row) in means.as_chunks_mut().0.iter_mut().zip(values) {
        *means = hadamard(row).map(|value| narrow((value + 3) >> 3));
    }
    means
}

fn hadamard([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    let (outer, inner) = (a + d, b + c);
    let (outer_odd, inner_odd) = (a - d, b - c);
    [
        outer + inner,
        inner_odd + outer_odd,
        outer - inner,
        outer_odd - inner_odd,
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "wraps in broken files only"
)]
fn narrow(value: i32) -> i16 {
    value as i16
}

impl Pair {
    /// Transforms both blocks to their residue (section 14.4).
    #[inline(always)]
    pub(super) fn transform(&mut self) {
        let rows = vertical(self.0.map(i16x8::new));
        let [first, second, third, fourth] = transposed(rows);
        let columns = vertical([first + i16x8::splat(4), second, third, fourth]);
        self.0 = transposed(columns.map(|column| column >> 3)).map(i16x8::to_array);
    }

    /// The same for blocks that have only their first coefficient.
    #[inline(always)]
    pub(super) fn transform_first(&mut self) {
        let [a, b] = [self.0[0][0], self.0[0][4]].map(|first| first.wrapping_add(4) >> 3);
        self.0 = [[a, a, a, a, b, b, b, b]; 4];
    }
}

/// Four points of four frequencies: of each column if those are the rows of a block.
#[inline(always)]
fn vertical([a, b, c, d]: [i16x8; 4]) -> [i16x8; 4] {
    let (even, odd) = (a + c, a - c);
    let near = by_sine(b) - by_cosine(d);
    let far = by_cosine(b) + by_sine(d);
    [even + far, odd + near, odd - near, even - far]
}

/// A value times the square root of 2 and the cosine of pi / 8.
#[inline(always)]
fn by_cosine(value: i16x8) -> i16x8 {
    value + value.mul_keep_high(i16x8::splat(20_091))
}

/// A value times the square root of 2 and the sine of pi / 8, which is 35468 in 65536ths: more than 16 bits with a sign hold.
#[inline(always)]
fn by_sine(value: i16x8) -> i16x8 {
    value + value.mul_keep_high(i16x8::splat(-30_068))
}

/// Swaps rows and columns within each half.
#[inline(always)]
fn transposed([a, b, c, d]: [i16x8; 4]) -> [i16x8; 4] {
    let ([upper, upper_odd], [lower, lower_odd]) = (even_and_odd(a, b), even_and_odd(c, d));
    let ([first, third], [second, fourth]) = (doubles(upper, lower), doubles(upper_odd, lower_odd));
    [first, second, third, fourth]
}

/// As [`even_and_odd`], for two values at a time.
#[inline(always)]
fn doubles(upper: i16x8, lower: i16x8) -> [i16x8; 2] {
    let [upper, lower]: [u64x2; 2] = [cast(upper), cast(lower)];
    let low = u64x2::splat(0xFFFF_FFFF);
    let even = (upper & low) | lower.unbounded_shl_scalar(32);
    let odd = upper.unbounded_shr_scalar(32) | (lower & !low);
    [cast(even), cast(odd)]
}

#[cfg(test)]
mod tests {
    use super::super::coder::Random;
    use super::*;

    /// The transform as section 14.4 spells it out.
    fn plain(block: [i32; 16]) -> [i32; 16] {
        let points = |a: i32, b: i32, c: i32, d: i32| {
            let (even, odd) = (a + c, a - c);
            let near = ((b * 35_468) >> 16) - (d + ((d * 20_091) >> 16));
            let far = b + ((b * 20_091) >> 16) + ((d * 35_468) >> 16);
            [even + far, odd + near, odd - near, even - far]
        };
        let mut columns = [0; 16];
        for x in 0..4 {
            let points = points(block[x], block[4 + x], block[8 + x], block[12 + x]);
            for (y, value) in points.into_iter().enumerate() {
                columns[y * 4 + x] = value;
            }
        }
        let rows = columns.as_chunks().0.iter();
        let rows: Vec<i32> = rows
            .flat_map(|[a, b, c, d]| points(*a, *b, *c, *d))
            .collect();
        std::array::from_fn(|index| (rows[index] + 4) >> 3)
    }

    fn halves(pair: &Pair) -> [[i32; 16]; 2] {
        [0, 4].map(|offset| {
            std::array::from_fn(|index| i32::from(pair.0[index / 4][offset + index % 4]))
        })
    }

    #[test]
    fn both_blocks_are_transformed_as_the_specification_does_it() {
        let mut random = Random(5);
        for most in [3, 40, 900] {
            for _ in 0..500 {
                let row = |()| std::array::from_fn(|_| random.around_zero(most));
                let mut pair = Pair([(); 4].map(row));
                let expected = halves(&pair).map(plain);
                pair.transform();
                assert_eq!(halves(&pair), expected);
            }
        }
    }

    #[test]
    fn first_coefficients_alone_are_transformed_alike() {
        for first in [-2047, -5, -4, 0, 3, 4, 12, 2000] {
            let mut pair = Pair::default();
            (pair.0[0][0], pair.0[0][4]) = (first, 77 - first);
            let mut quick = pair;
            quick.transform_first();
            pair.transform();
            assert_eq!(quick, pair);
        }
    }

    /// The matrix that the butterflies of section 14.3 stand for.
    const SIGNS: [[i32; 4]; 4] = [[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, -1, 1], [1, -1, 1, -1]];

    #[test]
    fn means_are_those_of_the_specification() {
        let mut random = Random(6);
        let mut pair = Pair::default();
        for row in &mut pair.0 {
            for value in &mut row[..4] {
                *value = random.around_zero(3000);
            }
        }
        let [block, _] = halves(&pair);
        let expected: [i32; 16] = std::array::from_fn(|index| {
            let sum: i32 = (0..16)
                .map(|from| block[from] * SIGNS[index / 4][from / 4] * SIGNS[index % 4][from % 4])
                .sum();
            (sum + 3) >> 3
        });
        assert_eq!(means(&pair).map(i32::from), expected);
    }
}
