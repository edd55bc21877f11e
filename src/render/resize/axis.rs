//! How the samples of one axis weigh in its output positions.

use super::sampling::{Sampling, Span};
use crate::render::size::index;

/// Rows are read this many weights at a time, so each span is padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// A weight of 1, as the fixed-point number that weights are.
pub(super) const ONE: f32 = 16_384.0;

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
    /// An axis that makes `outputs` positions, at least 1.
    pub(in crate::render) fn new(sampling: Sampling, outputs: u32) -> Self {
        let (shrink, spans) = sampling.spans(outputs);
        let longest = spans.iter().map(|span| span.weights.len()).max();
        let taps = longest.unwrap_or(1).next_multiple_of(LANES);
        let mut weights = vec![0; taps * spans.len()];
        for (span, weights) in spans.iter().zip(weights.chunks_exact_mut(taps)) {
            round(&span.weights, weights);
        }
        let firsts = spans.iter().map(|span: &Span| span.first).collect();
        Self {
            firsts,
            weights,
            taps,
            samples: index(sampling.count),
            shrink,
        }
    }

    /// The heap that an axis of `samples` samples and `outputs` positions takes, and a row of its boxes.
    pub(super) fn memory_bytes(samples: u32, outputs: u32) -> u64 {
        let (samples, outputs) = (u64::from(samples), u64::from(outputs));
        // Six lobes a position, each as wide as an output position or, where the axis grows, as a sample.
        let weights = 6 * samples + outputs * (6 + 2 + LANES as u64);
        let exact_and_rounded = (size_of::<f64>() * 2 + size_of::<i16>()) as u64;
        weights * exact_and_rounded + outputs * 64 + samples * size_of::<i16>() as u64
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
        let weights = self.weights.chunks_exact(self.taps);
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

/// Rounds weights that add up to one; what one loses by it goes to the next, so that they still do.
fn round(exact: &[f64], weights: &mut [i16]) {
    let mut owed = 0.0;
    for (weight, exact) in weights.iter_mut().zip(exact) {
        let exact = exact * f64::from(ONE) + owed;
        *weight = nearest(exact);
        owed = exact - f64::from(*weight);
    }
}

/// The nearest whole number: the offset makes positive what is cut off then, and calls no rounding function.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate, and no weight is above 2"
)]
fn nearest(weight: f64) -> i16 {
    ((weight + 32_768.5) as u16)
        .wrapping_sub(1 << 15)
        .cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an axis makes of samples, box sums and all.
    fn filtered(axis: &Axis, samples: &[f64]) -> Vec<f64> {
        let sums = samples
            .chunks(axis.shrink())
            .map(|held| held.iter().sum::<f64>());
        let held = f64::from(u32::try_from(axis.shrink()).unwrap());
        let boxes: Vec<f64> = sums.map(|sum| sum / held).collect();
        let output = |(first, weights): (usize, &[i16])| {
            let held = boxes.get(first..).unwrap_or_default();
            let products = held
                .iter()
                .zip(weights)
                .map(|(value, weight)| value * f64::from(*weight));
            products.sum::<f64>() / f64::from(ONE)
        };
        axis.spans().map(output).collect()
    }

    #[test]
    fn an_even_row_stays_as_it_is_at_every_size() {
        for samples in [1, 2, 3, 7, 128, 129, 255, 1000, 4001, 65_535] {
            for outputs in [1, 2, 3, 96, 127, 128] {
                let axis = Axis::new(Sampling::pixels(samples), outputs);
                for value in filtered(&axis, &vec![255.0; samples as usize]) {
                    assert!(
                        (value - 255.0).abs() < 0.1,
                        "{samples} to {outputs}: {value}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_ramp_keeps_its_positions() {
        // Away from the ends every output is the ramp's value at its centre, boxes or not.
        for samples in [128, 200, 999, 4000, 50_000_u32] {
            let axis = Axis::new(Sampling::pixels(samples), 100);
            let pitch = f64::from(samples) / 100.0;
            let ramp: Vec<f64> = (0..samples)
                .map(|x| f64::from(x) / f64::from(samples) * 255.0)
                .collect();
            for (output, value) in (0..100).zip(filtered(&axis, &ramp)).skip(4).take(92) {
                let centre = (f64::from(output) + 0.5) * pitch - 0.5;
                let exact = centre / f64::from(samples) * 255.0;
                assert!(
                    (value - exact).abs() < 0.1,
                    "{samples}, {output}: {value} for {exact}"
                );
            }
        }
    }

    #[test]
    fn a_row_of_the_final_size_is_left_alone() {
        let axis = Axis::new(Sampling::pixels(5), 5);
        let row = [0.0, 255.0, 3.0, 77.0, 128.0];
        for (value, exact) in filtered(&axis, &row).iter().zip(row) {
            assert!((value - exact).abs() < 0.1);
        }
    }

    #[test]
    fn both_views_of_the_weights_agree() {
        let axis = Axis::new(Sampling::pixels(1000), 60);
        for (output, (first, weights)) in axis.spans().enumerate() {
            for (tap, weight) in weights.iter().enumerate() {
                let seen = axis
                    .outputs_of(first + tap)
                    .find(|(other, _)| *other == output);
                assert_eq!(seen, Some((output, f32::from(*weight) / ONE)));
            }
        }
    }
}
