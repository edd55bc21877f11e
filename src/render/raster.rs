//! A whole JPEG in memory, by the image crate.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder, ImageError};

use super::orientation::Orientation;
use super::pixels::{Pixels, from_planes};
use super::resize::{Axis, Shrink};
use super::{Limits, Refusal};

/// What the header says.
pub(super) struct Header<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: Orientation,
    source: &'a [u8],
}

fn decoder(source: &[u8]) -> Result<JpegDecoder<Cursor<&[u8]>>, Refusal> {
    JpegDecoder::new(Cursor::new(source)).map_err(refusal)
}

fn refusal(error: ImageError) -> Refusal {
    match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Refusal::Truncated
        }
        ImageError::Unsupported(_) => Refusal::Unsupported("this coding"),
        error => Refusal::Corrupt(error.to_string()),
    }
}

impl<'a> Header<'a> {
    pub(super) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let mut decoder = decoder(source)?;
        let (width, height) = decoder.dimensions();
        limits.check(width, height)?;
        if !source.windows(2).any(|marker| marker == b"\xFF\xD9") {
            return Err(Refusal::Truncated);
        }
        let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
        let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
        Ok(Self {
            width,
            height,
            orientation: Orientation::from_exif(exif),
            source,
        })
    }
}

pub(super) fn render(header: &Header<'_>) -> Result<Pixels, Refusal> {
    let picture = DynamicImage::from_decoder(decoder(header.source)?).map_err(refusal)?;
    let picture = picture.into_rgb8();
    let (width, height) = header.orientation.fit(header.width, header.height);
    let columns = Axis::new(header.width, f64::from(header.width), 1, width);
    let rows = Axis::new(header.height, f64::from(header.height), 1, height);
    let mut shrink: Shrink<u16, 3> = Shrink::new(&columns, &rows);
    for (y, row) in picture.rows().enumerate() {
        for (sum, pixel) in shrink.row(y).iter_mut().zip(row) {
            for (sum, sample) in sum.iter_mut().zip(pixel.0) {
                *sum += u16::from(sample);
            }
        }
    }
    Ok(from_planes(&shrink.finish(), 1.0, columns.outputs()))
}
