//! The Paeth filter undone on vectors, a pixel's bytes side by side as 16-bit numbers.

use wide::{bytemuck::cast, i16x8, u8x16};

const _: () = assert!(
    cfg!(target_endian = "little"),
    "a number's low byte is its first"
);

/// What the next pixel's prediction needs: the pixel left of it and the one above that.
#[derive(Default)]
struct Neighbours {
    left: i16x8,
    corner: i16x8,
}

impl Neighbours {
    /// The next pixel, of up to eight bytes.
    ///
    /// As in [`paeth`](crate::render::paeth::paeth): beyond the greater neighbour, below the smaller one, or in between.
    /// Where it is both, all three are equal. As each pixel waits for the one before, all possible sums are made at once.
    #[expect(clippy::inline_always, reason = "a call costs more than the pixel")]
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

#[expect(clippy::inline_always, reason = "a call costs more than the pixel")]
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
