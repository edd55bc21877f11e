//! Lossy frames to finished pixels: where the picture shrinks, luma and chroma are resized on their own, and colours are
//! converted only then.
//!
//! So chroma is never brought to the size of luma, and colour conversion touches the output's pixels alone.

use super::vp8;
use crate::render::pixels::{Pixels, from_planes};
use crate::render::resize::{Axis, Form, Resized, Sampling, Shrink};
use crate::render::size::{Framing, Stretch, index};
use crate::render::source::planes::PlaneResizers;
use crate::render::{Refusal, colour};

/// The factors by which an output must be smaller for its planes to be resized on their own, in pictures of up to
/// [`SMALL_PIXELS`] and of more.
///
/// Viewers cut colours off at black and white before they resize. Among many samples that evens out; among few it shows, by 3 to
/// 5 dB of 59 where the factor is 2 to 3. Large pictures are worth a third of the time more.
const MANY: [f64; 2] = [3.0, 2.0];

/// The most pixels of a small picture.
const SMALL_PIXELS: u64 = 1 << 20;

/// The factor by which it must be smaller to do without the loop filter, a tenth to a third of the work.
///
/// Prediction sees samples before the filter, so that nothing drifts. Against a full decode, leaving it out costs photographs of
/// 12 megapixels 0.1 to 0.3 dB of 57 from here on, and 0.7 of 55 those that were coded at qualities 10 and 30; at a factor of 16
/// it is 1 and 4 dB.
const MORE: f64 = 24.0;

/// Whether the planes of an output of a picture of this size are resized on their own.
pub(super) fn is_apart(size: (u32, u32), framing: &Framing) -> bool {
    let is_large = u64::from(size.0) * u64::from(size.1) > SMALL_PIXELS;
    shrinks_by(framing, MANY[usize::from(is_large)])
}

fn shrinks_by(framing: &Framing, factor: f64) -> bool {
    let shrinks = |stretch: Stretch| stretch.extent >= f64::from(stretch.outputs) * factor;
    shrinks(framing.columns) && shrinks(framing.rows)
}

/// An upper bound of the heap that [`render`] takes for an output beside the decoder.
pub(super) fn memory_bytes(size: (u32, u32), framing: &Framing) -> u64 {
    let half = (size.0.div_ceil(2), size.1.div_ceil(2));
    let plane = |size| Shrink::<u16, 1>::memory_bytes(size, framing.size(), Form::Exact, 1);
    plane(size) + 2 * plane(half)
}

/// One output.
struct View {
    /// Whether the loop filter is applied.
    filtered: bool,
    luma: (Axis, Axis),
    chroma: (Axis, Axis),
}

/// Renders a frame for outputs whose planes are resized on their own.
pub(super) fn render(
    frame: &[u8],
    size: (u32, u32),
    profile: Option<&[u8]>,
    framings: &[Framing],
) -> Result<Vec<Pixels>, Refusal> {
    let views: Vec<View> = framings
        .iter()
        .map(|framing| View::new(size, framing))
        .collect();
    let mut planes = PlaneResizers::new();
    for (output, view) in views.iter().enumerate() {
        for (component, axes) in [&view.luma, &view.chroma, &view.chroma]
            .into_iter()
            .enumerate()
        {
            planes.add(output, component, view.filtered, axes, Form::Exact);
        }
    }
    let wanted = [false, true].map(|filtered| views.iter().any(|view| view.filtered == filtered));
    vp8::decode_planes(frame, wanted, |component, filtered, row| {
        planes.take(component, filtered, row);
    })?;
    let outputs = planes.finish(views.len()).into_iter().zip(framings);
    let finished = outputs.map(|(planes, framing)| {
        let planes = <[_; 3]>::try_from(planes);
        let planes = planes.map_err(|_| Refusal::Corrupt("colours of the WebP".to_owned()))?;
        let mut planes = planes.map(Resized::exact);
        to_rgb(&mut planes);
        let pixels = from_planes(planes.map(Resized::Exact), index(framing.size().0));
        Ok(colour::to_srgb(pixels, profile))
    });
    finished.collect()
}

impl View {
    fn new((width, height): (u32, u32), framing: &Framing) -> Self {
        let (columns, rows) = framing.size();
        Self {
            filtered: !shrinks_by(framing, MORE),
            luma: framing.axes(width, height),
            chroma: (
                Axis::new(halved(width, framing.columns), columns),
                Axis::new(halved(height, framing.rows), rows),
            ),
        }
    }
}

/// An axis of chroma, which has half the samples.
fn halved(length: u32, stretch: Stretch) -> Sampling {
    Sampling {
        count: length.div_ceil(2),
        start: stretch.start / 2.0,
        extent: stretch.extent / 2.0,
        // Doubling blurs chroma, and the picture to match has that done.
        blur: -3.0 / 32.0,
        doubled: None,
    }
}

/// Converts limited-range `Y'CbCr` to `R'G'B'` in place (ITU-R BT.601, with the factors of `vp8::upsample`).
fn to_rgb([luma, blue, red]: &mut [Vec<f32>; 3]) {
    const FULL: f32 = 1.0 / 16_384.0;
    for ((first, second), third) in luma.iter_mut().zip(blue).zip(red) {
        let (luma, blue, red) = (*first - 16.0, *second - 128.0, *third - 128.0);
        let luma = luma * 19_077.0;
        *first = (luma + red * 26_149.0) * FULL;
        *second = (luma - blue * 6_419.0 - red * 13_320.0) * FULL;
        *third = (luma + blue * 33_050.0) * FULL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(size: (u32, u32), target: &str) -> Framing {
        Framing::new(size.0, size.1, &target.parse().unwrap())
    }

    #[test]
    fn small_pictures_need_a_factor_of_three_and_large_ones_of_two() {
        let cases = [
            ((1024, 1024), "size=341x341", true),
            ((1024, 1024), "size=342x342", false),
            ((1026, 1026), "size=513x513", true),
            ((1026, 1026), "size=514x514", false),
            // The narrow side decides.
            ((1000, 30), "size=100x11&fit=cover", false),
            ((1000, 30), "size=100x10&fit=cover", true),
        ];
        for (size, target, apart) in cases {
            assert_eq!(is_apart(size, &framing(size, target)), apart, "{target}");
        }
    }

    #[test]
    fn the_loop_filter_is_left_out_where_it_does_not_show() {
        let size = (2400, 2400);
        let filtered = |target| View::new(size, &framing(size, target)).filtered;
        assert!(!filtered("size=100x100"));
        assert!(filtered("size=101x101"));
    }

    #[test]
    fn planes_become_the_colours_of_the_matrix() {
        // Black, white, and red, green and blue as 8 bits store them (ITU-R BT.601).
        let stored = [
            [16, 128, 128],
            [235, 128, 128],
            [81, 90, 240],
            [145, 54, 34],
            [41, 240, 110],
        ];
        let colours = [
            [0, 0, 0],
            [255, 255, 255],
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
        ];
        let plane = |index: usize| {
            stored
                .map(|sample: [u8; 3]| f32::from(sample[index]))
                .to_vec()
        };
        let mut planes = [plane(0), plane(1), plane(2)];
        to_rgb(&mut planes);
        for (index, colour) in colours.into_iter().enumerate() {
            for (plane, exact) in planes.iter().zip(colour) {
                let off = plane[index] - f32::from(u8::try_from(exact).unwrap());
                assert!(off.abs() < 2.0, "{off} of {colour:?}");
            }
        }
    }
}
