//! PNG out.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::Thumbnail;
use super::pixels::{Model, Pixels};

/// Codes the pixels as a PNG without any metadata.
pub(super) fn encode(pixels: &Pixels) -> Result<Thumbnail, EncodingError> {
    let mut png = Vec::with_capacity(pixels.samples.len() + 1024);
    let width = u32::try_from(pixels.width).map_err(|_| EncodingError::LimitsExceeded)?;
    let height = u32::try_from(pixels.height).map_err(|_| EncodingError::LimitsExceeded)?;
    let mut encoder = Encoder::new(&mut png, width, height);
    encoder.set_color(match pixels.model {
        Model::Grey => ColorType::Grayscale,
        Model::GreyAlpha => ColorType::GrayscaleAlpha,
        Model::Rgb => ColorType::Rgb,
        Model::Rgba => ColorType::Rgba,
    });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.samples)?;
    writer.finish()?;
    Ok(Thumbnail { png, width, height })
}
