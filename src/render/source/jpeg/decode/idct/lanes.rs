//! The inverse DCT on vectors, four columns or rows at once.
//!
//! Before it rounds, a pass is a sum of products that may wrap, so that any order of adding gives the parent module's
//! result. Between the passes the values must fit 16 bits, which those of valid files do.

use wide::{bytemuck::cast, i16x8, i32x4, i32x8, u8x16, u32x4, u64x2};

use super::Block;
use crate::render::lanes::even_and_odd;

/// The weights of two adjacent frequencies in an output.
const fn weights(first: i16, second: i16) -> i16x8 {
    i16x8::new([first, second, first, second, first, second, first, second])
}

/// The weights of frequencies 0 and 1 of four, or 0 and 2 of eight, in each output.
const LOWER: [i16x8; 4] = [
    weights(8192, 10703),
    weights(8192, 4433),
    weights(8192, -4433),
    weights(8192, -10703),
];
/// Those of 2 and 3, or of 4 and 6.
const UPPER: [i16x8; 4] = [
    weights(8192, 4433),
    weights(-8192, -10704),
    weights(-8192, 10704),
    weights(8192, -4433),
];
/// Those of 1 and 3 of eight.
const LOWER_ODD: [i16x8; 4] = [
    weights(11363, 9633),
    weights(9633, -2259),
    weights(6437, -11362),
    weights(2260, -6436),
];
/// Those of 5 and 7.
const UPPER_ODD: [i16x8; 4] = [
    weights(6437, 2260),
    weights(-11362, -6436),
    weights(2261, 9633),
    weights(9633, -11363),
];

/// Four sums of four products each.
#[inline(always)]
fn products([lower, upper]: [i16x8; 2], weights: [&[i16x8; 4]; 2]) -> [i32x4; 4] {
    std::array::from_fn(|i| lower.dot(weights[0][i]) + upper.dot(weights[1][i]))
}

/// The transform of eight points, from the pairs of frequencies 0 and 2, 4 and 6, 1 and 3, 5 and 7.
#[inline(always)]
fn transform_8([lower, upper, lower_odd, upper_odd]: [i16x8; 4]) -> [i32x4; 8] {
    let even = products([lower, upper], [&LOWER, &UPPER]);
    let odd = products([lower_odd, upper_odd], [&LOWER_ODD, &UPPER_ODD]);
    [
        even[0] + odd[0],
        even[1] + odd[1],
        even[2] + odd[2],
        even[3] + odd[3],
        even[3] - odd[3],
        even[2] - odd[2],
        even[1] - odd[1],
        even[0] - odd[0],
    ]
}

/// Divides eight values by a power of two, rounding halves up.
#[inline(always)]
fn rounded<const BITS: u32>(first: i32x4, second: i32x4) -> i16x8 {
    let half = i32x4::splat(1 << (BITS - 1));
    let values = [first, second].map(|values| (values + half).unbounded_shr_scalar(BITS));
    i16x8::from_i32x8_saturate(cast::<_, i32x8>(values))
}

/// Divides by the constants' 13 fractional bits less the 2 that the second pass gets.
#[inline(always)]
fn after_columns(first: i32x4, second: i32x4) -> i16x8 {
    rounded::<11>(first, second)
}

/// Divides by all 15 fractional bits, and 3 for the transform's scale.
#[inline(always)]
fn after_rows(first: i32x4, second: i32x4) -> i16x8 {
    rounded::<18>(first, second)
}

/// Whether all values are within 2^14, so that none was saturated.
#[inline(always)]
fn fit<const N: usize>(rows: &[i16x8; N]) -> bool {
    let quarter = i16x8::splat(1 << 14);
    let any = rows
        .iter()
        .fold(i16x8::splat(0), |any, row| any | (*row + quarter));
    any.to_bitmask() == 0
}

/// The samples of two columns or rows from their level-shifted values (A.3.1).
#[inline(always)]
fn samples(first: i16x8, second: i16x8) -> u8x16 {
    let middle = i16x8::splat(128);
    u8x16::narrow_i16x8(first + middle, second + middle)
}

/// [`super::eight`], unless a value between the passes is too large.
#[inline(always)]
pub(super) fn eight(block: &Block) -> Option<[[u8; 8]; 8]> {
    let rows: [i16x8; 8] = cast(*block);
    let [even_a, odd_a] = even_and_odd(rows[0], rows[2]);
    let [even_b, odd_b] = even_and_odd(rows[4], rows[6]);
    let [even_c, odd_c] = even_and_odd(rows[1], rows[3]);
    let [even_d, odd_d] = even_and_odd(rows[5], rows[7]);
    let even = transform_8([even_a, even_b, even_c, even_d]);
    let odd = transform_8([odd_a, odd_b, odd_c, odd_d]);
    // The columns 0, 2, 4, 6, 1, 3, 5, 7: the pairs that the rows' transform takes.
    let rows: [i16x8; 8] = std::array::from_fn(|y| after_columns(even[y], odd[y]));
    if !fit(&rows) {
        return None;
    }
    let upper = u32x4::transpose([rows[0], rows[1], rows[2], rows[3]].map(cast::<_, u32x4>));
    let lower = u32x4::transpose([rows[4], rows[5], rows[6], rows[7]].map(cast::<_, u32x4>));
    let order = |[a, b, c, d]: [u32x4; 4]| [a, b, c, d].map(cast::<_, i16x8>);
    let (upper, lower) = (transform_8(order(upper)), transform_8(order(lower)));
    let columns: [i16x8; 8] = std::array::from_fn(|x| after_rows(upper[x], lower[x]));
    let mut bytes: [u8x16; 4] =
        std::array::from_fn(|i| samples(columns[2 * i], columns[2 * i + 1]));
    // Three perfect shuffles make rows of the columns.
    for _ in 0..3 {
        bytes = [
            u8x16::unpack_low(bytes[0], bytes[2]),
            u8x16::unpack_high(bytes[0], bytes[2]),
            u8x16::unpack_low(bytes[1], bytes[3]),
            u8x16::unpack_high(bytes[1], bytes[3]),
        ];
    }
    Some(cast(bytes))
}

/// [`super::four`], unless a value between the passes is too large.
#[inline(always)]
pub(super) fn four(block: &Block) -> Option<[[u8; 4]; 4]> {
    let row = |y: usize| -> [u16; 4] { std::array::from_fn(|x| block[8 * y + x].cast_unsigned()) };
    let pairs = |upper: [u16; 4], lower: [u16; 4]| -> i16x8 {
        let pair = |x| u32::from(upper[x]) | u32::from(lower[x]) << 16;
        cast(u32x4::new(std::array::from_fn(pair)))
    };
    let columns = [pairs(row(0), row(1)), pairs(row(2), row(3))];
    let [a, b, c, d] = products(columns, [&LOWER, &UPPER]);
    let rows = [after_columns(a, b), after_columns(c, d)];
    if !fit(&rows) {
        return None;
    }
    let [upper, lower]: [u32x4; 2] = rows.map(cast);
    let (first, second) = (
        u32x4::unpack_lo(upper, lower),
        u32x4::unpack_hi(upper, lower),
    );
    let rows = [
        u32x4::unpack_lo(first, second),
        u32x4::unpack_hi(first, second),
    ];
    let [a, b, c, d] = products(rows.map(cast), [&LOWER, &UPPER]);
    let mut bytes = samples(after_rows(a, b), after_rows(c, d));
    // Two perfect shuffles make rows of the columns.
    for _ in 0..2 {
        let halves: u64x2 = cast(bytes);
        bytes = u8x16::unpack_low(bytes, cast(u64x2::unpack_hi(halves, halves)));
    }
    Some(cast(bytes))
}
