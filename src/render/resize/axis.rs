//! How the samples of one axis weigh in its output positions.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

/// Rows are read this many weights at a time, so each span is padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// A weight of 1, as the fixed-point number that weights are.
pub(super) const ONE: f32 = 16_384.0;

/// The longest side of a box, in samples.
pub(super) const MAX_BOX: u32 = 256;

/// The factor that is left to the filter where boxes shrink first.
pub(super) const KEPT: f64 = 4.0;

/// The weights of a Lanczos3 filter along one axis, for samples that are already summed in boxes.
pub(in crate::render) struct Axis {
    /// The first box that weighs in each output position; never decreases.
    firsts: Vec<usize>,
    /// `taps` weights for each output position.
    weights: Vec<i16>,
    taps: usize,
    samples: usize,
    shrink: usize,
}

impl Axis {
    /// An axis of `samples` samples that makes `outputs` positions; both are at least 1.
    ///
    /// `extent` is how many samples the picture covers; it may end within the last sample. `averaged` is how many source
    /// pixels each sample is already the mean of.
    pub(in crate::render) fn new(samples: u32, extent: f64, averaged: u32, outputs: u32) -> Self {
        let pitch = extent / f64::from(outputs);
        let shrink = whole(pitch / KEPT).clamp(1, MAX_BOX);
        let boxes = Boxes {
            samples,
            shrink,
            scale: pitch.max(1.0),
            sharpening: sharpening(averaged * shrink),
        };
        let centre = |output: u32| (f64::from(output) + 0.5) * pitch;
        let spans: Vec<RangeInclusive<u32>> = (0..outputs)
            .map(|output| boxes.span(centre(output)))
            .collect();
        let longest = spans
            .iter()
            .map(|span| index(span.end() - span.start()) + 1)
            .max();
        let taps = longest.unwrap_or(1).next_multiple_of(LANES);
        let mut weights = vec![0; taps * spans.len()];
        for ((output, span), weights) in (0..).zip(&spans).zip(weights.chunks_exact_mut(taps)) {
            boxes.weigh(centre(output), span.clone(), weights);
        }
        let firsts = spans.iter().map(|span| index(*span.start())).collect();
        Self {
            firsts,
            weights,
            taps,
            samples: index(samples),
            shrink: index(shrink),
        }
    }

    /// The heap that an axis of up to `samples` samples and `outputs` positions takes, and a row of its boxes.
    pub(super) fn memory_bytes(samples: u32, outputs: u32) -> u64 {
        let (samples, outputs) = (u64::from(samples), u64::from(outputs));
        // Twice KEPT is the most that boxes leave, unless they are at their longest.
        let left = (samples / outputs.max(1) / u64::from(MAX_BOX)).max(8) + 1;
        let taps = 6 * left + 2 + LANES as u64;
        outputs * (taps * 4 + 32) + (samples + taps) * 4
    }

    /// How many samples the axis has before any shrinking.
    pub(in crate::render) fn samples(&self) -> usize {
        self.samples
    }

    /// How many samples a box spans; the last may be shorter.
    pub(super) fn shrink(&self) -> usize {
        self.shrink
    }

    /// How many boxes the axis has.
    pub(super) fn boxes(&self) -> usize {
        self.samples.div_ceil(self.shrink)
    }

    /// How many boxes a row must hold, the padding included: every span ends there or before.
    pub(super) fn padded_boxes(&self) -> usize {
        let end = self.firsts.last().map_or(0, |first| first + self.taps);
        end.max(self.boxes())
    }

    /// How many positions the axis has after filtering.
    pub(in crate::render) fn outputs(&self) -> usize {
        self.firsts.len()
    }

    /// Each output position's first box and weights, in order.
    pub(super) fn spans(&self) -> impl Iterator<Item = (usize, &[i16])> {
        let weights = self.weights.chunks_exact(self.taps.max(1));
        self.firsts.iter().copied().zip(weights)
    }

    /// The output positions in which the box weighs, each with the weight.
    pub(super) fn outputs_of(&self, position: usize) -> impl Iterator<Item = (usize, f32)> {
        let start = self
            .firsts
            .partition_point(|first| first + self.taps <= position);
        let end = self.firsts.partition_point(|first| *first <= position);
        (start..end).map(move |output| {
            let tap = position - self.firsts[output];
            (
                output,
                f32::from(self.weights[output * self.taps + tap]) / ONE,
            )
        })
    }
}

/// How an axis falls into boxes.
struct Boxes {
    samples: u32,
    shrink: u32,
    /// The factor that the whole axis shrinks by, or 1 if it grows.
    scale: f64,
    sharpening: f64,
}

impl Boxes {
    fn count(&self) -> u32 {
        self.samples.div_ceil(self.shrink)
    }

    /// How much of the box holds samples; less than 1 only in the last.
    fn fullness(&self, index: u32) -> f64 {
        f64::from(self.shrink.min(self.samples - index * self.shrink)) / f64::from(self.shrink)
    }

    /// The box that holds the position, or the nearest.
    fn at(&self, position: f64) -> u32 {
        whole(position / f64::from(self.shrink)).min(self.count() - 1)
    }

    /// The boxes that weigh at the position `centre`: three scales to either side.
    fn span(&self, centre: f64) -> RangeInclusive<u32> {
        let reach = 3.0 * self.scale;
        self.at(centre - reach)..=self.at(centre + reach)
    }

    /// Sets the weights of the boxes of `span` at the position `centre`.
    fn weigh(&self, centre: f64, span: RangeInclusive<u32>, weights: &mut [i16]) {
        let step = f64::from(self.shrink) / self.scale;
        let start =
            ((f64::from(*span.start()) + 0.5) * f64::from(self.shrink) - centre) / self.scale;
        let mut curve = Lanczos3::new(start - step, step);
        let [mut before, mut here] = [curve.next(), curve.next()];
        let mut sum = 0.0;
        let exact: Vec<f64> = span
            .map(|index| {
                let after = curve.next();
                let weight = here - self.sharpening * (before - 2.0 * here + after);
                sum += self.fullness(index) * weight;
                (before, here) = (here, after);
                weight
            })
            .collect();
        // What rounding takes from one weight goes to the next, so that they still add up to one.
        let mut owed = 0.0;
        for (weight, exact) in weights.iter_mut().zip(exact) {
            let exact = exact / sum * f64::from(ONE) + owed;
            *weight = nearest(exact);
            owed = exact - f64::from(*weight);
        }
    }
}

/// How much of the second difference makes up for samples that are means of `width` pixels.
///
/// A mean over a width h of a smooth curve f is f + h^2 f'' / 24, and pixels are means over their own width already.
fn sharpening(width: u32) -> f64 {
    (1.0 - 1.0 / f64::from(width).powi(2)) / 24.0
}

/// Lanczos' windowed sinc of three lobes, at evenly spaced positions.
///
/// The sine is not computed anew for each: turning its angle by a constant is four multiplications.
struct Lanczos3 {
    x: f64,
    step: f64,
    /// Sine and cosine of `x` times pi / 3.
    turned: (f64, f64),
    /// The same of `step`.
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

    /// The value at the current position; moves on by a step.
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
            // sin 3a = 3 sin a - 4 sin^3 a
            3.0 * sin * sin * (3.0 - 4.0 * sin * sin) / (PI * PI * x * x)
        }
    }
}

/// The whole part of a position; what lies left of the axis counts as its start.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate"
)]
fn whole(position: f64) -> u32 {
    position as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "float casts saturate, and no weight is above 2"
)]
fn nearest(weight: f64) -> i16 {
    weight.round() as i16
}

/// A 32-bit count as an index, the same number on every machine that can hold such a picture.
fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
