//! Undoing the filters of scanlines (PNG specification, section 9).

mod predicted;
#[cfg(test)]
mod tests;

/// The most scanlines that are unfiltered at once.
pub(super) const AT_ONCE: usize = 4;

/// The greatest filter byte.
const PAETH: u8 = 4;

/// Undoes the filters of the first of the scanlines in `coded`, and of those below it that cost no more time.
///
/// Each is a filter byte and as many bytes as `above`, the row above the first, has. They come to the rows in turn. `pixel`
/// is the bytes of a whole pixel, at least 1. Returns how many were unfiltered: none if the first's filter is unknown.
pub(super) fn unfilter(
    coded: &[u8],
    pixel: usize,
    above: &[u8],
    mut rows: [&mut [u8]; AT_ONCE],
) -> usize {
    let lines = || coded.chunks_exact(1 + above.len()).take(AT_ONCE);
    let known = lines().take_while(|line| line[0] <= PAETH).count();
    let Some(first) = lines().next().filter(|_| known > 0) else {
        return 0;
    };
    if alone(first, pixel, above, rows[0]) {
        return 1;
    }
    // For scanlines that aren't there the first stands in: what comes of it is passed over.
    let lines = std::array::from_fn(|row| lines().take(known).nth(row).unwrap_or(first));
    match pixel {
        1 => predicted::undo::<1, AT_ONCE>(lines, above, rows),
        2 => predicted::undo::<2, AT_ONCE>(lines, above, rows),
        3 => predicted::undo::<3, AT_ONCE>(lines, above, rows),
        4 => predicted::undo::<4, AT_ONCE>(lines, above, rows),
        6 => in_pairs::<6>(lines, above, &mut rows),
        _ => in_pairs::<8>(lines, above, &mut rows),
    }
    known
}

/// Undoes a filter that is undone as fast, or faster, for a scanline of its own; returns whether it is such.
fn alone(line: &[u8], pixel: usize, above: &[u8], row: &mut [u8]) -> bool {
    let (kind, coded) = (line[0], &line[1..]);
    match (kind, pixel) {
        (0, _) => row.copy_from_slice(coded),
        (1, 1) => add_left::<1>(coded, row),
        (1, 2) => add_left::<2>(coded, row),
        (1, 3) => add_left::<3>(coded, row),
        (1, 6) => add_left::<6>(coded, row),
        (2, _) => {
            for ((byte, coded), above) in row.iter_mut().zip(coded).zip(above) {
                *byte = coded.wrapping_add(*above);
            }
        }
        _ => return false,
    }
    true
}

/// Undoes the filter that predicts each pixel by the one left of it.
///
/// Pixels are arrays of a fixed size, so that a pixel stays in registers and its bytes are worked on side by side.
fn add_left<const N: usize>(coded: &[u8], row: &mut [u8]) {
    let mut left = [0_u8; N];
    let coded = coded.as_chunks::<N>().0;
    for (pixel, coded) in row.as_chunks_mut::<N>().0.iter_mut().zip(coded) {
        left = std::array::from_fn(|i| coded[i].wrapping_add(left[i]));
        *pixel = left;
    }
}

/// Undoes the filters of scanlines whose pixels are too large for four of them in a vector.
fn in_pairs<const N: usize>(
    lines: [&[u8]; AT_ONCE],
    above: &[u8],
    rows: &mut [&mut [u8]; AT_ONCE],
) {
    let ([a, b, c, d], [first, second, third, fourth]) = (lines, rows);
    predicted::undo::<N, 2>([a, b], above, [first, second]);
    predicted::undo::<N, 2>([c, d], second, [third, fourth]);
}
