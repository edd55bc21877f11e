//! The finished pixels of an output, before encoding.

use super::resize::Resized;

/// A finished output: rows of interleaved 8-bit samples in sRGB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) model: Model,
    pub(super) samples: Vec<u8>,
}

/// The samples of a pixel, in order. Alpha is not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Model {
    /// The samples per pixel.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// Rounds to a sample of 0 to 255, halves up; clamps what the filter overshot, and makes NaN 0.
///
/// A cast would do the same, but saturating casts aren't vectorized.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low byte is the sample"
)]
#[inline]
pub(super) fn to_sample(value: f32) -> u8 {
    // 2^23: from here on floats are whole numbers, which their low bits count.
    const WHOLE: f32 = 8_388_608.0;
    let value = value + 0.5;
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    let nearest = value + WHOLE;
    let too_much = u32::from(nearest - WHOLE > value);
    nearest.to_bits().wrapping_sub(too_much) as u8
}

/// Interleaves one to four planes of `width` columns. Of two or four the last is alpha, the others premultiplied.
pub(super) fn from_planes<const C: usize>(planes: [Resized; C], width: usize) -> Pixels {
    let samples = if C.is_multiple_of(2) {
        let planes = planes.map(Resized::exact);
        unmultiplied(planes.each_ref().map(Vec::as_slice))
    } else {
        interleaved(planes.map(Resized::rounded))
    };
    let model = match C {
        1 => Model::Grey,
        2 => Model::GreyAlpha,
        3 => Model::Rgb,
        _ => Model::Rgba,
    };
    Pixels {
        width,
        height: samples.len() / C / width.max(1),
        model,
        samples,
    }
}

fn interleaved<const C: usize>(mut planes: [Vec<u8>; C]) -> Vec<u8> {
    if C == 1 {
        return std::mem::take(&mut planes[0]);
    }
    let count = planes[0].len();
    let mut samples = Vec::with_capacity(count * C);
    for index in 0..count {
        samples.extend(planes.each_ref().map(|plane| plane[index]));
    }
    samples
}

/// Divides premultiplied samples by the last, which is alpha.
fn unmultiplied<const C: usize>(planes: [&[f32]; C]) -> Vec<u8> {
    let count = planes[0].len();
    let mut samples = Vec::with_capacity(count * C);
    for pixel in (0..count).map(|index| planes.map(|plane| plane[index])) {
        // Where alpha overshoots, the premultiplied colours overshoot alike: dividing by it keeps an even colour even.
        let alpha = pixel[C - 1];
        let scale = if to_sample(alpha) == 0 {
            0.0
        } else {
            255.0 / alpha
        };
        samples.extend(pixel[..C - 1].iter().map(|value| to_sample(value * scale)));
        samples.push(to_sample(alpha));
    }
    samples
}

/// Drops an alpha that is opaque everywhere, and colour where all pixels are grey.
pub(super) fn smallest_model(pixels: Pixels) -> Pixels {
    let opaque = match pixels.model {
        Model::Grey | Model::Rgb => true,
        Model::GreyAlpha => pixels.samples.chunks_exact(2).all(|p| p[1] == u8::MAX),
        Model::Rgba => pixels.samples.chunks_exact(4).all(|p| p[3] == u8::MAX),
    };
    let grey = match pixels.model {
        Model::Grey | Model::GreyAlpha => true,
        Model::Rgb => pixels.samples.chunks_exact(3).all(is_grey),
        Model::Rgba => pixels.samples.chunks_exact(4).all(is_grey),
    };
    let (model, kept): (_, &[usize]) = match (pixels.model, grey, opaque) {
        (Model::Rgb | Model::Rgba, true, true) | (Model::GreyAlpha, _, true) => (Model::Grey, &[0]),
        (Model::Rgba, true, false) => (Model::GreyAlpha, &[0, 3]),
        (Model::Rgba, false, true) => (Model::Rgb, &[0, 1, 2]),
        _ => return pixels,
    };
    let source = pixels.samples.chunks_exact(pixels.model.channels());
    let samples = source
        .flat_map(|pixel| kept.iter().map(|channel| pixel[*channel]))
        .collect();
    Pixels {
        model,
        samples,
        ..pixels
    }
}

/// Whether the first three samples are equal.
fn is_grey(pixel: &[u8]) -> bool {
    pixel[0] == pixel[1] && pixel[1] == pixel[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smallest(model: Model, samples: &[u8]) -> (Model, Vec<u8>) {
        let width = samples.len() / model.channels();
        let pixels = smallest_model(Pixels {
            width,
            height: 1,
            model,
            samples: samples.to_vec(),
        });
        (pixels.model, pixels.samples)
    }

    #[test]
    fn samples_are_rounded_as_a_cast_does_it() {
        let halves = (-20..2 * 300).map(|half| f32::from(i16::try_from(half).unwrap()) / 2.0);
        let beside = halves.flat_map(|half| [half.next_down(), half, half.next_up()]);
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -0.0];
        for value in beside.chain(odd) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates"
            )]
            let cast = (value + 0.5) as u8;
            assert_eq!(to_sample(value), cast, "{value}");
        }
    }

    #[test]
    fn only_the_channels_that_say_something_are_kept() {
        assert_eq!(
            smallest(Model::Rgba, &[7, 7, 7, 255, 9, 9, 9, 255]),
            (Model::Grey, vec![7, 9])
        );
        assert_eq!(
            smallest(Model::Rgba, &[7, 7, 7, 255, 9, 9, 9, 254]),
            (Model::GreyAlpha, vec![7, 255, 9, 254])
        );
        assert_eq!(
            smallest(Model::Rgba, &[7, 8, 7, 255, 9, 9, 9, 255]),
            (Model::Rgb, vec![7, 8, 7, 9, 9, 9])
        );
        assert_eq!(
            smallest(Model::Rgba, &[7, 7, 8, 0]),
            (Model::Rgba, vec![7, 7, 8, 0])
        );
        assert_eq!(smallest(Model::Rgb, &[7, 7, 7]), (Model::Grey, vec![7]));
        assert_eq!(
            smallest(Model::GreyAlpha, &[7, 255]),
            (Model::Grey, vec![7])
        );
        assert_eq!(
            smallest(Model::GreyAlpha, &[7, 25]),
            (Model::GreyAlpha, vec![7, 25])
        );
    }
}
