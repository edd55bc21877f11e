//! Where the samples of an axis lie, and their weights in a Lanczos3 filter.

use std::f64::consts::PI;

use crate::render::size::{Stretch, index};

/// The longest side of a box, in samples.
const MAX_BOX: u32 = 256;

/// The factor that boxes leave to the filter; a smaller one would be visible.
const KEPT: f64 = 4.0;

/// How the samples of a plane lie along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::render) struct Sampling {
    /// The number of samples, at least 1.
    pub(in crate::render) count: u32,
    /// Where the shown part begins, in samples.
    pub(in crate::render) start: f64,
    /// The length of the shown part in samples; it may end within the last.
    pub(in crate::render) extent: f64,
    /// The samples' blur against the picture `f` that is to be resized: `sample = f + blur * f″`, in units of a sample.
    pub(in crate::render) blur: f64,
    /// The axis at full size, if the samples are chroma at half of it.
    pub(in crate::render) doubled: Option<Full>,
}

/// An axis of pixels, of which a part is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::render) struct Full {
    pub(in crate::render) count: u32,
    pub(in crate::render) start: f64,
    pub(in crate::render) extent: f64,
}

/// An output position's weights for consecutive boxes; they add up to one.
pub(super) struct Span {
    pub(super) first: usize,
    pub(super) weights: Vec<f64>,
}

impl Sampling {
    /// The blur of samples that are each the mean of `width` pixels.
    ///
    /// The mean of a smooth `f` over a width `h` is `f + h² f″ / 24`, and pixels are means over `1 / width` already.
    pub(in crate::render) fn blur_of_means(width: u32) -> f64 {
        (1.0 - 1.0 / f64::from(width).powi(2)) / 24.0
    }

    /// An axis of `count` pixels.
    pub(in crate::render) fn pixels(count: u32) -> Self {
        Self {
            count,
            start: 0.0,
            extent: f64::from(count),
            blur: 0.0,
            doubled: None,
        }
    }

    /// A part of an axis of `count` pixels.
    pub(in crate::render) fn stretch(count: u32, stretch: Stretch) -> Self {
        Self {
            start: stretch.start,
            extent: stretch.extent,
            ..Self::pixels(count)
        }
    }

    /// The number of samples in a box, and the boxes' weights for each of `outputs` positions.
    pub(super) fn spans(self, outputs: u32) -> (usize, Vec<Span>) {
        if let Some(full) = self.doubled {
            let full = Self {
                start: full.start,
                extent: full.extent,
                ..Self::pixels(full.count)
            };
            let spans = full.spans_of_boxes(1, outputs);
            return (
                1,
                spans
                    .into_iter()
                    .map(|span| span.halved(self.count))
                    .collect(),
            );
        }
        let shrink = whole(self.extent / f64::from(outputs) / KEPT).clamp(1, MAX_BOX);
        (index(shrink), self.spans_of_boxes(shrink, outputs))
    }

    fn spans_of_boxes(self, shrink: u32, outputs: u32) -> Vec<Span> {
        let pitch = self.extent / f64::from(outputs);
        let blur = self.blur / f64::from(shrink).powi(2) + Self::blur_of_means(shrink);
        let boxes = Boxes {
            samples: self.count,
            shrink,
            scale: pitch.max(1.0),
            blur,
        };
        (0..outputs)
            .map(|output| boxes.span(self.start + (f64::from(output) + 0.5) * pitch))
            .collect()
    }
}

impl Span {
    /// Turns weights for doubled chroma into weights for the stored samples.
    ///
    /// Viewers double chroma before they resize, by libjpeg's fancy upsampling: three quarters of the nearest sample
    /// and one quarter of the next, where past the ends the last is repeated.
    fn halved(self, count: u32) -> Self {
        let last = index(count) - 1;
        let of = |full: usize| {
            let near = full / 2;
            let next = if full.is_multiple_of(2) {
                near.saturating_sub(1)
            } else {
                near + 1
            };
            (near.min(last), next.min(last))
        };
        let end = self.first + self.weights.len();
        let first = of(self.first).0.saturating_sub(1);
        let mut weights = vec![0.0; (of(end).0 + 2 - first).min(last + 1 - first)];
        for (full, weight) in (self.first..end).zip(self.weights) {
            let (near, next) = of(full);
            weights[near - first] += weight * 0.75;
            weights[next - first] += weight * 0.25;
        }
        Self { first, weights }
    }
}

/// The division of an axis into boxes.
struct Boxes {
    samples: u32,
    shrink: u32,
    /// The factor by which the whole axis shrinks, or 1 if it grows.
    scale: f64,
    /// [`Sampling::blur`] of the boxes, in units of a box.
    blur: f64,
}

impl Boxes {
    /// The share of a box that holds samples; less than 1 only in the last.
    fn fullness(&self, index: u32) -> f64 {
        f64::from(self.shrink.min(self.samples - index * self.shrink)) / f64::from(self.shrink)
    }

    /// The box that holds the position, or the nearest.
    fn at(&self, position: f64) -> u32 {
        whole(position / f64::from(self.shrink)).min(self.samples.div_ceil(self.shrink) - 1)
    }

    /// The weights of the boxes within three scales of the position `centre`.
    fn span(&self, centre: f64) -> Span {
        let reach = 3.0 * self.scale;
        let (first, last) = (self.at(centre - reach), self.at(centre + reach));
        let step = f64::from(self.shrink) / self.scale;
        let start = ((f64::from(first) + 0.5) * f64::from(self.shrink) - centre) / self.scale;
        let mut curve = Lanczos3::new(start - step, step);
        let [mut before, mut here] = [curve.next(), curve.next()];
        let mut sum = 0.0;
        let mut weights: Vec<f64> = (first..=last)
            .map(|index| {
                let after = curve.next();
                let weight = here - self.blur * (before - 2.0 * here + after);
                sum += self.fullness(index) * weight;
                (before, here) = (here, after);
                weight
            })
            .collect();
        for weight in &mut weights {
            *weight /= sum;
        }
        Span {
            first: index(first),
            weights,
        }
    }
}

/// The Lanczos kernel of three lobes, at evenly spaced positions.
///
/// Each sine is the previous one rotated by a constant angle: four multiplications.
struct Lanczos3 {
    x: f64,
    step: f64,
    /// Sine and cosine of `x * pi / 3`.
    turned: (f64, f64),
    /// Sine and cosine of `step * pi / 3`.
    turn: (f64, f64),
}

impl Lanczos3 {
    fn new(x: f64, step: f64) -> Self {
        let angle = |x: f64| (PI / 3.0 * x).sin_cos();
        Self {
            x,
            step,
            turned: angle(x),
            turn: angle(step),
        }
    }

    /// Returns the value at `x`, and moves on by a step.
    fn next(&mut self) -> f64 {
        let (x, (sin, cos)) = (self.x, self.turned);
        self.x += self.step;
        self.turned = (
            sin * self.turn.1 + cos * self.turn.0,
            cos * self.turn.1 - sin * self.turn.0,
        );
        if x.abs() >= 3.0 {
            0.0
        } else if x.abs() < 1e-6 {
            1.0
        } else {
            // One sine is enough: sin 3a = 3 sin a - 4 sin^3 a.
            3.0 * sin * sin * (3.0 - 4.0 * sin * sin) / (PI * PI * x * x)
        }
    }
}

/// The whole part of a position, 0 for negative ones.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate"
)]
fn whole(position: f64) -> u32 {
    position as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_lanczos_windowed_sinc() {
        let sinc = |x: f64| {
            if x == 0.0 {
                1.0
            } else {
                (PI * x).sin() / (PI * x)
            }
        };
        let mut curve = Lanczos3::new(-3.5, 0.03);
        for step in 0..250 {
            let x = -3.5 + f64::from(step) * 0.03;
            let exact = if x.abs() < 3.0 {
                sinc(x) * sinc(x / 3.0)
            } else {
                0.0
            };
            assert!((curve.next() - exact).abs() < 1e-6, "{x}");
        }
    }

    #[test]
    fn doubled_chroma_is_resized_as_if_it_had_been_doubled_first() {
        let chroma = [10.0, 200.0, 30.0, 90.0, 250.0, 0.0];
        let full = [
            10.0, 57.5, 152.5, 157.5, 72.5, 45.0, 75.0, 130.0, 210.0, 187.5, 62.5,
        ];
        let values = |spans: Vec<Span>, samples: &[f64]| -> Vec<f64> {
            let value = |span: Span| {
                span.weights
                    .iter()
                    .zip(&samples[span.first..])
                    .map(|(w, s)| w * s)
                    .sum()
            };
            spans.into_iter().map(value).collect()
        };
        for outputs in [11, 7, 3, 1] {
            let half = Sampling {
                count: 6,
                start: 0.0,
                extent: 5.5,
                blur: 0.0,
                doubled: Some(Full {
                    count: 11,
                    start: 0.0,
                    extent: 11.0,
                }),
            };
            let (_, spans) = half.spans(outputs);
            let exact = values(Sampling::pixels(11).spans_of_boxes(1, outputs), &full);
            for (value, exact) in values(spans, &chroma).iter().zip(exact) {
                assert!((value - exact).abs() < 1e-9, "{value} for {exact}");
            }
        }
    }
}
