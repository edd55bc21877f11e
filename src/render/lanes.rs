//! Vectors of 16-bit numbers as rows of a matrix.

use wide::{bytemuck::cast, i16x8, u32x4};

const _: () = assert!(
    cfg!(target_endian = "little"),
    "the low half of a wider number is the first of its two"
);

/// Interleaves two rows: the values in even columns, and those in odd ones.
#[expect(clippy::inline_always, reason = "it is called for each block")]
#[inline(always)]
pub(super) fn even_and_odd(upper: i16x8, lower: i16x8) -> [i16x8; 2] {
    let [upper, lower]: [u32x4; 2] = [cast(upper), cast(lower)];
    let low = u32x4::splat(0xFFFF);
    let even = (upper & low) | lower.unbounded_shl_scalar(16);
    let odd = upper.unbounded_shr_scalar(16) | (lower & !low);
    [cast(even), cast(odd)]
}
