//! The samples of one row of minimum coded units: 8 rows, or 16 where chroma is halved.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "means of samples are samples"
)]

use super::forward::Steps;
use super::tokens::{Occurrences, Tokens};
use super::{Sampling, halves_chroma};
use crate::render::output::planes::{Chroma, Planes};
use crate::render::pixels::{Model, Pixels};
use crate::render::{Background, Quality};

/// The samples, one strip for each component.
pub(super) struct Strips {
    sampling: Sampling,
    /// The picture's width.
    width: usize,
    each: Vec<Strip>,
}

/// One component's rows, padded to whole blocks.
struct Strip {
    samples: Vec<u8>,
    stride: usize,
}

impl Strip {
    fn rows(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.samples.chunks_exact_mut(self.stride)
    }

    /// The samples from the top left of a block on, given its column and row of blocks.
    #[inline(always)]
    fn block(&self, across: usize, down: usize) -> &[u8] {
        &self.samples[down * 8 * self.stride + across * 8..]
    }
}

/// Pads a row of `length` samples by repeating the last.
fn pad(row: &mut [u8], length: usize) {
    let (samples, padding) = row.split_at_mut(length);
    padding.fill(samples.last().copied().unwrap_or_default());
}

impl Strips {
    pub(super) fn new(width: usize, sampling: Sampling) -> Self {
        let factor = sampling.factor();
        let units = width.div_ceil(8 * factor);
        let strip = |factor: usize| Strip {
            samples: vec![0; units * 8 * factor * 8 * factor],
            stride: units * 8 * factor,
        };
        let factors = [factor, 1, 1].into_iter().take(sampling.components());
        Self {
            sampling,
            width,
            each: factors.map(strip).collect(),
        }
    }

    /// Copies the rows of `planes` from `row` on; below the picture its last row is repeated.
    pub(super) fn copy(&mut self, planes: &Planes, row: usize) {
        let chroma = planes.chroma.as_ref();
        let halved = chroma.is_some_and(|chroma| chroma.halved);
        let sources = chroma.map(|chroma| [&chroma.blue, &chroma.red]);
        let sources = std::iter::once((&planes.luma, false))
            .chain(sources.into_iter().flatten().map(|plane| (plane, halved)));
        for (strip, (samples, halved)) in self.each.iter_mut().zip(sources) {
            let length = Chroma::side(halved, self.width);
            let row = if halved { row / 2 } else { row };
            let mut rows = samples.chunks_exact(length).skip(row);
            let mut last = &[][..];
            for to in strip.rows() {
                last = rows.next().unwrap_or(last);
                to[..last.len()].copy_from_slice(last);
                pad(to, last.len());
            }
        }
    }

    /// Transforms the blocks to tokens, in the order of the scan.
    pub(super) fn tokens(
        &self,
        steps: &[Steps],
        counts: &mut [Occurrences],
        means: &mut [i16; 3],
    ) -> Tokens {
        let factor = self.sampling.factor();
        let units = self.width.div_ceil(8 * factor);
        let blocks = factor * factor + self.each.len() - 1;
        let mut tokens = Tokens::new(units * blocks);
        for unit in 0..units {
            for (n, (strip, mean)) in self.each.iter().zip(&mut *means).enumerate() {
                let kind = n.min(1);
                let factor = if n == 0 { factor } else { 1 };
                for (down, across) in (0..factor).flat_map(|y| (0..factor).map(move |x| (y, x))) {
                    let samples = strip.block(unit * factor + across, down);
                    let block = steps[kind].quantized(samples, strip.stride);
                    tokens.add(&block, mean, &mut counts[kind]);
                }
            }
        }
        tokens.finished()
    }
}

/// The components that pixels are encoded as.
pub(super) fn sampling(pixels: &Pixels, quality: Quality, background: Background) -> Sampling {
    let Background([red, green, blue]) = background;
    match pixels.model {
        Model::Grey => Sampling::Grey,
        Model::GreyAlpha if red == green && green == blue => Sampling::Grey,
        _ if halves_chroma(quality) => Sampling::Halved,
        _ => Sampling::Full,
    }
}

/// Converts pixels to luma and chroma, row by row.
pub(super) struct Converter<'a> {
    pixels: &'a Pixels,
    background: [u8; 3],
    /// Two rows of each colour difference.
    differences: [[Vec<u8>; 2]; 2],
}

impl<'a> Converter<'a> {
    pub(super) fn new(pixels: &'a Pixels, Background(background): Background) -> Self {
        let row = || vec![0; pixels.width + 1];
        Self {
            pixels,
            background,
            differences: std::array::from_fn(|_| std::array::from_fn(|_| row())),
        }
    }

    /// Converts the rows from `row` on; below the picture its last row is repeated.
    pub(super) fn fill(&mut self, strips: &mut Strips, row: usize) {
        let (width, factor) = (strips.width, strips.sampling.factor());
        let [luma, chroma @ ..] = &mut strips.each[..] else {
            return;
        };
        let last = self.pixels.height - 1;
        let mut chroma: Vec<_> = chroma.iter_mut().map(Strip::rows).collect();
        for (n, to) in luma.rows().enumerate() {
            self.convert(
                (row + n).min(last),
                n % factor,
                &mut to[..width],
                !chroma.is_empty(),
            );
            pad(to, width);
            if (n + 1) % factor > 0 {
                continue;
            }
            for (rows, differences) in chroma.iter_mut().zip(&mut self.differences) {
                let Some(to) = rows.next() else { continue };
                if factor == 1 {
                    to[..width].copy_from_slice(&differences[0][..width]);
                    pad(to, width);
                } else {
                    halve(differences, width, to);
                }
            }
        }
    }

    /// Converts a row to luma and, if `coloured`, to row `slot` of the colour differences.
    fn convert(&mut self, row: usize, slot: usize, luma: &mut [u8], coloured: bool) {
        let channels = self.pixels.model.channels();
        let length = self.pixels.width * channels;
        let samples = &self.pixels.samples[row * length..][..length];
        let background = self.background;
        if !coloured {
            let over = |pixel: &[u8]| match *pixel {
                [grey, alpha] => over(grey, alpha, background[0]),
                _ => pixel[0],
            };
            for (luma, pixel) in luma.iter_mut().zip(samples.chunks_exact(channels)) {
                *luma = over(pixel);
            }
            return;
        }
        let [blue, red] = &mut self.differences;
        let to = luma.iter_mut().zip(&mut blue[slot]).zip(&mut red[slot]);
        let colours = |pixel: &[u8], alpha: u8| {
            std::array::from_fn(|n| over(pixel[n.min(pixel.len() - 1)], alpha, background[n]))
        };
        match self.pixels.model {
            Model::Rgb => store(to, samples.as_chunks().0.iter().copied()),
            Model::Rgba => {
                let pixels = samples.as_chunks::<4>().0.iter();
                store(to, pixels.map(|pixel| colours(&pixel[..3], pixel[3])));
            }
            Model::GreyAlpha => {
                let pixels = samples.as_chunks::<2>().0.iter();
                store(to, pixels.map(|pixel| colours(&pixel[..1], pixel[1])));
            }
            Model::Grey => store(to, samples.iter().map(|grey| [*grey; 3])),
        }
    }
}

/// Blends a sample over the background's.
#[inline(always)]
fn over(sample: u8, alpha: u8, background: u8) -> u8 {
    let sum = u32::from(sample) * u32::from(alpha) + u32::from(background) * u32::from(255 - alpha);
    ((sum + 127) / 255) as u8
}

/// Stores the luma and chroma of sRGB pixels (T.871, section 7).
#[inline(always)]
fn store<'a>(
    to: impl Iterator<Item = ((&'a mut u8, &'a mut u8), &'a mut u8)>,
    pixels: impl Iterator<Item = [u8; 3]>,
) {
    // Factors times 2^16, each three of which add up to exactly 1 or 0.
    const LUMA: [i32; 3] = [19_595, 38_470, 7_471];
    const BLUE: [i32; 3] = [-11_058, -21_710, 32_768];
    const RED: [i32; 3] = [32_768, -27_439, -5_329];
    let mix = |pixel: [i32; 3], factors: [i32; 3], offset: i32| {
        let [r, g, b] = std::array::from_fn(|n| pixel[n] * factors[n]);
        ((r + g + b + offset) >> 16) as u8
    };
    for (((luma, blue), red), pixel) in to.zip(pixels) {
        let pixel = pixel.map(i32::from);
        *luma = mix(pixel, LUMA, 1 << 15);
        // One less than half, lest the purest colours come to 256.
        *blue = mix(pixel, BLUE, (128 << 16) + (1 << 15) - 1);
        *red = mix(pixel, RED, (128 << 16) + (1 << 15) - 1);
    }
}

/// Fills a row with the means of 2x2 samples.
fn halve([above, below]: &mut [Vec<u8>; 2], width: usize, to: &mut [u8]) {
    for row in [&mut *above, &mut *below] {
        row[width] = row[width - 1];
    }
    let length = width.div_ceil(2);
    let pairs = above
        .as_chunks::<2>()
        .0
        .iter()
        .zip(below.as_chunks::<2>().0);
    for (to, (above, below)) in to[..length].iter_mut().zip(pairs) {
        let sum: u16 = above.iter().chain(below).map(|s| u16::from(*s)).sum();
        *to = ((sum + 2) >> 2) as u8;
    }
    pad(to, length);
}
