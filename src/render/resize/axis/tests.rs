//! Weights along an axis.

use super::super::filter::HELD;
use super::super::sampling::Full;
use super::*;

/// Filters samples by an axis, box means included.
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
    let doubled = |count, outputs: u32| Sampling {
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
            let window = Axis::new(doubled(halves, samples), samples).window(HELD);
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
