//! The PNG decoder (W3C PNG specification, third edition): scanline by scanline from the file into the resizers.
//!
//! Only the picture data and the few chunks that change how it looks are read. Interlaced pictures need no more memory
//! than others: sums of boxes can be added up in any order, so each pass goes straight into the resizer.

mod adam7;
mod chunks;
mod header;
mod inflate;
mod scanlines;
#[cfg(test)]
mod tests;
mod unfilter;

pub(super) use header::Header;

use adam7::Pass;
use header::ColourType;
use scanlines::Scanlines;

use super::rows::{Cover, Resizers, Rows, TakeRow};
use super::samples::{add_alpha_bytes, add_alpha_words, add_bytes, add_keyed, add_words, high};
use crate::render::Refusal;
use crate::render::orientation::Orientation;
use crate::render::pixels::Pixels;
use crate::render::size::{self, Framing};

/// The longest ICC profile that is inflated; real ones are smaller.
const MAX_PROFILE_BYTES: usize = 4 << 20;

/// The profile in the content of an iCCP chunk: a name, a zero, the method (0) and zlib data.
fn profile(content: &[u8]) -> Option<Vec<u8>> {
    let end = content.iter().take(80).position(|byte| *byte == 0)?;
    match content.get(end + 1..)? {
        [0, deflated @ ..] => inflate::whole(deflated, MAX_PROFILE_BYTES),
        _ => None,
    }
}

impl Rows for Header<'_> {
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn orientation(&self) -> Orientation {
        self.orientation
    }

    fn profile(&self) -> Option<&[u8]> {
        self.profile.as_deref()
    }

    fn decoder_bytes(&self) -> u64 {
        let row = (u64::from(self.width) * self.pixel_bits()).div_ceil(8);
        Scanlines::memory_bytes(row)
    }

    fn in_order(&self) -> bool {
        !self.interlaced
    }

    fn render(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
        let resizers = Resizers::new(self, framings);
        let key = self.transparency;
        let walk = |take: &mut TakeRow<'_>| self.walk(take);
        match (self.colour_type, self.depth) {
            (ColourType::Palette, depth) => {
                resizers.shrink_indexed(depth, &palette(self), Cover::WHOLE, walk)
            }
            (ColourType::Grey, depth @ ..8) => {
                resizers.shrink_indexed(depth, &greys(depth, key), Cover::WHOLE, walk)
            }
            (ColourType::Grey, 8) if key.len() >= 2 => {
                resizers.shrink_indexed(8, &greys(8, key), Cover::WHOLE, walk)
            }
            (ColourType::Grey, 8) => resizers.shrink(1, add_bytes::<1>, walk),
            (ColourType::Grey, _) => match key_of::<2, 1>(key) {
                Some(key) => {
                    let add = |row: &[u8], sums: &mut [_]| add_keyed::<2, 1, 2>(row, key, sums);
                    resizers.shrink(257, add, walk)
                }
                None => resizers.shrink(257, add_words::<1>, walk),
            },
            (ColourType::Rgb, 8) => match key_of::<2, 3>(key) {
                Some(key) => {
                    let key = key.map(|[_, low]| [low]);
                    let add = |row: &[u8], sums: &mut [_]| add_keyed::<1, 3, 4>(row, key, sums);
                    resizers.shrink(1, add, walk)
                }
                None => resizers.shrink(1, add_bytes::<3>, walk),
            },
            (ColourType::Rgb, _) => match key_of::<2, 3>(key) {
                Some(key) => {
                    let add = |row: &[u8], sums: &mut [_]| add_keyed::<2, 3, 4>(row, key, sums);
                    resizers.shrink(257, add, walk)
                }
                None => resizers.shrink(257, add_words::<3>, walk),
            },
            (ColourType::GreyAlpha, 8) => resizers.shrink(255, add_alpha_bytes::<2>, walk),
            (ColourType::GreyAlpha, _) => {
                let exact = |row: &[u8], sums: &mut [_]| add_alpha_bytes::<2>(&high(row), sums);
                resizers.gather(257, add_alpha_words::<2>, 255, exact, walk)
            }
            (ColourType::Rgba, 8) => resizers.shrink(255, add_alpha_bytes::<4>, walk),
            (ColourType::Rgba, _) => {
                let exact = |row: &[u8], sums: &mut [_]| add_alpha_bytes::<4>(&high(row), sums);
                resizers.gather(257, add_alpha_words::<4>, 255, exact, walk)
            }
        }
    }
}

impl Header<'_> {
    /// Passes all scanlines to `take`, each with the columns that it holds and its row in the picture.
    fn walk(&self, take: &mut TakeRow<'_>) -> Result<(), Refusal> {
        let bits = usize::try_from(self.pixel_bits()).unwrap_or(usize::MAX);
        let (width, height) = (size::index(self.width), size::index(self.height));
        let bytes = |pixels: usize| (pixels * bits).div_ceil(8);
        let (first, rest) = (self.first, self.rest.clone());
        let mut lines = Scanlines::new(first, rest, bytes(width), bits.div_ceil(8));
        for Pass { rows, columns } in self.passes() {
            let length = bytes(columns.columns_before(width));
            if length == 0 {
                continue;
            }
            lines.start_pass();
            let places = (rows.first..height).step_by(rows.step);
            let left = (1..=places.len()).rev();
            for (y, left) in places.zip(left) {
                take(*columns, y, lines.next(length, left)?);
            }
        }
        lines.finish()
    }

    fn passes(&self) -> &'static [Pass] {
        if self.interlaced {
            &adam7::ADAM7
        } else {
            &adam7::WHOLE
        }
    }
}

/// The colours of a palette with their alpha. Values beyond the palette are black, as viewers show them.
fn palette(header: &Header<'_>) -> Vec<[u8; 4]> {
    let alphas = header
        .transparency
        .iter()
        .copied()
        .chain(std::iter::repeat(u8::MAX));
    let colours = header.palette.as_chunks::<3>().0.iter().zip(alphas);
    colours
        .map(|([r, g, b], alpha)| [*r, *g, *b, alpha])
        .take(1 << header.depth)
        .collect()
}

/// The greys of samples of `depth` bits, of which the one that `key` names is transparent.
fn greys(depth: u8, key: &[u8]) -> Vec<[u8; 4]> {
    let highest = u8::MAX >> (8 - depth);
    let key = key
        .get(1)
        .filter(|_| key.len() >= 2)
        .map(|low| low & highest);
    (0..=highest)
        .map(|value| {
            let grey = value * (u8::MAX / highest);
            [
                grey,
                grey,
                grey,
                if key == Some(value) { 0 } else { u8::MAX },
            ]
        })
        .collect()
}

/// The colour that tRNS makes transparent: `S` samples of `B` bytes.
fn key_of<const B: usize, const S: usize>(transparency: &[u8]) -> Option<[[u8; B]; S]> {
    transparency.as_chunks::<B>().0.first_chunk().copied()
}
