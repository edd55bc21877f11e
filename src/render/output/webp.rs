//! WebP out, lossy (RFC 9649, section 2.5), by libwebp.
//!
//! libwebp sees finished pixels only, never a byte of the source.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use webpx::{Encoder, EncoderConfig, EncodingError, Error, Unstoppable, YuvPlanesRef};

use super::planes::{Chroma, Planes};
use crate::render::pixels::{Model, Pixels};
use crate::render::{Quality, Refusal};

/// How hard libwebp looks for the best prediction, 0 to 6.
///
/// From 3 on it weighs bits against errors. On photographs of 800 and 1600 pixels, for the SSIM that 4 has at quality 80, 2
/// takes 0.4 of its time and a fifth more bytes, 0 a fifth of its time and half as many bytes again; 3 and 4 are the same, and
/// 5 takes a tenth more time for no fewer bytes.
const METHOD: u8 = 4;

/// Codes pixels; alpha is kept.
pub(in crate::render) fn encode(pixels: &Pixels, quality: Quality) -> Result<Vec<u8>, Refusal> {
    let sides = [side(pixels.width)?, side(pixels.height)?];
    let [width, height] = sides;
    let samples = &pixels.samples;
    match pixels.model {
        Model::Rgb => coded(Encoder::new_rgb(samples, width, height), sides, quality),
        Model::Rgba => coded(Encoder::new_rgba(samples, width, height), sides, quality),
        Model::GreyAlpha => {
            let samples = samples.as_chunks().0.iter();
            let samples: Vec<u8> = samples
                .flat_map(|[grey, alpha]| [*grey, *grey, *grey, *alpha])
                .collect();
            coded(Encoder::new_rgba(&samples, width, height), sides, quality)
        }
        Model::Grey => encode_samples(samples, None, sides, quality),
    }
}

/// Codes planes. Chroma that isn't halved is halved here.
pub(in crate::render) fn encode_planes(
    planes: &Planes,
    quality: Quality,
) -> Result<Vec<u8>, Refusal> {
    let sides = [side(planes.width)?, side(planes.height)?];
    let chroma = planes.chroma.as_ref().map(|chroma| {
        [&chroma.blue, &chroma.red].map(|plane| {
            if chroma.halved {
                Cow::Borrowed(&plane[..])
            } else {
                Cow::Owned(Chroma::halve(plane, planes.width))
            }
        })
    });
    encode_samples(&planes.luma, chroma, sides, quality)
}

/// An upper bound of the heap that either takes, the file included; `alpha` tells whether any may be coded.
///
/// Most of it is libwebp's, which counting allocators don't see. Measured with a hooked `malloc`, it takes most on samples of
/// 0 and 255 at random: 12.5 bytes a pixel of whole 16x16 blocks at quality 1, 21.3 at 50, 25.3 at 80 and 36.5 at 100, most
/// of them two for each bit of the coded coefficients; alpha that is noise 1.1 MB and 44 bytes a pixel.
pub(in crate::render) fn memory_bytes(
    width: u32,
    height: u32,
    quality: Quality,
    alpha: bool,
) -> u64 {
    let pixels = u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16)) * 256;
    // Samples in WebP's range take 1.5 bytes a pixel, grey with alpha as RGBA takes 4.
    let opaque = (64 << 10) + pixels * (16 + u64::from(quality.get()) / 4);
    let translucent = (5 << 18) + pixels * 52;
    if alpha {
        opaque.max(translucent)
    } else {
        opaque
    }
}

/// Codes full-range luma and halved chroma.
fn encode_samples(
    luma: &[u8],
    chroma: Option<[Cow<[u8]>; 2]>,
    [width, height]: [u32; 2],
    quality: Quality,
) -> Result<Vec<u8>, Refusal> {
    let stride = width.div_ceil(2) as usize;
    let luma = narrowed(luma, 219, [0, 16]);
    let [blue, red] = match chroma {
        Some(planes) => planes.map(|plane| narrowed(&plane, 224, [128, 128])),
        None => std::array::from_fn(|_| vec![128; stride * height.div_ceil(2) as usize]),
    };
    let planes = YuvPlanesRef {
        y: &luma,
        y_stride: width as usize,
        u: &blue,
        u_stride: stride,
        v: &red,
        v_stride: stride,
        a: None,
        a_stride: 0,
        width,
        height,
    };
    coded(Encoder::new_yuv(planes), [width, height], quality)
}

/// Samples of 0 to 255 in WebP's range, of `range` steps; `centre` is where black or grey is in either (ITU-R BT.601).
fn narrowed(samples: &[u8], range: u32, centre: [u32; 2]) -> Vec<u8> {
    let [full, narrow] = centre;
    let mut table = [0; 256];
    for (value, sample) in (0..).zip(&mut table) {
        let narrowed = (value * range + narrow * 255 - full * range + 127) / 255;
        *sample = u8::try_from(narrowed).unwrap_or(u8::MAX);
    }
    samples.iter().map(|s| table[usize::from(*s)]).collect()
}

/// The file of an encoder that has its pixels.
fn coded(encoder: Encoder, sides: [u32; 2], quality: Quality) -> Result<Vec<u8>, Refusal> {
    let config = EncoderConfig::new()
        .quality(quality.get().into())
        .method(METHOD)
        .partition_limit(partition_limit(sides));
    let file = encoder.config(config).encode(Unstoppable);
    file.map_err(|error| match error.decompose().0 {
        Error::EncodeFailed(
            EncodingError::Partition0Overflow
            | EncodingError::PartitionOverflow
            | EncodingError::FileTooBig,
        ) => Refusal::TooComplex("more than a WebP file can hold"),
        // No memory: not the picture's fault, and an allocation of ours that fails panics too, if it doesn't end the process.
        error => panic!("libwebp: {error}"),
    })
}

/// How much libwebp saves on what tells the predictions, in percent: it may take 2^19 bytes in all (RFC 6386, 9.1).
///
/// Once it takes more, libwebp begins anew with half of the 256 bits that a block of 16x16 pixels may take, over and over:
/// a photograph of 8192x6144 pixels takes 12 s instead of 3.5 at quality 90. So a block gets twice its share at most, which
/// goes by the square of the rest. Up to eight megapixels that is all.
fn partition_limit([width, height]: [u32; 2]) -> u8 {
    let share = (8 << 19) / (width.div_ceil(16) * height.div_ceil(16));
    let rest = ((2 * share).min(256) * 10_000 / 256).isqrt();
    u8::try_from(100 - rest).unwrap_or_default()
}

fn side(length: usize) -> Result<u32, Refusal> {
    // Section 2.5: 14 bits.
    u32::try_from(length)
        .ok()
        .filter(|length| (1..1 << 14).contains(length))
        .ok_or(Refusal::TooComplex("a side that WebP has no number for"))
}
