//! The inverse DCT (ITU-T T.81, A.3.3) at full and at reduced size.
//!
//! At full size it is the integer algorithm that libjpeg calls `islow`, bit for bit (Loeffler, Ligtenberg, Moschytz:
//! Practical fast 1-D DCT algorithms with 11 multiplications, ICASSP 1989). A reduced size of N x N is the N-point
//! transform of the block's N x N lowest frequencies, as in libjpeg 7 and later. libjpeg-turbo averages the samples of
//! the full size instead, which aliases frequencies that the smaller picture can't hold, and dampens the others.

mod lanes;

use std::num::Wrapping;

/// The dequantized coefficients of a block, row by row.
pub(super) type Block = [i16; 64];

/// The places in a [`Block`] of the coefficients in zigzag order (A.3.6).
#[rustfmt::skip]
pub(super) const NATURAL: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The part of [`NATURAL`] that reaches to the last of the lowest 4x4 coefficients.
pub(super) const LOWEST_4X4: [u8; 25] = *NATURAL.first_chunk().unwrap();

/// Narrows a coefficient to 16 bits, which those of valid files fit.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "wraps in broken files only"
)]
pub(super) fn coefficient(value: i32) -> i16 {
    value as i16
}

/// A coefficient times its quantization step (A.3.4), which fits in valid files.
#[inline(always)]
pub(super) fn dequantized(value: i16, step: u16) -> i16 {
    value.wrapping_mul(step.cast_signed())
}

/// A sample from its level-shifted value (A.3.1).
#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "clamped to 0..=255")]
fn sample(value: i32) -> u8 {
    (value + 128).clamp(0, 255) as u8
}

/// The one sample of a block at 1/8 of the size: its mean.
#[inline(always)]
pub(super) fn one(dc: i16) -> u8 {
    sample((i32::from(dc) + 4) >> 3)
}

/// The 2x2 samples of a block at 1/4 of the size, from its mean and lowest frequencies across, down and both.
///
/// With two points the transform is a sum and a difference: cos(pi/4) and the scaling cancel out.
#[inline(always)]
pub(super) fn two([mean, across, down, both]: [i16; 4]) -> [[u8; 2]; 2] {
    let [mean, across, down, both] = [
        i32::from(mean),
        i32::from(across),
        i32::from(down),
        i32::from(both),
    ];
    let (left, right) = (mean + across + 4, mean - across + 4);
    let (left_down, right_down) = (down + both, down - both);
    [
        [
            sample((left + left_down) >> 3),
            sample((right + right_down) >> 3),
        ],
        [
            sample((left - left_down) >> 3),
            sample((right - right_down) >> 3),
        ],
    ]
}

/// Fractional bits of the constants.
const CONST_BITS: usize = 13;
/// Fractional bits that the first pass leaves for the second.
const PASS1_BITS: usize = 2;

/// Wraps where broken files overflow.
type Wide = Wrapping<i32>;

const fn fixed(thirteen_bits: i32) -> Wide {
    Wrapping(thirteen_bits)
}

const FIX_0_298631336: Wide = fixed(2446);
const FIX_0_390180644: Wide = fixed(3196);
const FIX_0_541196100: Wide = fixed(4433);
const FIX_0_765366865: Wide = fixed(6270);
const FIX_0_899976223: Wide = fixed(7373);
const FIX_1_175875602: Wide = fixed(9633);
const FIX_1_501321110: Wide = fixed(12299);
const FIX_1_847759065: Wide = fixed(15137);
const FIX_1_961570560: Wide = fixed(16069);
const FIX_2_053119869: Wide = fixed(16819);
const FIX_2_562915447: Wide = fixed(20995);
const FIX_3_072711026: Wide = fixed(25172);

/// Divides by a power of two, rounding halves up.
#[inline(always)]
fn rounded(value: Wide, bits: usize) -> Wide {
    (value + Wrapping(1 << (bits - 1))) >> bits
}

/// The rotation by 3/8 pi that the transforms of four and eight points share.
#[inline(always)]
fn rotated(second: Wide, sixth: Wide) -> (Wide, Wide) {
    let both = (second + sixth) * FIX_0_541196100;
    (
        both + second * FIX_0_765366865,
        both - sixth * FIX_1_847759065,
    )
}

/// The transform of four points, with 13 more fractional bits.
#[inline(always)]
fn transform_4(f: [Wide; 4]) -> [Wide; 4] {
    let (sum, difference) = ((f[0] + f[2]) << CONST_BITS, (f[0] - f[2]) << CONST_BITS);
    let (outer, inner) = rotated(f[1], f[3]);
    [
        sum + outer,
        difference + inner,
        difference - inner,
        sum - outer,
    ]
}

/// The 4x4 samples of a block at 1/2 of the size.
pub(super) fn four(block: &Block) -> [[u8; 4]; 4] {
    lanes::four(block).unwrap_or_else(|| wide_four(block))
}

/// [`four`] for coefficients of any size.
#[cold]
#[inline(never)]
fn wide_four(block: &Block) -> [[u8; 4]; 4] {
    let mut rows = [[Wrapping(0); 4]; 4];
    for x in 0..4 {
        let column = transform_4(column(block, x));
        for (row, value) in rows.iter_mut().zip(column) {
            row[x] = rounded(value, CONST_BITS - PASS1_BITS);
        }
    }
    let mut samples = [[0; 4]; 4];
    for (samples, row) in samples.iter_mut().zip(rows) {
        for (sample, value) in samples.iter_mut().zip(transform_4(row)) {
            *sample = finished(value);
        }
    }
    samples
}

/// The `N` lowest frequencies of column `x`.
#[inline(always)]
fn column<const N: usize>(block: &Block, x: usize) -> [Wide; N] {
    let mut column = [Wrapping(0); N];
    for (value, row) in column.iter_mut().zip(block.as_chunks::<8>().0) {
        *value = Wrapping(i32::from(row[x & 7]));
    }
    column
}

/// A sample from a value after both passes.
#[inline(always)]
fn finished(value: Wide) -> u8 {
    sample(rounded(value, CONST_BITS + PASS1_BITS + 3).0)
}

/// The transform of eight points, with 13 more fractional bits.
#[inline(always)]
fn transform_8(f: [Wide; 8]) -> [Wide; 8] {
    let (third, second) = rotated(f[2], f[6]);
    let (sum, difference) = ((f[0] + f[4]) << CONST_BITS, (f[0] - f[4]) << CONST_BITS);
    let even = [
        sum + third,
        difference + second,
        difference - second,
        sum - third,
    ];

    let z1 = (f[7] + f[1]) * FIX_0_899976223;
    let z2 = (f[5] + f[3]) * FIX_2_562915447;
    let z5 = (f[7] + f[3] + f[5] + f[1]) * FIX_1_175875602;
    let z3 = z5 - (f[7] + f[3]) * FIX_1_961570560;
    let z4 = z5 - (f[5] + f[1]) * FIX_0_390180644;
    let odd = [
        f[1] * FIX_1_501321110 - z1 + z4,
        f[3] * FIX_3_072711026 - z2 + z3,
        f[5] * FIX_2_053119869 - z2 + z4,
        f[7] * FIX_0_298631336 - z1 + z3,
    ];
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

/// The 8x8 samples of a block at full size.
pub(super) fn eight(block: &Block) -> [[u8; 8]; 8] {
    if block[1..].iter().fold(0, |any, &value| any | value) == 0 {
        return [[one(block[0]); 8]; 8];
    }
    lanes::eight(block).unwrap_or_else(|| wide_eight(block))
}

/// [`eight`] for coefficients of any size.
#[cold]
#[inline(never)]
fn wide_eight(block: &Block) -> [[u8; 8]; 8] {
    let mut rows = [[Wrapping(0); 8]; 8];
    for x in 0..8 {
        let column = transform_8(column(block, x));
        for (row, value) in rows.iter_mut().zip(column) {
            row[x] = rounded(value, CONST_BITS - PASS1_BITS);
        }
    }
    let mut samples = [[0; 8]; 8];
    for (samples, row) in samples.iter_mut().zip(rows) {
        for (sample, value) in samples.iter_mut().zip(transform_8(row)) {
            *sample = finished(value);
        }
    }
    samples
}

#[cfg(test)]
mod tests;
