//! Scanlines filtered by hand, undone as the specification words it.

use super::{AT_ONCE, unfilter};
use crate::render::paeth::paeth;

/// The pixel sizes that PNG knows.
const PIXELS: [usize; 6] = [1, 2, 3, 4, 6, 8];

/// Bytes of which many are near the ends, where sums and differences leave a byte.
fn bytes(count: usize, seed: &mut u32) -> Vec<u8> {
    let next = |_| {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, choice, value, byte] = seed.to_le_bytes();
        match choice & 3 {
            0 => byte & 3,
            1 => byte | 0xFC,
            2 => value,
            _ => byte,
        }
    };
    (0..count).map(next).collect()
}

/// The row that is filtered as `line` below the row `above`.
fn plain(line: &[u8], pixel: usize, above: &[u8]) -> Vec<u8> {
    let mut row: Vec<u8> = Vec::new();
    for (x, coded) in line[1..].iter().enumerate() {
        let (left, corner) = match x.checked_sub(pixel) {
            Some(x) => (row[x], above[x]),
            None => (0, 0),
        };
        row.push(coded.wrapping_add(match line[0] {
            0 => 0,
            1 => left,
            2 => above[x],
            3 => left.midpoint(above[x]),
            _ => paeth(left, above[x], corner),
        }));
    }
    row
}

/// Compares rows of so many pixels that were filtered by `kinds` with what the definition makes of them.
fn check(kinds: &[u8], pixel: usize, width: usize, seed: &mut u32) {
    let length = pixel * width;
    let first = bytes(length, seed);
    let mut coded = Vec::new();
    for kind in kinds {
        coded.push(*kind);
        coded.extend(bytes(length, seed));
    }
    let (mut above, mut rest) = (first, &coded[..]);
    while !rest.is_empty() {
        // What rows held before must not matter.
        let mut rows = [[]; AT_ONCE].map(|_: [u8; 0]| vec![0xAA; length]);
        let slices = rows.each_mut().map(|row| &mut row[..]);
        let count = unfilter(rest, pixel, &above, slices);
        assert!(count > 0);
        let (done, left) = rest.split_at(count * (1 + length));
        for (line, row) in done.chunks(1 + length).zip(rows) {
            above = plain(line, pixel, &above);
            assert!(row == above, "{kinds:?}, {pixel} bytes, {width} pixels");
        }
        rest = left;
    }
}

/// Every choice of so many filters.
fn choices(count: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..5_u32.pow(count)).map(move |choice| {
        let digit = |place| u8::try_from(choice / 5_u32.pow(place) % 5).unwrap();
        (0..count).map(digit).collect()
    })
}

#[test]
fn every_mixture_of_four_filters_is_undone_at_every_pixel_size() {
    let mut seed = 1;
    for pixel in PIXELS {
        for kinds in choices(4) {
            check(&kinds, pixel, 23, &mut seed);
        }
    }
}

#[test]
fn scanlines_of_every_short_width_are_undone() {
    let mut seed = 2;
    for pixel in PIXELS {
        for width in 1..=20 {
            for kinds in [[4, 4, 4, 4], [3, 1, 4, 2], [1, 0, 3, 4], [4, 3, 2, 1]] {
                check(&kinds, pixel, width, &mut seed);
            }
        }
    }
}

#[test]
fn fewer_scanlines_than_four_are_undone() {
    let mut seed = 3;
    for pixel in PIXELS {
        for kinds in (1..=3).flat_map(choices) {
            check(&kinds, pixel, 19, &mut seed);
        }
    }
}

#[test]
fn vectors_predict_as_single_bytes_do() {
    // Every pair of neighbours below each corner: the first pixel's prediction is what stands above it.
    for corner in 0..=255_u8 {
        for left in (0..=255_u8).step_by(5).chain([1, 2, 127, 128, 253, 254]) {
            let line: Vec<u8> = [4].into_iter().chain([left.wrapping_sub(corner)]).collect();
            for above in 0..=255_u8 {
                let (line, above) = ([&line[..], &[9]].concat(), [corner, above]);
                let mut rows = [[0; 2]; AT_ONCE];
                let slices = rows.each_mut().map(|row| &mut row[..]);
                assert_eq!(unfilter(&line, 1, &above, slices), 1);
                let second = paeth(left, above[1], corner).wrapping_add(9);
                assert_eq!(rows[0], [left, second]);
            }
        }
    }
}

#[test]
fn an_unknown_filter_is_told_once_it_is_the_first() {
    let coded = [4, 10, 3, 20, 5, 30, 4, 40];
    let mut rows = [[0]; AT_ONCE];
    let slices = rows.each_mut().map(|row| &mut row[..]);
    assert_eq!(unfilter(&coded, 1, &[0], slices), 2);
    assert_eq!(rows[..2], [[10], [25]]);
    let slices = rows.each_mut().map(|row| &mut row[..]);
    assert_eq!(unfilter(&coded[4..], 1, &[0], slices), 0);
}
