//! Sizes and parts of pictures.

use proptest::prelude::*;

use super::*;

fn framed(width: u32, height: u32, target: &str) -> Framing {
    Framing::new(width, height, &target.parse().unwrap())
}

fn fit(width: u32, height: u32) -> (u32, u32) {
    Framing::new(width, height, &Target::default()).size()
}

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
    assert_eq!(framed(1, u32::MAX, "size=5x").size(), (1, u32::MAX));
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

#[test]
fn a_box_may_be_oblong_or_free_on_a_side() {
    assert_eq!(framed(4000, 3000, "size=1600x400").size(), (533, 400));
    assert_eq!(framed(4000, 3000, "size=1600x").size(), (1600, 1200));
    assert_eq!(framed(4000, 3000, "size=x300").size(), (400, 300));
    assert_eq!(framed(400, 300, "size=x300").size(), (400, 300));
}

#[test]
fn cover_cuts_evenly_and_never_enlarges() {
    for (width, height, target, size, columns, rows) in [
        (
            150,
            100,
            "size=200x200",
            (100, 100),
            (25.0, 100.0),
            (0.0, 100.0),
        ),
        (
            100,
            150,
            "size=200x200",
            (100, 100),
            (0.0, 100.0),
            (25.0, 100.0),
        ),
        (
            150,
            100,
            "size=300x100",
            (150, 50),
            (0.0, 150.0),
            (25.0, 50.0),
        ),
        (
            4000,
            3000,
            "size=200x200",
            (200, 200),
            (500.0, 3000.0),
            (0.0, 3000.0),
        ),
        (
            4000,
            3000,
            "size=400x200",
            (400, 200),
            (0.0, 4000.0),
            (500.0, 2000.0),
        ),
        (
            4000,
            3000,
            "size=400x300",
            (400, 300),
            (0.0, 4000.0),
            (0.0, 3000.0),
        ),
        (
            4000,
            3000,
            "size=400x",
            (400, 300),
            (0.0, 4000.0),
            (0.0, 3000.0),
        ),
        (3, 1000, "size=8192x1", (3, 1), (0.0, 3.0), (499.0, 1.0)),
    ] {
        let framing = framed(width, height, &format!("{target}&fit=cover"));
        assert_eq!(framing.size(), size, "{target}");
        let span = |stretch: Stretch| (stretch.start, stretch.extent);
        assert_eq!(
            (span(framing.columns), span(framing.rows)),
            (columns, rows),
            "{target}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_shown_lies_in_the_picture_and_what_is_made_in_the_box(
        (width, height) in (1..100_000_u32, 1..100_000_u32),
        (across, down) in (1..=8192_u32, 1..=8192_u32),
        cover in any::<bool>(),
    ) {
        let fit = if cover { "cover" } else { "inside" };
        let framing = framed(width, height, &format!("size={across}x{down}&fit={fit}"));
        let (columns, rows) = framing.size();
        prop_assert!(columns >= 1 && rows >= 1);
        prop_assert!(columns <= across.min(width) && rows <= down.min(height));
        for (stretch, length) in [(framing.columns, width), (framing.rows, height)] {
            prop_assert!(stretch.start >= 0.0);
            prop_assert!(stretch.start + stretch.extent <= f64::from(length) + 1e-6);
            prop_assert!(stretch.extent >= f64::from(stretch.outputs) - 0.5);
        }
        if !cover {
            prop_assert!(columns == across.min(width) || rows == down.min(height));
        }
        // The ratio is that of what is shown, to half a pixel of the output.
        let scale = framing.columns.extent / f64::from(columns);
        let exact = framing.rows.extent / scale;
        let other = framing.columns.extent / (framing.rows.extent / f64::from(rows));
        let near = (exact - f64::from(rows)).abs().min((other - f64::from(columns)).abs());
        prop_assert!(near <= 1.0, "{near}");
    }
}
