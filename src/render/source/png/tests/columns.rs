//! The columns of interlaced pictures, and those that are added up at once.

use super::*;

/// The first column and row of each pass, and the steps between (PNG specification, section 8.1).
const PASSES: [[usize; 4]; 7] = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
];

/// A picture of 8 bits whose samples `pixel` tells by column and row.
fn file<const N: usize>(
    [width, height]: [usize; 2],
    colour_type: u8,
    interlaced: bool,
    pixel: impl Fn(usize, usize) -> [u8; N],
) -> File {
    let passes = if interlaced {
        &PASSES[..]
    } else {
        &[[0, 0, 1, 1]]
    };
    let mut lines = Vec::new();
    for [first, first_row, step, row_step] in passes {
        for y in (*first_row..height).step_by(*row_step) {
            if *first < width {
                lines.push(0);
            }
            lines.extend((*first..width).step_by(*step).flat_map(|x| pixel(x, y)));
        }
    }
    let [width, height] = [width, height].map(|side| u32::try_from(side).unwrap());
    File {
        height,
        interlaced,
        lines,
        ..File::row(width, 8, colour_type, &[])
    }
}

fn sample(x: usize, y: usize) -> u8 {
    u8::try_from((x * 17 + y * 31) % 251).unwrap()
}

#[test]
fn interlaced_pictures_equal_the_others() {
    for size in [[1, 1], [1, 9], [4, 3], [5, 2], [8, 8], [13, 11]] {
        let picture = |interlaced| file(size, 0, interlaced, |x, y| [sample(x, y)]).samples();
        assert_eq!(picture(true), picture(false), "{size:?}");
    }
}

#[test]
fn palettes_equal_their_colours_whatever_is_added_up_at_once() {
    let colour = |index: u8| [u8::MAX, !index, index.wrapping_mul(29)];
    let palette: Vec<u8> = (0..=u8::MAX).flat_map(colour).collect();
    // Boxes of one column to some twenty, the last of them narrower, and of up to 257 samples and more.
    for size in [
        [40, 30],
        [300, 9],
        [1601, 40],
        [3001, 70],
        [9001, 130],
        [11, 2999],
    ] {
        for interlaced in [false, true] {
            let indices = file(size, 3, interlaced, |x, y| [sample(x, y)]);
            let colours = file(size, 2, interlaced, |x, y| colour(sample(x, y)));
            let indices = indices.with(*b"PLTE", &palette).samples();
            assert!(
                indices == colours.samples(),
                "{size:?}, interlaced: {interlaced}"
            );
        }
    }
}
