use super::*;

/// The samples by the definition (A.3.3), for the `N` lowest frequencies.
fn defined<const N: usize>(block: &Block) -> [[f64; N]; N] {
    let size = f64::from(u8::try_from(N).unwrap());
    let basis = |frequency: usize, place: usize| {
        let [frequency, place] = [frequency, place].map(|n| f64::from(u8::try_from(n).unwrap()));
        let scale = if frequency == 0.0 {
            0.5_f64.sqrt()
        } else {
            1.0
        };
        scale * ((2.0 * place + 1.0) * frequency * std::f64::consts::PI / (2.0 * size)).cos()
    };
    std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let terms = (0..N * N)
                .map(|at| (at / N, at % N))
                .map(|(v, u)| f64::from(block[8 * v + u]) * basis(v, y) * basis(u, x));
            (terms.sum::<f64>() / 4.0 + 128.0).clamp(0.0, 255.0)
        })
    })
}

/// The last rounding may add 0.5, that between the passes 0.17.
fn assert_near<const N: usize>(samples: [[u8; N]; N], block: &Block) {
    for (row, exact) in samples.iter().zip(defined::<N>(block)) {
        for (&sample, exact) in row.iter().zip(exact) {
            assert!(
                (f64::from(sample) - exact).abs() <= 0.7,
                "{samples:?} {block:?}"
            );
        }
    }
}

#[test]
fn every_size_is_the_transform_of_its_lowest_frequencies() {
    let mut random = 1_u32;
    for round in 0..1000 {
        let mut block = [0; 64];
        for place in block.iter_mut().take(1 + round % 64) {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *place = i16::try_from(random >> 24).unwrap() - 128;
        }
        assert_near(eight(&block), &block);
        assert_near(four(&block), &block);
        assert_near(two([block[0], block[1], block[8], block[9]]), &block);
        assert_near([[one(block[0])]], &block);
    }
}

#[test]
fn the_largest_coefficients_wrap_and_never_panic() {
    for value in [i16::MIN, i16::MAX] {
        eight(&[value; 64]);
        four(&[value; 64]);
        two([value; 4]);
        one(value);
    }
}

#[test]
fn vectors_make_the_same_samples() {
    let mut random = 1_u32;
    let mut made = [0, 0];
    for round in 0..20_000 {
        // As many coefficients and as large ones as a block may have, and fewer and smaller ones.
        let mut block = [0; 64];
        for place in block.iter_mut().take(1 + round % 64) {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let largest = i16::from_ne_bytes([random.to_be_bytes()[1], random.to_be_bytes()[0]]);
            *place = largest >> (round / 64 % 16);
        }
        if let Some(samples) = lanes::eight(&block) {
            assert_eq!(samples, wide_eight(&block), "{block:?}");
            made[0] += 1;
        }
        if let Some(samples) = lanes::four(&block) {
            assert_eq!(samples, wide_four(&block), "{block:?}");
            made[1] += 1;
        }
    }
    // Nearly all but those of more than 12 bits.
    assert!(made.iter().all(|made| *made > 12_000), "{made:?}");
}

#[test]
fn values_that_vectors_cannot_hold_are_left_to_the_wide_transform() {
    let block = [i16::MAX; 64];
    assert!(lanes::eight(&block).is_none() && lanes::four(&block).is_none());
}
