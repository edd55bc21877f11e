//! A whole picture in memory, by the image crate.

use std::io::Cursor;

use image::codecs::{jpeg::JpegDecoder, png::PngDecoder};
use image::{DynamicImage, ImageDecoder, ImageError};

use super::axis::Axis;
use super::filter::Filter;
use super::format::Format;
use super::orientation::Orientation;
use super::pixels::{Model, Pixels, to_sample};
use super::{Refusal, size};

/// What the header says.
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: Orientation,
    pub(super) bytes: u64,
}

fn decoder(source: &[u8], format: Format) -> Result<Box<dyn ImageDecoder + '_>, Refusal> {
    Ok(match format {
        Format::Jpeg => Box::new(JpegDecoder::new(Cursor::new(source)).map_err(refusal)?),
        Format::Png => Box::new(PngDecoder::new(Cursor::new(source)).map_err(refusal)?),
    })
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

pub(super) fn header(source: &[u8], format: Format) -> Result<Header, Refusal> {
    if format == Format::Jpeg && !source.windows(2).any(|marker| marker == b"\xFF\xD9") {
        return Err(Refusal::Truncated);
    }
    let mut decoder = decoder(source, format)?;
    let (width, height) = decoder.dimensions();
    let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif);
    Ok(Header {
        width,
        height,
        orientation: Orientation::from_exif(exif),
        bytes: decoder.total_bytes(),
    })
}

pub(super) fn render(source: &[u8], format: Format, header: &Header) -> Result<Pixels, Refusal> {
    let picture = DynamicImage::from_decoder(decoder(source, format)?)
        .map_err(refusal)?
        .into_rgba16();
    let (width, height) = picture.dimensions();
    let shown = header.orientation.turn_size(width, height);
    let fitted = size::fit(shown.0, shown.1);
    let (out_width, out_height) = header.orientation.turn_size(fitted.0, fitted.1);
    let columns = Axis::new(width, f64::from(width), 1, out_width);
    let rows = Axis::new(height, f64::from(height), 1, out_height);
    let mut planes: [Filter; 4] = std::array::from_fn(|_| Filter::new(&columns, &rows));
    let mut row = vec![0.0; columns.padded_boxes().max(width as usize)];
    for (y, pixels) in picture.rows().enumerate() {
        for (channel, plane) in planes.iter_mut().enumerate() {
            for (value, pixel) in row.iter_mut().zip(pixels.clone()) {
                let alpha = f32::from(pixel.0[3]) / 257.0;
                *value = if channel == 3 {
                    alpha
                } else {
                    f32::from(pixel.0[channel]) / 65535.0 * alpha
                };
            }
            plane.add_row(y, &row);
        }
    }
    let [red, green, blue, alpha] = planes.map(Filter::finish);
    let mut samples = Vec::new();
    for (((red, green), blue), alpha) in red.iter().zip(&green).zip(&blue).zip(&alpha) {
        let unit = if *alpha > 0.0 { 255.0 / alpha } else { 0.0 };
        samples.extend([red * unit, green * unit, blue * unit, *alpha].map(to_sample));
    }
    let samples = header.orientation.turn(samples, out_width as usize, 4);
    Ok(Pixels {
        width: fitted.0,
        height: fitted.1,
        model: Model::Rgba,
        samples,
    })
}
