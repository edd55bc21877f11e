//! BMP, decoded by the image crate, whole and at once.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{ColorType, ImageDecoder as _, ImageError};

use super::check_size;
use super::rows::{Resizers, Rows, TakeRow};
use super::samples::{add_alpha_bytes, add_bytes};
use crate::render::orientation::Orientation;
use crate::render::pixels::Pixels;
use crate::render::resize::Grid;
use crate::render::size::{Framing, index};
use crate::render::{Limits, Refusal};

/// The header of a BMP.
pub(super) struct Header<'a> {
    source: &'a [u8],
    size: (u32, u32),
    alpha: bool,
}

impl<'a> Header<'a> {
    /// Reads the header of `source`.
    pub(super) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let decoder = BmpDecoder::new(Cursor::new(source)).map_err(|error| refusal(&error))?;
        let size = decoder.dimensions();
        if size.0 == 0 || size.1 == 0 {
            return Err(Refusal::Corrupt("a BMP without pixels".to_owned()));
        }
        check_size(size, limits)?;
        Ok(Self {
            source,
            size,
            alpha: decoder.color_type() == ColorType::Rgba8,
        })
    }

    fn pixel_bytes(&self) -> u64 {
        if self.alpha { 4 } else { 3 }
    }
}

impl Rows for Header<'_> {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn orientation(&self) -> Orientation {
        Orientation::default()
    }

    fn profile(&self) -> Option<&[u8]> {
        None
    }

    fn decoder_bytes(&self) -> u64 {
        let (width, height) = (u64::from(self.size.0), u64::from(self.size.1));
        // The pixels, a stored row, and what a run of the run-length coding holds.
        width * height * self.pixel_bytes() + width * 8 + (64 << 10)
    }

    fn in_order(&self) -> bool {
        true
    }

    fn render(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
        let resizers = Resizers::new(self, framings);
        let walk = |take: &mut TakeRow<'_>| {
            let cursor = Cursor::new(self.source);
            let decoder = BmpDecoder::new(cursor).map_err(|error| refusal(&error))?;
            let bytes = decoder.total_bytes();
            let mut samples = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
            decoder
                .read_image(&mut samples)
                .map_err(|error| refusal(&error))?;
            if self.alpha {
                show_if_hidden(samples.as_chunks_mut().0);
            }
            let row = index(self.size.0) * usize::try_from(self.pixel_bytes()).unwrap_or(4);
            for (y, row) in samples.chunks_exact(row).enumerate() {
                take(Grid::WHOLE, y, row);
            }
            Ok(())
        };
        if self.alpha {
            resizers.shrink(255, add_alpha_bytes::<4>, walk)
        } else {
            resizers.shrink(1, add_bytes::<3>, walk)
        }
    }
}

/// Makes a picture opaque whose alpha is zero everywhere, as writers leave it and browsers show it.
fn show_if_hidden(pixels: &mut [[u8; 4]]) {
    if pixels.iter().all(|[.., alpha]| *alpha == 0) {
        for [.., alpha] in pixels {
            *alpha = u8::MAX;
        }
    }
}

fn refusal(error: &ImageError) -> Refusal {
    match error {
        ImageError::IoError(_) => Refusal::Truncated,
        ImageError::Unsupported(_) => Refusal::Unsupported("this kind of BMP"),
        error => Refusal::Corrupt(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alpha_of_zeros_only_is_none() {
        let mut hidden = [[1, 2, 3, 0], [4, 5, 6, 0]];
        show_if_hidden(&mut hidden);
        assert_eq!(hidden, [[1, 2, 3, 255], [4, 5, 6, 255]]);
        let mut seen = [[1, 2, 3, 0], [4, 5, 6, 1]];
        show_if_hidden(&mut seen);
        assert_eq!(seen, [[1, 2, 3, 0], [4, 5, 6, 1]]);
    }
}
