//! Undoing the Paeth filter on vectors, a pixel's bytes side by side as 16-bit numbers.

#![expect(
    clippy::inline_always,
    reason = "a pixel's few instructions must not pass through memory"
)]

use wide::{bytemuck::cast, i16x8, u8x16, u64x2};

const _: () = assert!(
    cfg!(target_endian = "little"),
    "a number's low byte is its first"
);

/// The neighbours from which the next pixel is predicted, but for the one above it.
#[derive(Default)]
struct Neighbours {
    left: i16x8,
    corner: i16x8,
}

impl Neighbours {
    /// The next pixel, of up to eight bytes.
    ///
    /// As in [`paeth`](crate::render::paeth::paeth) it is the greater neighbour, the smaller, or the corner; where it
    /// is both neighbours, all three are equal. As each pixel depends on the one before, all three sums are computed
    /// before one is chosen.
    #[inline(always)]
    fn next(&mut self, coded: i16x8, above: i16x8) -> u8x16 {
        let Self { left, corner } = *self;
        let byte = i16x8::splat(0xFF);
        let opposite = (corner + corner + corner - above) - left;
        let (low, high) = (left.min(above), left.max(above));
        let (not_beyond, not_below) = (opposite.simd_gt(low), high.simd_gt(opposite));
        let beyond = (high + coded) & (byte & !not_beyond);
        let below = (low + coded) & (byte & !not_below);
        let between = ((corner + coded) & byte) & (not_beyond & not_below);
        self.left = beyond | below | between;
        self.corner = above;
        u8x16::narrow_i16x8(self.left, self.left)
    }

    /// The next pixel of a row in the lower half, and in the upper half the previous pixel of the row below.
    #[inline(always)]
    fn next_two(&mut self, coded: [u32; 2], above: u32) -> [u32; 2] {
        let [first, second] = coded;
        let coded = i16x8::from_u8x16_low(cast([first, second, 0, 0]));
        let above = i16x8::from_u8x16_low(cast([above, 0, 0, 0]));
        let above = u64x2::unpack_lo(cast(above), cast(self.left));
        let [first, second, ..] = cast::<_, [u32; 4]>(self.next(coded, cast(above)));
        [first, second]
    }
}

/// Undoes the filter for pixels of `N` bytes, up to eight.
pub(super) fn undo<const N: usize>(coded: &[u8], above: &[u8], row: &mut [u8]) {
    let mut neighbours = Neighbours::default();
    let pixels = row.as_chunks_mut::<N>().0.iter_mut();
    let coded = coded.as_chunks::<N>().0.iter().map(lanes);
    let above = above.as_chunks::<N>().0.iter().map(lanes);
    for ((pixel, coded), above) in pixels.zip(coded).zip(above) {
        let bytes = neighbours.next(coded, above);
        if N <= 4 {
            let [low, ..] = cast::<_, [u32; 4]>(bytes);
            pixel.copy_from_slice(&low.to_le_bytes()[..N]);
        } else {
            let [low, _] = cast::<_, [u64; 2]>(bytes);
            pixel.copy_from_slice(&low.to_le_bytes()[..N]);
        }
    }
}

/// [`undo`] for two scanlines at once, the lower one pixel behind the upper: the processor waits half as often.
///
/// Pixels have up to four bytes.
pub(super) fn undo_two<const N: usize>(coded: [&[u8]; 2], above: &[u8], rows: [&mut [u8]; 2]) {
    let mut neighbours = Neighbours::default();
    let [coded, coded_below] = coded.map(|coded| coded.as_chunks::<N>().0.iter().map(number));
    let [row, below] = rows.map(|row| row.as_chunks_mut::<N>().0.iter_mut());
    let above = above.as_chunks::<N>().0.iter().map(number);
    let mut behind: Option<(&mut [u8; N], u32)> = None;
    let pixels = row.zip(coded).zip(above).zip(below.zip(coded_below));
    for (((pixel, coded), above), below) in pixels {
        let coded_behind = behind.as_ref().map_or(0, |(_, coded)| *coded);
        let [first, second] = neighbours.next_two([coded, coded_behind], above);
        pixel.copy_from_slice(&first.to_le_bytes()[..N]);
        if let Some((pixel, _)) = behind.replace(below) {
            pixel.copy_from_slice(&second.to_le_bytes()[..N]);
        }
    }
    if let Some((pixel, coded)) = behind {
        let [_, second] = neighbours.next_two([0, coded], 0);
        pixel.copy_from_slice(&second.to_le_bytes()[..N]);
    }
}

/// The bytes of a pixel, at most four, as a number.
#[inline(always)]
fn number<const N: usize>(pixel: &[u8; N]) -> u32 {
    let mut bytes = [0; 4];
    bytes[..N].copy_from_slice(pixel);
    u32::from_le_bytes(bytes)
}

#[inline(always)]
fn lanes<const N: usize>(pixel: &[u8; N]) -> i16x8 {
    let bytes: u8x16 = if N <= 4 {
        let mut low = [0; 4];
        low[..N].copy_from_slice(pixel);
        cast([u32::from_le_bytes(low), 0, 0, 0])
    } else {
        let mut low = [0; 8];
        low[..N].copy_from_slice(pixel);
        cast([u64::from_le_bytes(low), 0])
    };
    i16x8::from_u8x16_low(bytes)
}
