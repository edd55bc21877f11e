//! How the samples of one axis weigh in its output positions.

use std::f64::consts::PI;

/// Rows are read this many weights at a time, so each span is padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// The weights of a Lanczos3 filter along one axis, for samples that are already summed in boxes.
pub(super) struct Axis {
    /// The first box that weighs in each output position; never decreases.
    firsts: Vec<usize>,
    /// `taps` weights for each output position.
    weights: Vec<f32>,
    taps: usize,
}

impl Axis {
    /// Weights for `samples` samples, summed in boxes of `shrink` (the last may be short), that make `outputs` positions.
    ///
    /// `extent` is how many samples the picture covers; it may end within the last sample. All are at least 1.
    pub(super) fn new(samples: u32, extent: f64, shrink: u32, outputs: u32) -> Self {
        let pitch = extent / f64::from(outputs);
        let scale = pitch.max(1.0);
        let spans: Vec<Span> = (0..outputs)
            .map(|output| Span::new((f64::from(output) + 0.5) * pitch, scale, samples, shrink))
            .collect();
        let longest = spans
            .iter()
            .map(|span| span.weights.len())
            .max()
            .unwrap_or(0);
        let taps = longest.next_multiple_of(LANES);
        let mut weights = Vec::with_capacity(taps * spans.len());
        for span in &spans {
            weights.extend_from_slice(&span.weights);
            weights.resize(weights.len() + taps - span.weights.len(), 0.0);
        }
        Self {
            firsts: spans.iter().map(|span| span.first).collect(),
            weights,
            taps,
        }
    }

    /// How many positions the axis has after filtering.
    pub(super) fn outputs(&self) -> usize {
        self.firsts.len()
    }

    /// How many boxes a row must hold, the padding included: every span ends there or before.
    pub(super) fn padded_boxes(&self) -> usize {
        self.firsts.last().map_or(0, |first| first + self.taps)
    }

    /// Each output position's first box and weights, in order.
    pub(super) fn spans(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.firsts
            .iter()
            .copied()
            .zip(self.weights.chunks_exact(self.taps.max(1)))
    }

    /// The output positions in which the box weighs, each with the weight.
    pub(super) fn outputs_of(&self, position: usize) -> impl Iterator<Item = (usize, f32)> {
        let start = self
            .firsts
            .partition_point(|first| first + self.taps <= position);
        let end = self.firsts.partition_point(|first| *first <= position);
        (start..end).map(move |output| {
            let tap = position - self.firsts[output];
            (output, self.weights[output * self.taps + tap])
        })
    }
}

/// One output position's weights.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

impl Span {
    /// `centre` and `scale` are in samples; the filter reaches three scales to either side.
    fn new(centre: f64, scale: f64, samples: u32, shrink: u32) -> Self {
        let boxes = samples.div_ceil(shrink);
        let length = |b: u32| shrink.min(samples - b * shrink);
        let middle = |b: u32| f64::from(b * shrink) + f64::from(length(b)) / 2.0;
        let reach = 3.0 * scale;
        let near = |edge: f64| nearest_box(edge / f64::from(shrink), boxes);
        let (first, last) = (near(centre - reach), near(centre + reach));
        let weights: Vec<f64> = (first..=last)
            .map(|b| lanczos3((middle(b) - centre) / scale))
            .collect();
        let sum: f64 = (first..=last)
            .zip(&weights)
            .map(|(b, weight)| f64::from(length(b)) * weight)
            .sum();
        Self {
            first: usize::try_from(first).unwrap_or(usize::MAX),
            weights: weights.iter().map(|weight| narrow(weight / sum)).collect(),
        }
    }
}

/// The box that holds `position`, kept within the axis.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate, and min() bounds the rest"
)]
fn nearest_box(position: f64, boxes: u32) -> u32 {
    (position as u32).min(boxes - 1)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a weight needs no more than an f32 holds"
)]
fn narrow(weight: f64) -> f32 {
    weight as f32
}

/// Lanczos' windowed sinc of three lobes.
fn lanczos3(x: f64) -> f64 {
    if x.abs() < 1e-8 {
        return 1.0;
    }
    if x.abs() >= 3.0 {
        return 0.0;
    }
    // One sine is enough: sin 3a = 3 sin a - 4 sin^3 a.
    let third = (PI * x / 3.0).sin();
    let whole = third * (3.0 - 4.0 * third * third);
    3.0 * third * whole / (PI * PI * x * x)
}
