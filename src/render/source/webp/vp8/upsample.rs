//! From luma and chroma of half its size to red, green and blue, as libwebp does it.
//!
//! Chroma is doubled with 9, 3, 3 and 1 sixteenths of the nearest samples, which libwebp calls fancy upsampling. The matrix
//! is that of ITU-R BT.601 for limited range, in steps of 14 bits of which 6 are kept.

/// The rows that a row of pixels is made of.
pub(super) struct Stored<'a> {
    pub(super) luma: &'a [u8],
    /// Blue and red differences, of each the row that is nearest and the next one.
    pub(super) chroma: [[&'a [u8]; 2]; 2],
}

/// Makes rows of pixels.
pub(super) struct Upsampler {
    /// Four times the chroma samples between rows; the first and the last are there twice.
    quarters: Vec<u16>,
    doubled: [Vec<u8>; 2],
    pixels: Vec<u8>,
}

impl Upsampler {
    /// For rows of `width` pixels.
    pub(super) fn new(width: usize) -> Self {
        let halves = width.div_ceil(2);
        Self {
            quarters: vec![0; halves + 2],
            doubled: [vec![0; 2 * halves], vec![0; 2 * halves]],
            pixels: vec![0; 3 * width],
        }
    }

    /// The heap that it takes.
    pub(super) fn memory_bytes(width: u64) -> u64 {
        6 * width + 8
    }

    /// A row of red, green and blue samples.
    pub(super) fn row(&mut self, stored: &Stored<'_>) -> &[u8] {
        for (doubled, [near, next]) in self.doubled.iter_mut().zip(stored.chroma) {
            double(near, next, &mut self.quarters, doubled);
        }
        let [blue, red] = &self.doubled;
        let pixels = self.pixels.as_chunks_mut::<3>().0.iter_mut();
        for (pixel, ((luma, blue), red)) in pixels.zip(stored.luma.iter().zip(blue).zip(red)) {
            *pixel = to_rgb(*luma, *blue, *red);
        }
        &self.pixels
    }
}

/// Doubles a row of samples, given the nearest row and the next one.
fn double(near: &[u8], next: &[u8], quarters: &mut [u16], doubled: &mut [u8]) {
    for (quarters, (near, next)) in quarters[1..].iter_mut().zip(near.iter().zip(next)) {
        *quarters = 3 * u16::from(*near) + u16::from(*next);
    }
    let last = quarters.len() - 1;
    quarters[0] = quarters[1];
    quarters[last] = quarters[last - 1];
    let sixteenths = |near: u16, next: u16| u8::try_from((3 * near + next + 8) >> 4);
    let around = quarters.iter().zip(&quarters[1..]).zip(&quarters[2..]);
    for (pair, ((before, here), after)) in doubled.as_chunks_mut().0.iter_mut().zip(around) {
        *pair = [*before, *after].map(|next| sixteenths(*here, next).unwrap_or(u8::MAX));
    }
}

/// A pixel from luma, blue and red difference.
#[inline(always)]
fn to_rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let luma = product(luma, 19_077);
    let sample = |more: u16, less: u16| (more.saturating_sub(less) >> 6).min(255);
    let [r, g, b] = [
        sample(luma + product(red, 26_149), 14_234),
        sample(luma + 8_708, product(blue, 6_419) + product(red, 13_320)),
        sample(luma + product(blue, 33_050), 17_685),
    ];
    [r, g, b].map(|sample| u8::try_from(sample).unwrap_or(u8::MAX))
}

/// A sample's product with a 16-bit fraction, in 256ths.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "below 2^16")]
fn product(sample: u8, factor: u32) -> u16 {
    ((u32::from(sample) * factor) >> 8) as u16
}

#[cfg(test)]
mod tests {
    use super::super::coder::Random;
    use super::*;

    #[test]
    fn chroma_is_doubled_by_nine_three_three_and_one() {
        let mut random = Random(13);
        for width in [1, 2, 3, 8, 31] {
            let halves = usize::div_ceil(width, 2);
            let (near, next) = (random.bytes(halves), random.bytes(halves));
            let (mut quarters, mut doubled) = (vec![0; halves + 2], vec![0; 2 * halves]);
            double(&near, &next, &mut quarters, &mut doubled);
            for (x, sample) in doubled.into_iter().enumerate().take(width) {
                let here = x / 2;
                let beside = if x % 2 == 0 {
                    here.saturating_sub(1)
                } else {
                    (here + 1).min(halves - 1)
                };
                let [a, b, c, d] =
                    [near[here], near[beside], next[here], next[beside]].map(u32::from);
                assert_eq!(
                    u32::from(sample),
                    (9 * a + 3 * b + 3 * c + d + 8) / 16,
                    "{x}"
                );
            }
        }
    }

    #[test]
    fn colours_are_those_of_the_matrix_but_for_the_last_rounding() {
        for luma in (0..=255).step_by(5) {
            for (blue, red) in
                (0..=255).flat_map(|blue| [(blue, 255 - blue), (blue, 7), (blue, 128)])
            {
                let [y, u, v] = [luma, blue, red].map(f64::from);
                let (y, u, v) = ((y - 16.0) * 255.0 / 219.0, u - 128.0, v - 128.0);
                let chroma = 255.0 / 112.0;
                let exact = [
                    y + chroma * 0.701 * v,
                    y - chroma * (0.886 * 0.114 * u + 0.701 * 0.299 * v) / 0.587,
                    y + chroma * 0.886 * u,
                ];
                for (sample, exact) in to_rgb(luma, blue, red).into_iter().zip(exact) {
                    let off = f64::from(sample) - exact.clamp(0.0, 255.0);
                    assert!(off.abs() < 0.57, "{off} at {luma} {blue} {red}");
                }
            }
        }
    }
}
