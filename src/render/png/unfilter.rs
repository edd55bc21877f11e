//! Undoing the filters of scanlines (PNG specification, section 9).

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

/// The filters in which each pixel of `N` bytes waits for the one left of it.
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

/// The neighbour nearest to `left + above - corner`; of equally near ones the first in that order.
///
/// Without branches: the guess lies beyond the greater neighbour exactly when `3 corner - left - above` is at most the
/// smaller one, and below the smaller exactly when it is at least the greater.
pub(in crate::render) fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(above), i16::from(corner));
    let opposite = 3 * c - (a + b);
    let (low, high) = (left.min(above), left.max(above));
    let inner = if i16::from(high) <= opposite {
        low
    } else {
        corner
    };
    if opposite <= i16::from(low) {
        high
    } else {
        inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The predictor as the specification words it.
    fn paeth_by_distance(left: u8, above: u8, corner: u8) -> u8 {
        let guess = i16::from(left) + i16::from(above) - i16::from(corner);
        let off = |neighbour: u8| (guess - i16::from(neighbour)).abs();
        if off(left) <= off(above) && off(left) <= off(corner) {
            left
        } else if off(above) <= off(corner) {
            above
        } else {
            corner
        }
    }

    #[test]
    fn the_paeth_predictor_agrees_with_the_specification_everywhere() {
        for left in 0..=255 {
            for above in 0..=255 {
                for corner in 0..=255 {
                    assert_eq!(
                        paeth(left, above, corner),
                        paeth_by_distance(left, above, corner)
                    );
                }
            }
        }
    }

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
                            _ => paeth_by_distance(left, above[x], corner),
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
    fn an_unknown_filter_is_told() {
        assert!(!unfilter(5, 1, &[0], &[0], &mut [0]));
    }
}
