//! The encoder of lossy WebP (RFC 9649, section 2.5): libwebp.
//!
//! It sees finished pixels only, never a byte of the source.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use webpx::{Encoder, EncoderConfig, EncodingError, Error, Unstoppable, YuvPlanesRef};

use super::planes::{Chroma, Planes};
use crate::render::pixels::{Model, Pixels};
use crate::render::{Quality, Refusal};

/// How hard libwebp looks for the best prediction, 0 to 6.
///
/// From 3 on it weighs bits against errors. On photographs of 800 and 1600 pixels, for the SSIM of 4 at quality 80: 0
/// takes 20 % of its time and 50 % more bytes, 2 takes 40 % and 20 % more, 3 is the same, and 5 takes 10 % more time
/// for no fewer bytes.
const METHOD: u8 = 4;

/// Encodes pixels; alpha is kept.
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

/// Encodes planes, and halves chroma that isn't halved yet.
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

/// An upper bound of the heap that [`encode`] and [`encode_planes`] take, the file included; `alpha` says whether
/// pixels may have one.
///
/// Most of it is libwebp's, which counting allocators don't see. Measured with a hooked `malloc` in bytes per pixel of
/// whole 16x16 blocks, samples of 0 and 255 at random take most: 12.5 at quality 1, 21.3 at 50, 25.3 at 80 and 36.5 at
/// 100, mostly two per bit of coded coefficients; alpha that is noise takes 44, and 1.1 MB.
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

/// Encodes full-range luma and halved chroma.
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

/// Scales samples of 0 to 255 to `range` steps (ITU-R BT.601); `centre` is black, or grey, before and after.
fn narrowed(samples: &[u8], range: u32, centre: [u32; 2]) -> Vec<u8> {
    let [full, narrow] = centre;
    let mut table = [0; 256];
    for (value, sample) in (0..).zip(&mut table) {
        let narrowed = (value * range + narrow * 255 - full * range + 127) / 255;
        *sample = u8::try_from(narrowed).unwrap_or(u8::MAX);
    }
    samples.iter().map(|s| table[usize::from(*s)]).collect()
}

/// Runs an encoder that has its pixels.
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
        // Out of memory isn't the picture's fault. A failed allocation of ours panics too, if it doesn't abort.
        error => panic!("libwebp: {error}"),
    })
}

/// libwebp's limit on the bytes of the prediction modes, in percent saved: they may take 2^19 in all (RFC 6386, 9.1).
///
/// When they take more, libwebp starts anew with half of the 256 bits per block of 16x16 pixels, over and over: a
/// photograph of 8192x6144 pixels takes 12 s instead of 3.5 at quality 90. So a block gets at most twice its share,
/// `256 * (1 - limit / 100)²` bits. Up to eight megapixels that is all 256.
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
