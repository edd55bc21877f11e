//! Undoing the filters of scanlines (PNG specification, section 9).

mod predicted;

use crate::render::paeth::paeth;

/// Undoes filter `kind` of the scanline `coded` into `row`, of the same length, given the row `above`.
///
/// `pixel` is the bytes of a whole pixel, at least 1. Returns whether the filter is known.
pub(super) fn unfilter(kind: u8, pixel: usize, coded: &[u8], above: &[u8], row: &mut [u8]) -> bool {
    match kind {
        0 => row.copy_from_slice(coded),
        2 => {
            for ((byte, coded), above) in row.iter_mut().zip(coded).zip(above) {
                *byte = coded.wrapping_add(*above);
            }
        }
        4 if pixel == 3 => predicted::undo::<3>(coded, above, row),
        4 if pixel == 4 => predicted::undo::<4>(coded, above, row),
        4 if pixel == 6 => predicted::undo::<6>(coded, above, row),
        4 if pixel == 8 => predicted::undo::<8>(coded, above, row),
        1 | 3 | 4 => match pixel {
            1 => chained::<1>(kind, coded, above, row),
            2 => chained::<2>(kind, coded, above, row),
            3 => chained::<3>(kind, coded, above, row),
            4 => chained::<4>(kind, coded, above, row),
            6 => chained::<6>(kind, coded, above, row),
            _ => chained::<8>(kind, coded, above, row),
        },
        _ => return false,
    }
    true
}

/// Undoes the filters of two scanlines, the upper first, at once where that is faster; returns whether it did.
pub(super) fn unfilter_two(
    kinds: [u8; 2],
    pixel: usize,
    coded: [&[u8]; 2],
    above: &[u8],
    rows: [&mut [u8]; 2],
) -> bool {
    match (kinds, pixel) {
        ([4, 4], 3) => predicted::undo_two::<3>(coded, above, rows),
        ([4, 4], 4) => predicted::undo_two::<4>(coded, above, rows),
        _ => return false,
    }
    true
}

/// Undoes the filters in which each pixel of `N` bytes depends on the one left of it.
///
/// Pixels are arrays of a fixed size, so that a pixel stays in registers and its bytes are worked on side by side.
fn chained<const N: usize>(kind: u8, coded: &[u8], above: &[u8], row: &mut [u8]) {
    let pixels = row.as_chunks_mut::<N>().0.iter_mut();
    let pixels = pixels
        .zip(coded.as_chunks::<N>().0)
        .zip(above.as_chunks::<N>().0);
    let mut left = [0_u8; N];
    match kind {
        1 => {
            for ((pixel, coded), _) in pixels {
                left = std::array::from_fn(|i| coded[i].wrapping_add(left[i]));
                *pixel = left;
            }
        }
        3 => {
            for ((pixel, coded), above) in pixels {
                left = std::array::from_fn(|i| coded[i].wrapping_add(left[i].midpoint(above[i])));
                *pixel = left;
            }
        }
        _ => {
            let mut corner = [0_u8; N];
            for ((pixel, coded), above) in pixels {
                left = std::array::from_fn(|i| {
                    coded[i].wrapping_add(paeth(left[i], above[i], corner[i]))
                });
                *pixel = left;
                corner = *above;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_undone_at_every_pixel_size() {
        let above: Vec<u8> = (0..48_u8).map(|x| x.wrapping_mul(37)).collect();
        let plain: Vec<u8> = (0..48_u8)
            .map(|x| x.wrapping_mul(101).wrapping_add(7))
            .collect();
        for pixel in [1, 2, 3, 4, 6, 8] {
            for kind in 0..5 {
                let coded: Vec<u8> = (0..48)
                    .map(|x| {
                        let (left, corner) = if x < pixel {
                            (0, 0)
                        } else {
                            (plain[x - pixel], above[x - pixel])
                        };
                        let guess = match kind {
                            0 => 0,
                            1 => left,
                            2 => above[x],
                            3 => left.midpoint(above[x]),
                            _ => paeth(left, above[x], corner),
                        };
                        plain[x].wrapping_sub(guess)
                    })
                    .collect();
                let mut row = vec![0; 48];
                assert!(unfilter(kind, pixel, &coded, &above, &mut row));
                assert_eq!(row, plain, "filter {kind}, {pixel} bytes a pixel");
            }
        }
    }

    #[test]
    fn vectors_predict_as_single_bytes_do() {
        let extremes = [0_u8, 1, 2, 77, 127, 128, 200, 254, 255];
        for (left, above, corner) in extremes.into_iter().flat_map(|left| {
            let others = extremes.into_iter();
            others.flat_map(move |above| extremes.map(|corner| (left, above, corner)))
        }) {
            // The first pixel's prediction is what stands above it.
            let coded = [[left.wrapping_sub(corner); 4], [9; 4]].concat();
            let above = [[corner; 4], [above; 4]].concat();
            let mut row = vec![0; 8];
            predicted::undo::<4>(&coded, &above, &mut row);
            let second = paeth(left, above[4], corner).wrapping_add(9);
            assert_eq!(row, [[left; 4], [second; 4]].concat());
        }
    }

    #[test]
    fn two_scanlines_are_undone_as_one_after_the_other() {
        for (pixel, length) in [(3, 0), (3, 3), (3, 6), (3, 300), (4, 4), (4, 44)] {
            let line = |factor: usize| -> Vec<u8> {
                let bytes = (0..length).map(|x: usize| (x * x * factor).to_le_bytes()[0]);
                bytes.collect()
            };
            let (first, second, above) = (line(7), line(91), line(37));
            let mut rows = [vec![0; length], vec![0; length]];
            assert!(unfilter(4, pixel, &first, &above, &mut rows[0]));
            let [upper, lower] = &mut rows;
            assert!(unfilter(4, pixel, &second, upper, lower));
            let mut both = [vec![0; length], vec![0; length]];
            let [upper, lower] = &mut both;
            assert!(unfilter_two(
                [4, 4],
                pixel,
                [&first, &second],
                &above,
                [upper, lower]
            ));
            assert_eq!(both, rows);
        }
    }

    #[test]
    fn an_unknown_filter_is_told() {
        assert!(!unfilter(5, 1, &[0], &[0], &mut [0]));
    }
}
