//! Rows filtered, and rounded when they are complete.

use super::*;
use crate::render::resize::sampling::Sampling;

#[test]
fn rows_are_the_sums_of_products() {
    // Numbers of taps with and without a loop of their own, and of outputs that four doesn't divide.
    for (samples, outputs) in [
        (7, 5),
        (128, 128),
        (300, 127),
        (999, 129),
        (2000, 250),
        (900, 66),
    ] {
        let columns = Axis::new(Sampling::pixels(samples), outputs);
        let row = Axis::new(Sampling::pixels(1), 1);
        let boxes = (0..columns.padded_boxes()).map(|i| i16::try_from(i * 7919 % 32_641).unwrap());
        let boxes: Vec<i16> = boxes.collect();
        let mut filter = Filter::new(&columns, &row, Form::Exact);
        filter.add_row(0, &boxes);
        for ((first, weights), sum) in columns.spans().zip(filter.finish().exact()) {
            let products = boxes[first..].iter().zip(weights);
            let exact: i32 = products
                .map(|(value, weight)| i32::from(*value) * i32::from(*weight))
                .sum();
            let exact = f64::from(exact) / f64::from(ONE) / f64::from(UNIT);
            assert!(
                (f64::from(sum) - exact).abs() < 1e-4,
                "{sum} for {exact} of {samples}"
            );
        }
    }
}

#[test]
fn rows_are_rounded_when_nothing_weighs_in_them_any_more() {
    for (samples, outputs) in [
        (1, 1),
        (7, 5),
        (40, 40),
        (300, 127),
        (999, 129),
        (2000, 30),
        (50, 100),
    ] {
        let column = Axis::new(Sampling::pixels(1), 1);
        let rows = Axis::new(Sampling::pixels(samples), outputs);
        let fill = |form| {
            let mut filter = Filter::new(&column, &rows, form);
            let mut boxes = vec![0; column.padded_boxes()];
            for y in 0..rows.boxes() {
                boxes[0] = i16::try_from(y * 7919 % 32_641).unwrap();
                filter.add_row(y, &boxes);
            }
            filter.finish()
        };
        let exact = fill(Form::Exact);
        assert!(matches!(exact, Resized::Exact(_)));
        assert_eq!(
            fill(Form::Rounded),
            Resized::Rounded(exact.rounded()),
            "{samples} to {outputs}"
        );
    }
}
