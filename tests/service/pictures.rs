//! Pictures of the tests, distinguished by their colour.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use image_webp::WebPDecoder;
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::RGB8;

/// The colour of a version; any two of 512 differ by 32 or more in some channel.
pub fn colour(version: usize) -> [u8; 3] {
    let step = |shift: usize| u8::try_from((version >> shift) % 8 * 32 + 16).expect("below 256");
    [step(0), step(3), step(6)]
}

/// A picture of one colour in the given coding.
pub fn plain(width: u32, height: u32, colour: [u8; 3], format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_pixel(width, height, Rgb(colour));
    let mut file = Cursor::new(Vec::new());
    match format {
        ImageFormat::WebP => {
            let encoder = image_webp::WebPEncoder::new(&mut file);
            let written = encoder.encode(&picture, width, height, image_webp::ColorType::Rgb8);
            written.expect("a WebP can be written to memory");
        }
        ImageFormat::Tiff => {
            let mut encoder = TiffEncoder::new(&mut file).expect("a TIFF can be begun");
            let written = encoder.write_image::<RGB8>(width, height, &picture);
            written.expect("a TIFF can be written to memory");
        }
        format => {
            let written = DynamicImage::from(picture).write_to(&mut file, format);
            written.expect("a picture can be written to memory");
        }
    }
    file.into_inner()
}

/// The width and height of a PNG, JPEG or WebP.
pub fn size(file: &[u8]) -> (u32, u32) {
    if file.starts_with(b"RIFF") {
        let mut decoder = WebPDecoder::new(Cursor::new(file)).expect("a WebP");
        let mut samples = vec![0; decoder.output_buffer_size().expect("a small picture")];
        decoder.read_image(&mut samples).expect("a whole WebP");
        return decoder.dimensions();
    }
    let picture = image::load_from_memory(file).expect("a whole PNG or JPEG");
    (picture.width(), picture.height())
}

/// Asserts that the file is a whole PNG of this colour, and returns its size.
pub fn assert_plain(file: &[u8], colour: [u8; 3], what: &str) -> (u32, u32) {
    let picture = image::load_from_memory_with_format(file, ImageFormat::Png);
    let picture = picture.unwrap_or_else(|error| panic!("{what}: the thumbnail is torn: {error}"));
    let picture = picture.to_rgb8();
    // A JPEG's colour transform rounds; a neighbouring version differs by 32.
    let near = |pixel: &Rgb<u8>| pixel.0.iter().zip(colour).all(|(&a, b)| a.abs_diff(b) <= 4);
    let other = picture.pixels().find(|pixel| !near(pixel));
    assert_eq!(
        other, None,
        "{what}: the thumbnail isn't the picture of colour {colour:?}"
    );
    picture.dimensions()
}
