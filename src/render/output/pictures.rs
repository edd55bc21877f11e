//! Pictures for tests of encoders, and the error after decoding.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers are small, or cut off on purpose"
)]

use crate::render::Quality;
use crate::render::pixels::{Model, Pixels};

pub(super) fn quality(quality: u8) -> Quality {
    Quality::new(quality).unwrap()
}

/// A picture whose samples are a function of column, row and channel.
pub(super) fn pixels(
    model: Model,
    [width, height]: [usize; 2],
    sample: impl Fn([usize; 3]) -> u8,
) -> Pixels {
    let all = (0..height).flat_map(|y| (0..width).map(move |x| [x, y]));
    let samples = all.flat_map(|[x, y]| (0..model.channels()).map(move |c| [x, y, c]));
    Pixels {
        width,
        height,
        model,
        samples: samples.map(sample).collect(),
    }
}

/// Noise, which no transform makes smaller.
pub(super) fn noise([x, y, c]: [usize; 3]) -> u8 {
    let mixed = (x * 73_856_093) ^ (y * 19_349_663) ^ (c * 83_492_791);
    (mixed.wrapping_mul(2_654_435_761) >> 20) as u8
}

/// Waves that halved chroma can hold.
pub(super) fn smooth([x, y, c]: [usize; 3]) -> u8 {
    let wave = |phase: f64| phase.sin() * 50.0;
    let [x, y, c] = [x, y, c].map(|n| n as f64);
    (128.0 + wave(x / 21.0 + c) + wave(y / 17.0 - c)) as u8
}

/// The root mean square of the differences.
pub(super) fn rms(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    (squares.sum::<f64>() / a.len() as f64).sqrt()
}
