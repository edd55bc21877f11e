//! The final Lanczos3 filter, row by row.

use super::axis::{Axis, LANES};

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

    /// Adds row `y`, which must hold [`Axis::padded_boxes`] values.
    pub(super) fn add_row(&mut self, y: usize, boxes: &[f32]) {
        for (sum, (first, weights)) in self.narrow.iter_mut().zip(self.columns.spans()) {
            *sum = dot(&boxes[first..first + weights.len()], weights);
        }
        let width = self.narrow.len();
        for (row, weight) in self.rows.outputs_of(y) {
            let row = &mut self.output[row * width..][..width];
            for (sum, value) in row.iter_mut().zip(&self.narrow) {
                *sum += weight * value;
            }
        }
    }

    /// The filtered plane, row after row.
    pub(super) fn finish(self) -> Vec<f32> {
        self.output
    }
}

/// The sum of products, in lanes that the compiler keeps in vector registers.
fn dot(values: &[f32], weights: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (values, weights) = (
        values.as_chunks::<LANES>().0,
        weights.as_chunks::<LANES>().0,
    );
    for (values, weights) in values.iter().zip(weights) {
        for lane in 0..LANES {
            lanes[lane] += values[lane] * weights[lane];
        }
    }
    // In pairs, which is as exact as one after the other and waits less.
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}
