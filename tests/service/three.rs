//! Three renditions of each source, one of each format and kind of pattern, all of which must be made.

use image::{ImageFormat, Rgb, RgbImage};

use crate::fake_gcs::{FakeGcs, Stored};

pub const RENDITIONS: &str = "thumbnails/{name}?size=128x128
    large/{name}?size=300x300&format=webp
    {dir}small/{stem}.jpg?size=20x20&fit=cover&format=jpeg";

pub const COUNT: usize = 3;

/// An output's name in the target bucket, and its format.
pub struct Output {
    pub name: String,
    format: ImageFormat,
}

/// The outputs of a source in a folder.
pub fn outputs(source: &str) -> [Output; COUNT] {
    let (folder, file) = source.rsplit_once('/').expect("a source in a folder");
    let (stem, _) = file.rsplit_once('.').expect("a name with an extension");
    [
        (format!("thumbnails/{source}"), ImageFormat::Png),
        (format!("large/{source}"), ImageFormat::WebP),
        (format!("{folder}/small/{stem}.jpg"), ImageFormat::Jpeg),
    ]
    .map(|(name, format)| Output { name, format })
}

/// Asserts that each output of a source exists, whole, of this colour and of this generation.
pub async fn assert_stored(gcs: &FakeGcs, source: &str, colour: [u8; 3], generation: Option<i64>) {
    for (output, stored) in assert_generation(gcs, source, generation).await {
        output.assert_plain(&stored.bytes, colour);
    }
}

/// Asserts that each output of a source exists and records this generation.
pub async fn assert_generation(
    gcs: &FakeGcs,
    source: &str,
    generation: Option<i64>,
) -> Vec<(Output, Stored)> {
    let mut all = Vec::with_capacity(COUNT);
    for output in outputs(source) {
        let stored = gcs.get("thumbs", &output.name).await;
        let stored = stored.unwrap_or_else(|| panic!("there is no {}", output.name));
        assert_eq!(stored.source_generation(), generation, "{}", output.name);
        all.push((output, stored));
    }
    all
}

impl Output {
    /// Asserts that the file is a whole picture of this colour.
    pub fn assert_plain(&self, file: &[u8], colour: [u8; 3]) {
        let picture = self.decode(file);
        let picture = picture.unwrap_or_else(|error| panic!("{} is torn: {error}", self.name));
        // Encoders round, also the source's; a neighbouring version differs by 32.
        let near = |pixel: &Rgb<u8>| {
            pixel
                .0
                .iter()
                .zip(colour)
                .all(|(&a, b)| a.abs_diff(b) <= 12)
        };
        let other = picture.pixels().find(|pixel| !near(pixel));
        assert_eq!(other, None, "{} isn't of {colour:?}", self.name);
    }

    fn decode(&self, file: &[u8]) -> Result<RgbImage, String> {
        if self.format != ImageFormat::WebP {
            let picture = image::load_from_memory_with_format(file, self.format);
            return picture
                .map(|picture| picture.to_rgb8())
                .map_err(|error| error.to_string());
        }
        let decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(file));
        let mut decoder = decoder.map_err(|error| error.to_string())?;
        let (width, height) = decoder.dimensions();
        if decoder.has_alpha() {
            return Err("it is transparent".to_owned());
        }
        let mut samples = vec![0; decoder.output_buffer_size().unwrap_or_default()];
        let read = decoder.read_image(&mut samples);
        read.map_err(|error| error.to_string())?;
        RgbImage::from_raw(width, height, samples).ok_or_else(|| "it is too short".to_owned())
    }
}
