//! The final Lanczos3 filter, row by row.

use wide::{f32x4, i16x8, i32x4};

use super::axis::{Axis, LANES, ONE, WINDOW};
use crate::render::pixels::to_sample;

/// The fixed-point unit of box means: seven bits of fraction, so that 255 still fits an `i16`.
pub(super) const UNIT: u16 = 128;

/// The rows added to the output at once, to save passes over it in memory.
pub(super) const HELD: usize = 4;

/// What a resizer makes of a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Form {
    /// [`Resized::Exact`], from rows in any order.
    Exact,
    /// [`Resized::Rounded`], from rows from top to bottom, each once.
    Rounded,
}

/// A resized plane, row after row; white is 255.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::render) enum Resized {
    /// With fractions, and with what the filter's lobes overshot.
    Exact(Vec<f32>),
    /// As [`to_sample`] rounds it.
    Rounded(Vec<u8>),
}

impl Resized {
    pub(in crate::render) fn rounded(self) -> Vec<u8> {
        match self {
            Self::Exact(plane) => plane.into_iter().map(to_sample).collect(),
            Self::Rounded(plane) => plane,
        }
    }

    pub(in crate::render) fn exact(self) -> Vec<f32> {
        match self {
            Self::Exact(plane) => plane,
            Self::Rounded(plane) => plane.into_iter().map(f32::from).collect(),
        }
    }
}

/// Filters one plane to its final size.
///
/// A row is filtered horizontally, then added to every output row in which it has a weight.
pub(super) struct Filter<'a> {
    columns: &'a Axis,
    rows: &'a Axis,
    /// Horizontally filtered rows.
    narrow: [Vec<f32>; HELD],
    /// The numbers of those rows of `narrow` that are still to be added.
    held: Vec<usize>,
    /// The output rows that aren't rounded yet: row `y` is the one numbered `y` modulo their number.
    sums: Vec<f32>,
    /// The output rows that are rounded, in [`Form::Rounded`].
    rounded: Option<Vec<u8>>,
    /// Whether the plane keeps its size, and nothing is to be filtered.
    same: bool,
}

impl<'a> Filter<'a> {
    pub(super) fn new(columns: &'a Axis, rows: &'a Axis, form: Form) -> Self {
        let (width, height) = (columns.outputs(), rows.outputs());
        let (window, rounded) = match form {
            Form::Exact => (height, None),
            Form::Rounded => (rows.window(HELD), Some(Vec::with_capacity(width * height))),
        };
        Self {
            columns,
            rows,
            narrow: std::array::from_fn(|_| vec![0.0; width]),
            held: Vec::with_capacity(HELD),
            sums: vec![0.0; width * window],
            rounded,
            same: columns.is_identity() && rows.is_identity(),
        }
    }

    /// The heap that a filter takes for so many output positions, its axes aside.
    ///
    /// `growth` is how many output rows there may be for a row of samples, at least 1.
    pub(super) fn memory_bytes((width, height): (u32, u32), form: Form, growth: u32) -> u64 {
        let (width, height) = (u64::from(width), u64::from(height));
        let plane = match form {
            Form::Exact => 4 * height,
            Form::Rounded => height + 4 * height.min(WINDOW * u64::from(growth)),
        };
        width * (plane + 4 * HELD as u64)
    }

    /// Adds row `y`, which must hold [`Axis::padded_boxes`] values in [`UNIT`]s.
    pub(super) fn add_row(&mut self, y: usize, boxes: &[i16]) {
        if let Some(rounded) = &mut self.rounded
            && self.same
        {
            let boxes = boxes.iter().take(self.columns.outputs());
            rounded.extend(boxes.map(|value| nearest(*value)));
            return;
        }
        let narrow = &mut self.narrow[self.held.len()];
        match self.columns.taps() {
            8 => narrow_row::<8>(self.columns, boxes, narrow),
            16 => narrow_row::<16>(self.columns, boxes, narrow),
            24 => narrow_row::<24>(self.columns, boxes, narrow),
            32 => narrow_row::<32>(self.columns, boxes, narrow),
            40 => narrow_row::<40>(self.columns, boxes, narrow),
            48 => narrow_row::<48>(self.columns, boxes, narrow),
            _ => {
                for (sum, (first, weights)) in narrow.iter_mut().zip(self.columns.spans()) {
                    let lanes = dot(&boxes[first..first + weights.len()], weights);
                    *sum = one_added_up(lanes);
                }
            }
        }
        self.held.push(y);
        if self.held.len() == HELD {
            self.flush();
        }
    }

    /// The filtered plane.
    pub(super) fn finish(mut self) -> Resized {
        self.flush();
        self.round(self.rows.outputs());
        match self.rounded {
            Some(plane) => Resized::Rounded(plane),
            None => Resized::Exact(self.sums),
        }
    }

    /// Adds the held rows, in the order in which they came.
    fn flush(&mut self) {
        let outputs = self.held.iter().map(|y| self.rows.outputs_of(*y));
        let outputs = outputs.reduce(|all, one| all.start.min(one.start)..all.end.max(one.end));
        let Some(outputs) = outputs else { return };
        // Nothing weighs above it any more where rows come in their order.
        self.round(outputs.start);
        let width = self.columns.outputs();
        let window = self.sums.len() / width;
        for output in outputs {
            let mut weights = [0.0; HELD];
            for (weight, y) in weights.iter_mut().zip(&self.held) {
                *weight = self.rows.weight(output, *y) / (ONE * f32::from(UNIT));
            }
            if weights.iter().any(|weight| *weight != 0.0) {
                add_rows(
                    &mut self.sums[output % window * width..][..width],
                    weights,
                    &self.narrow,
                );
            }
        }
        self.held.clear();
    }

    /// Rounds the rows up to `end`, and makes room in place of them.
    fn round(&mut self, end: usize) {
        let Some(rounded) = &mut self.rounded else {
            return;
        };
        let width = self.columns.outputs();
        let window = self.sums.len() / width;
        for output in rounded.len() / width..end {
            let sums = &mut self.sums[output % window * width..][..width];
            rounded.extend(sums.iter().map(|sum| to_sample(*sum)));
            sums.fill(0.0);
        }
    }
}

/// Rounds a value in [`UNIT`]s as [`to_sample`] does it.
fn nearest(value: i16) -> u8 {
    let whole = value.cast_unsigned().saturating_add(UNIT / 2) / UNIT;
    whole.min(255).to_le_bytes()[0]
}

/// `sums += a * first + b * second + c * third + d * fourth`, added from left to right.
fn add_rows(sums: &mut [f32], [a, b, c, d]: [f32; HELD], rows: &[Vec<f32>; HELD]) {
    let [first, second, third, fourth] = rows;
    let rows = first.iter().zip(second).zip(third).zip(fourth);
    for (sum, (((first, second), third), fourth)) in sums.iter_mut().zip(rows) {
        *sum = *sum + a * first + b * second + c * third + d * fourth;
    }
}

/// Filters a row horizontally, with `TAPS` weights for each output.
///
/// Four outputs at once, whose lanes are added up by one transposition.
fn narrow_row<const TAPS: usize>(columns: &Axis, boxes: &[i16], narrow: &mut [f32]) {
    let (fours, last) = columns.fours::<TAPS>();
    let (sums, last_sums) = narrow.as_chunks_mut::<4>();
    let lanes = |(first, weights): (&usize, &[i16; TAPS])| {
        let boxes = boxes.get(*first..).and_then(<[i16]>::first_chunk::<TAPS>);
        boxes.map_or(i32x4::ZERO, |boxes| dot(boxes, weights))
    };
    for (sums, ([a, b, c, d], [wa, wb, wc, wd])) in sums.iter_mut().zip(fours) {
        let four = [(a, wa), (b, wb), (c, wc), (d, wd)].map(lanes);
        *sums = added_up(four).to_array();
    }
    for (sum, span) in last_sums.iter_mut().zip(last) {
        *sum = one_added_up(lanes(span));
    }
}

/// The dot product, as four partial sums.
///
/// It stays below 2^31, as the weights' absolute values add up to less than 2. A remainder of [`LANES`] is ignored:
/// weights are padded.
#[inline]
fn dot(values: &[i16], weights: &[i16]) -> i32x4 {
    let values = values.as_chunks::<LANES>().0;
    let weights = weights.as_chunks::<LANES>().0;
    let pairs = values.iter().zip(weights);
    pairs.fold(i32x4::ZERO, |sum, (values, weights)| {
        sum + i16x8::new(*values).dot(i16x8::new(*weights))
    })
}

/// The sum of each vector's lanes; its relative error of 2^-24 is far below a sample's step.
#[inline]
fn added_up(lanes: [i32x4; 4]) -> f32x4 {
    let [a, b, c, d] = i32x4::transpose(lanes);
    (a + b + c + d).round_float()
}

/// The sum of one vector's lanes.
#[inline]
fn one_added_up(lanes: i32x4) -> f32 {
    let [sum, ..] = added_up([lanes, i32x4::ZERO, i32x4::ZERO, i32x4::ZERO]).to_array();
    sum
}

#[cfg(test)]
mod tests;
