//! How the samples of one axis weigh in its output positions.

use std::{iter::Zip, ops::Range, slice::Iter};

use super::sampling::{Sampling, Span};
use crate::render::size::index;

/// Rows are read this many weights at a time, so each span is padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// The most output positions that wait for rows at once where an axis doesn't grow, see [`Axis::window`].
///
/// With p >= 1 boxes a position, six lobes and their padding are at most 6p + 9 boxes, and `HELD` more are to come: that
/// are 19 positions, and three at each end begin together.
pub(super) const WINDOW: u64 = 24;

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

/// Four output positions' first boxes and weights each.
type Fours<'a, const TAPS: usize> = Zip<Iter<'a, [usize; 4]>, Iter<'a, [[i16; TAPS]; 4]>>;

/// One output position's first box and weights each.
type Ones<'a, const TAPS: usize> = Zip<Iter<'a, usize>, Iter<'a, [i16; TAPS]>>;

impl Axis {
    /// An axis that makes `outputs` positions, at least 1.
    pub(in crate::render) fn new(sampling: Sampling, outputs: u32) -> Self {
        let (shrink, spans) = sampling.spans(outputs);
        let mut rounded: Vec<(usize, Vec<i16>)> = spans.iter().map(rounded).collect();
        // What weighs nothing is left out, but so that no position begins before its predecessor.
        let mut next = usize::MAX;
        for (first, weights) in rounded.iter_mut().rev() {
            let zeros = weights.iter().take_while(|weight| **weight == 0).count();
            let skipped = zeros.min(next.saturating_sub(*first));
            weights.drain(..skipped);
            *first += skipped;
            next = *first;
        }
        let longest = rounded.iter().map(|(_, weights)| weights.len()).max();
        let taps = longest.unwrap_or(1).max(1).next_multiple_of(LANES);
        let mut weights = vec![0; taps * rounded.len()];
        for ((_, kept), weights) in rounded.iter().zip(weights.chunks_exact_mut(taps)) {
            weights[..kept.len()].copy_from_slice(kept);
        }
        Self {
            firsts: rounded.iter().map(|(first, _)| *first).collect(),
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

    /// Whether the other axis has the same samples in the same boxes.
    pub(super) fn has_boxes_of(&self, other: &Self) -> bool {
        (self.samples, self.shrink) == (other.samples, other.shrink)
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

    /// How many weights each output position has, padded with zeros to a multiple of [`LANES`].
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// Whether each output position is the sample of the same number.
    pub(super) fn is_identity(&self) -> bool {
        let mut spans = self.spans().enumerate();
        let same = spans.all(|(output, (first, weights))| {
            first == output && weights.first().map(|weight| f32::from(*weight)) == Some(ONE)
        });
        same && self.outputs() == self.samples
    }

    /// Each output position's first box and weights, in order.
    pub(super) fn spans(&self) -> impl Iterator<Item = (usize, &[i16])> {
        let weights = self.weights.chunks_exact(self.taps);
        self.firsts.iter().copied().zip(weights)
    }

    /// [`Axis::spans`] in fours, and those that are left, if each has `TAPS` weights.
    pub(super) fn fours<const TAPS: usize>(&self) -> (Fours<'_, TAPS>, Ones<'_, TAPS>) {
        let (firsts, last_firsts) = self.firsts.as_chunks();
        let (weights, last_weights) = self.weights.as_chunks().0.as_chunks();
        let ones = last_firsts.iter().zip(last_weights);
        (firsts.iter().zip(weights), ones)
    }

    /// The output positions in which the box may weigh.
    pub(super) fn outputs_of(&self, position: usize) -> Range<usize> {
        let start = self
            .firsts
            .partition_point(|first| first + self.taps <= position);
        let end = self.firsts.partition_point(|first| *first <= position);
        start..end
    }

    /// How many output positions wait for boxes at once, if boxes come in their order and `held` at a time.
    pub(super) fn window(&self, held: usize) -> usize {
        let mut end = 0;
        let waiting = self.firsts.iter().enumerate().map(|(output, first)| {
            // The last boxes that come before the position is complete.
            let last = first + self.taps + held - 2;
            while self.firsts.get(end).is_some_and(|first| *first <= last) {
                end += 1;
            }
            end - output
        });
        waiting.max().unwrap_or(1)
    }

    /// What the box weighs in an output position.
    pub(super) fn weight(&self, output: usize, position: usize) -> f32 {
        let tap = position.checked_sub(self.firsts[output]);
        match tap {
            Some(tap) if tap < self.taps => f32::from(self.weights[output * self.taps + tap]) / ONE,
            _ => 0.0,
        }
    }
}

/// A position's first box and rounded weights; what one loses by rounding goes to the next, so that they still add up to one.
fn rounded(span: &Span) -> (usize, Vec<i16>) {
    let mut owed = 0.0;
    let weights = span.weights.iter().map(|exact| {
        let exact = exact * f64::from(ONE) + owed;
        let weight = nearest(exact);
        owed = exact - f64::from(weight);
        weight
    });
    let mut weights: Vec<i16> = weights.collect();
    let zeros = weights.iter().rev().take_while(|weight| **weight == 0);
    weights.truncate(weights.len() - zeros.count());
    (span.first, weights)
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
    use super::super::filter::HELD;
    use super::super::sampling::Full;
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
                assert!(axis.outputs_of(first + tap).contains(&output));
                let seen = axis.weight(output, first + tap);
                assert!(seen.to_bits() == (f32::from(*weight) / ONE).to_bits());
            }
            let taps = weights.len();
            assert!(!axis.outputs_of(first + taps).contains(&output));
            assert!(axis.weight(output, first + taps).to_bits() == 0);
        }
    }

    #[test]
    fn positions_come_in_order_when_what_weighs_nothing_is_left_out() {
        // At 101 samples for 100 positions some fall on the filter's zeros and some don't.
        for (samples, outputs) in [(100, 100), (101, 100), (200, 100), (1000, 999)] {
            let axis = Axis::new(Sampling::pixels(samples), outputs);
            assert!(axis.firsts.is_sorted(), "{samples} to {outputs}");
        }
        assert_eq!(Axis::new(Sampling::pixels(5), 5).firsts, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_most_that_wait_are_known_beforehand() {
        let halved = |count, outputs: u32| Sampling {
            extent: f64::from(outputs) / 2.0,
            doubled: Some(Full {
                count: outputs,
                start: 0.0,
                extent: f64::from(outputs),
            }),
            ..Sampling::pixels(count)
        };
        for samples in [1_u32, 2, 5, 16, 33, 100, 257, 1000, 4001, 65_535] {
            for outputs in [1, 2, 3, 24, 50, 97, 128, 500, 1600]
                .into_iter()
                .filter(|outputs| *outputs <= samples)
            {
                let window = Axis::new(Sampling::pixels(samples), outputs).window(HELD);
                assert!(window as u64 <= WINDOW, "{samples} to {outputs}: {window}");
                let halves = samples.div_ceil(2);
                let window = Axis::new(halved(halves, samples), samples).window(HELD);
                assert!(
                    window as u64 <= 2 * WINDOW,
                    "{halves} to {samples}: {window}"
                );
                let quarters = samples.div_ceil(4);
                let window = Axis::new(Sampling::pixels(quarters), samples).window(HELD);
                assert!(
                    window as u64 <= 4 * WINDOW,
                    "{quarters} to {samples}: {window}"
                );
            }
        }
    }
}
