//! The Paeth predictor of PNG's fourth filter (PNG specification, section 9.4), which decoding and coding share.

/// The one of `left`, `above` and `corner` nearest to `left + above - corner`; of equally near ones the first.
///
/// Instead of distances it compares `opposite = 3 * corner - left - above`: if that is at most the smaller neighbour,
/// the greater is nearest; if at least the greater, the smaller is; and in between, the corner.
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
}
