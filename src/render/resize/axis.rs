//! The resampling weights of one axis.

use std::{iter::Zip, ops::Range, slice::Iter};

use super::sampling::{Sampling, Span};
use crate::render::size::index;

/// The weights in a vector; each span is padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// The most output positions that wait for rows at once where an axis doesn't grow, see [`Axis::window`].
///
/// With p >= 1 boxes a position, six lobes and their padding are at most 6p + 9 boxes, and `HELD` more are to come: that
/// are 19 positions, and three at each end begin together.
pub(super) const WINDOW: u64 = 24;

/// The fixed-point weight 1.
pub(super) const ONE: f32 = 16_384.0;

/// The weights of a Lanczos3 filter along one axis, for samples that are already summed in boxes.
pub(in crate::render) struct Axis {
    /// Each output position's first box; never decreases.
    firsts: Vec<usize>,
    /// `taps` weights for each output position.
    weights: Vec<i16>,
    taps: usize,
    samples: usize,
    shrink: usize,
}

/// First boxes and weights of output positions in groups of four.
type Fours<'a, const TAPS: usize> = Zip<Iter<'a, [usize; 4]>, Iter<'a, [[i16; TAPS]; 4]>>;

/// First boxes and weights of single output positions.
type Ones<'a, const TAPS: usize> = Zip<Iter<'a, usize>, Iter<'a, [i16; TAPS]>>;

impl Axis {
    /// The weights for `outputs` output positions, at least 1.
    pub(in crate::render) fn new(sampling: Sampling, outputs: u32) -> Self {
        let (shrink, spans) = sampling.spans(outputs);
        let mut rounded: Vec<(usize, Vec<i16>)> = spans.iter().map(rounded).collect();
        // Leading zeros are dropped, unless a position would begin after its successor.
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

    /// The heap that an axis of `samples` samples and `outputs` positions takes, with a row of its boxes.
    pub(super) fn memory_bytes(samples: u32, outputs: u32) -> u64 {
        let (samples, outputs) = (u64::from(samples), u64::from(outputs));
        // Six lobes per position, each as wide as an output position or, where the axis grows, as a sample.
        let weights = 6 * samples + outputs * (6 + 2 + LANES as u64);
        let exact_and_rounded = (size_of::<f64>() * 2 + size_of::<i16>()) as u64;
        weights * exact_and_rounded + outputs * 64 + samples * size_of::<i16>() as u64
    }

    /// The number of samples before shrinking.
    pub(in crate::render) fn samples(&self) -> usize {
        self.samples
    }

    /// The samples per box; the last may hold fewer.
    pub(super) fn shrink(&self) -> usize {
        self.shrink
    }

    /// Whether the other axis has the same samples in the same boxes.
    pub(super) fn has_boxes_of(&self, other: &Self) -> bool {
        (self.samples, self.shrink) == (other.samples, other.shrink)
    }

    /// The number of boxes.
    pub(super) fn boxes(&self) -> usize {
        self.samples.div_ceil(self.shrink)
    }

    /// The boxes that a row must hold, padding included, so that every span lies within it.
    pub(super) fn padded_boxes(&self) -> usize {
        let end = self.firsts.last().map_or(0, |first| first + self.taps);
        end.max(self.boxes())
    }

    /// The number of output positions.
    pub(in crate::render) fn outputs(&self) -> usize {
        self.firsts.len()
    }

    /// The weights per output position, padded with zeros to a multiple of [`LANES`].
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

    /// [`Axis::spans`] in groups of four, and the rest; `TAPS` must be [`Axis::taps`].
    pub(super) fn fours<const TAPS: usize>(&self) -> (Fours<'_, TAPS>, Ones<'_, TAPS>) {
        let (firsts, last_firsts) = self.firsts.as_chunks();
        let (weights, last_weights) = self.weights.as_chunks().0.as_chunks();
        let ones = last_firsts.iter().zip(last_weights);
        (firsts.iter().zip(weights), ones)
    }

    /// The output positions whose spans hold the box at `position`.
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

    /// The weight of the box at `position` in an output position.
    pub(super) fn weight(&self, output: usize, position: usize) -> f32 {
        let tap = position.checked_sub(self.firsts[output]);
        match tap {
            Some(tap) if tap < self.taps => f32::from(self.weights[output * self.taps + tap]) / ONE,
            _ => 0.0,
        }
    }
}

/// A position's first box and fixed-point weights; each rounding error is carried to the next, so that they still add
/// up to 1.
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

/// Rounds to the nearest whole number: as the offset makes the value positive, a cast does.
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
mod tests;
