use std::io::Read;

use flate2::read::ZlibDecoder;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn inflated(stream: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ZlibDecoder::new(stream).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_length_of_a_run_is_read_back() {
    for length in 0..600 {
        let bytes = [vec![1, 2], vec![9; length], vec![3]].concat();
        assert_eq!(inflated(&zlib(&bytes)), bytes);
    }
}

#[test]
fn a_block_ends_where_the_bytes_change() {
    let noise = |k: usize| (k * k / 7 % 31).to_le_bytes()[0];
    let bytes = (0..20_000).map(|k| if k < 9216 { noise(k) } else { noise(k) + 200 });
    let bytes: Vec<u8> = bytes.collect();
    let parts: Vec<Part> = bytes.chunks(PART_BYTES).map(Part::new).collect();
    assert_eq!(ends(&parts), [3, 7]);
}

#[test]
fn a_block_ends_where_it_has_to() {
    let bytes: Vec<u8> = (0..PART_BYTES * 60)
        .map(|k| (k * k / 7 % 31).to_le_bytes()[0])
        .collect();
    let parts: Vec<Part> = bytes.chunks(PART_BYTES).map(Part::new).collect();
    let ends = [vec![0], ends(&parts)].concat();
    assert!(ends.windows(2).all(|pair| pair[1] - pair[0] <= MOST_PARTS));
    assert_eq!(inflated(&zlib(&bytes)), bytes);
}

#[test]
fn long_codes_are_read_back() {
    // Weights like Fibonacci's make codes of every length up to the limit.
    let (mut bytes, mut pair) = (Vec::new(), (1, 1));
    for symbol in 0..20_u8 {
        bytes.extend(std::iter::repeat_n([symbol, symbol + 100], pair.0).flatten());
        pair = (pair.1, pair.0 + pair.1);
    }
    assert_eq!(inflated(&zlib(&bytes)), bytes);
}

proptest! {
    #[test]
    fn any_bytes_are_read_back(runs in vec((any::<u8>(), 1_usize..400, any::<bool>()), 0..500)) {
        let mut bytes = Vec::new();
        for (byte, count, is_flat) in runs {
            let step = |n: usize| if is_flat { 0 } else { (n * n * 77).to_le_bytes()[1] };
            bytes.extend((0..count).map(|n| byte.wrapping_add(step(n))));
        }
        prop_assert_eq!(inflated(&zlib(&bytes)), bytes);
    }
}
