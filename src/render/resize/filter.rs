//! The final Lanczos3 filter, row by row.

use super::axis::{Axis, LANES, ONE};

/// What a sample's 1 of 255 is in a row of boxes: seven bits of fraction, so that 255 still fits an `i16`.
pub(super) const UNIT: u16 = 128;

/// Filters one plane to its final size, taking its rows in any order.
///
/// A row is filtered horizontally, then added to every output row in which it weighs. Only the output is kept.
pub(super) struct Filter<'a> {
    columns: &'a Axis,
    rows: &'a Axis,
    /// The row as filtered horizontally.
    narrow: Vec<f32>,
    output: Vec<f32>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(columns: &'a Axis, rows: &'a Axis) -> Self {
        let width = columns.outputs();
        Self {
            columns,
            rows,
            narrow: vec![0.0; width],
            output: vec![0.0; width * rows.outputs()],
        }
    }

    /// Adds row `y`, which must hold [`Axis::padded_boxes`] values in [`UNIT`]s.
    pub(super) fn add_row(&mut self, y: usize, boxes: &[i16]) {
        for (sum, (first, weights)) in self.narrow.iter_mut().zip(self.columns.spans()) {
            *sum = to_f32(dot(&boxes[first..first + weights.len()], weights));
        }
        let width = self.narrow.len();
        for (row, weight) in self.rows.outputs_of(y) {
            let weight = weight / (ONE * f32::from(UNIT));
            let row = &mut self.output[row * width..][..width];
            for (sum, value) in row.iter_mut().zip(&self.narrow) {
                *sum += weight * value;
            }
        }
    }

    /// The filtered plane, row after row; a sample of 255 is 255.
    pub(super) fn finish(self) -> Vec<f32> {
        self.output
    }
}

/// The sum of products, which stays below 2^31: the weights' absolute values add up to less than 2.
///
/// Eight products, or twice as many, are what compilers turn into multiply-and-add instructions.
fn dot(values: &[i16], weights: &[i16]) -> i32 {
    let (values, last_values) = values.as_chunks::<{ 2 * LANES }>();
    let (weights, last_weights) = weights.as_chunks();
    let sum: i32 = values.iter().zip(weights).map(products).sum();
    match (last_values.first_chunk(), last_weights.first_chunk()) {
        (Some(values), Some(weights)) => sum + products::<LANES>((values, weights)),
        _ => sum,
    }
}

/// The sum of a fixed number of products.
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
