//! The final Lanczos3 filter, row by row.

use super::axis::{Axis, LANES, ONE};

/// What a sample's 1 of 255 is in a row of boxes: seven bits of fraction, so that 255 still fits an `i16`.
pub(super) const UNIT: u16 = 128;

/// How many rows are added to the output at once, lest each goes through memory for one.
pub(super) const HELD: usize = 4;

/// Filters one plane to its final size, taking its rows in any order.
///
/// A row is filtered horizontally, then added to every output row in which it weighs. Only the output is kept.
pub(super) struct Filter<'a> {
    columns: &'a Axis,
    rows: &'a Axis,
    /// Rows as filtered horizontally.
    narrow: [Vec<f32>; HELD],
    /// Which rows these are, as far as they are yet to be added.
    held: Vec<usize>,
    output: Vec<f32>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(columns: &'a Axis, rows: &'a Axis) -> Self {
        let width = columns.outputs();
        Self {
            columns,
            rows,
            narrow: std::array::from_fn(|_| vec![0.0; width]),
            held: Vec::with_capacity(HELD),
            output: vec![0.0; width * rows.outputs()],
        }
    }

    /// Adds row `y`, which must hold [`Axis::padded_boxes`] values in [`UNIT`]s.
    pub(super) fn add_row(&mut self, y: usize, boxes: &[i16]) {
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
                    *sum = to_f32(dot(&boxes[first..first + weights.len()], weights));
                }
            }
        }
        self.held.push(y);
        if self.held.len() == HELD {
            self.flush();
        }
    }

    /// The filtered plane, row after row; a sample of 255 is 255.
    pub(super) fn finish(mut self) -> Vec<f32> {
        self.flush();
        self.output
    }

    /// Adds the rows that are held, in the order in which they came.
    fn flush(&mut self) {
        let outputs = self.held.iter().map(|y| self.rows.outputs_of(*y));
        let outputs = outputs.reduce(|all, one| all.start.min(one.start)..all.end.max(one.end));
        let width = self.columns.outputs();
        for output in outputs.unwrap_or_default() {
            let mut weights = [0.0; HELD];
            for (weight, y) in weights.iter_mut().zip(&self.held) {
                *weight = self.rows.weight(output, *y) / (ONE * f32::from(UNIT));
            }
            if weights.iter().any(|weight| *weight != 0.0) {
                add_rows(
                    &mut self.output[output * width..][..width],
                    weights,
                    &self.narrow,
                );
            }
        }
        self.held.clear();
    }
}

/// Adds weighed rows, one after the other.
fn add_rows(sums: &mut [f32], [a, b, c, d]: [f32; HELD], rows: &[Vec<f32>; HELD]) {
    let [first, second, third, fourth] = rows;
    let rows = first.iter().zip(second).zip(third).zip(fourth);
    for (sum, (((first, second), third), fourth)) in sums.iter_mut().zip(rows) {
        *sum = *sum + a * first + b * second + c * third + d * fourth;
    }
}

/// Filters a row horizontally, with `TAPS` weights for each output.
fn narrow_row<const TAPS: usize>(columns: &Axis, boxes: &[i16], narrow: &mut [f32]) {
    for (sum, (first, weights)) in narrow.iter_mut().zip(columns.spans()) {
        let boxes = &boxes[first..];
        if let (Some(boxes), Some(weights)) = (boxes.first_chunk::<TAPS>(), weights.first_chunk()) {
            *sum = to_f32(dot(boxes, weights as &[i16; TAPS]));
        }
    }
}

/// The sum of products, which stays below 2^31: the weights' absolute values add up to less than 2.
///
/// Powers of two of products are what compilers turn into multiply-and-add instructions.
#[inline]
fn dot(values: &[i16], weights: &[i16]) -> i32 {
    let (values, last_values) = values.as_chunks::<{ 4 * LANES }>();
    let (weights, last_weights) = weights.as_chunks();
    let sum: i32 = values.iter().zip(weights).map(products).sum();
    let (values, last_values) = last_values.as_chunks::<{ 2 * LANES }>();
    let (weights, last_weights) = last_weights.as_chunks();
    let sum = sum + values.iter().zip(weights).map(products).sum::<i32>();
    match (last_values.first_chunk(), last_weights.first_chunk()) {
        (Some(values), Some(weights)) => sum + products::<LANES>((values, weights)),
        _ => sum,
    }
}

/// The sum of a fixed number of products.
#[inline]
fn products<const N: usize>((values, weights): (&[i16; N], &[i16; N])) -> i32 {
    let pairs = values.iter().zip(weights);
    pairs
        .map(|(value, weight)| i32::from(*value) * i32::from(*weight))
        .sum()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the sum's relative error of 2^-24 is far below a sample's step"
)]
fn to_f32(sum: i32) -> f32 {
    sum as f32
}
