//! The thumbnail's size.

/// The longest side of a thumbnail, in pixels.
pub const MAX_SIDE: u32 = 128;

/// The size at which a picture of `width` x `height` fits [`MAX_SIDE`] x [`MAX_SIDE`].
///
/// A picture that fits already keeps its size. Otherwise the longer side becomes [`MAX_SIDE`], and the other the integer
/// next to its exact length, at least 1, that brings width / height nearest to the source's (the lower one when both are
/// as near). Both arguments are the size as shown, that is after orientation.
pub(super) fn fit(width: u32, height: u32) -> (u32, u32) {
    if width <= MAX_SIDE && height <= MAX_SIDE {
        return (width, height);
    }
    // |width / height - w / h| is compared multiplied by height * h, so that integers suffice: all products stay below 2^47.
    let off = |w: u32, h: u32| {
        (u64::from(width) * u64::from(h)).abs_diff(u64::from(w) * u64::from(height))
    };
    if width > height {
        let low = floor(height, width);
        let high = low + 1;
        let low_wins = off(MAX_SIDE, low) * u64::from(high) <= off(MAX_SIDE, high) * u64::from(low);
        (MAX_SIDE, if low_wins { low.max(1) } else { high })
    } else {
        let low = floor(width, height);
        let high = low + 1;
        let low_wins = off(low, MAX_SIDE) <= off(high, MAX_SIDE);
        (if low_wins { low.max(1) } else { high }, MAX_SIDE)
    }
}

/// The whole part of the shorter side's exact length; at most [`MAX_SIDE`], because `short <= long`.
fn floor(short: u32, long: u32) -> u32 {
    let exact = u64::from(short) * u64::from(MAX_SIDE) / u64::from(long);
    u32::try_from(exact).unwrap_or(MAX_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_keeps_its_size() {
        assert_eq!(fit(128, 128), (128, 128));
        assert_eq!(fit(1, 127), (1, 127));
    }

    #[test]
    fn the_longer_side_becomes_the_limit() {
        assert_eq!(fit(4000, 3000), (128, 96));
        assert_eq!(fit(3000, 4000), (96, 128));
        assert_eq!(fit(500, 500), (128, 128));
    }

    #[test]
    fn the_free_side_is_at_least_one() {
        assert_eq!(fit(u32::MAX, 1), (128, 1));
        assert_eq!(fit(1, u32::MAX), (1, 128));
    }

    #[test]
    fn the_free_side_is_the_neighbour_with_the_nearest_ratio() {
        for long in 129..700_u32 {
            for short in 1..=long {
                let (_, h) = fit(long, short);
                let exact = f64::from(short) * 128.0 / f64::from(long);
                let off = |h: f64| (f64::from(long) / f64::from(short) - 128.0 / h).abs();
                let best = off(exact.floor().max(1.0)).min(off(exact.ceil().max(1.0)));
                assert!(off(f64::from(h)) <= best + 1e-9, "{long} x {short} -> {h}");
                let (w, _) = fit(short, long);
                let off = |w: f64| (f64::from(short) / f64::from(long) - w / 128.0).abs();
                let best = off(exact.floor().max(1.0)).min(off(exact.ceil().max(1.0)));
                assert!(off(f64::from(w)) <= best + 1e-9, "{short} x {long} -> {w}");
            }
        }
    }
}
