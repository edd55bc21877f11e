//! Filtered scanlines, and windows that don't hold many of them.

use super::*;

/// The row, filtered below the row `above`, with its filter byte.
fn filtered(kind: u8, pixel: usize, row: &[u8], above: &[u8]) -> Vec<u8> {
    let coded = |x: usize| {
        let [left, corner] = [row, above].map(|row| {
            x.checked_sub(pixel)
                .and_then(|x| row.get(x))
                .copied()
                .unwrap_or(0)
        });
        row[x].wrapping_sub(match kind {
            0 => 0,
            1 => left,
            2 => above[x],
            3 => left.midpoint(above[x]),
            _ => paeth(left, above[x], corner),
        })
    };
    std::iter::once(kind)
        .chain((0..row.len()).map(coded))
        .collect()
}

#[test]
fn filtered_pictures_of_any_height_and_width_equal_the_others() {
    // The widest scanlines are too long to be unfiltered with three others, or with any.
    let wide = [(50_000, 6), (200_000, 3)];
    for (width, height) in (1..=9).map(|height| (7, height)).chain(wide) {
        let mut file = File::row(width, 8, 2, &[]);
        file.height = height;
        let length = 3 * usize::try_from(width).unwrap();
        let rows = (0..height).map(|y| -> Vec<u8> {
            let bytes = (0..length).map(|x| (x * x * 7 + x * 91).to_le_bytes()[0]);
            bytes.map(|byte| byte ^ y.to_le_bytes()[0]).collect()
        });
        let rows: Vec<_> = [vec![0; length]].into_iter().chain(rows).collect();
        file.lines = rows[1..]
            .iter()
            .flat_map(|row| filtered(0, 3, row, &[]))
            .collect();
        let plain = file.samples();
        let kinds = [4, 3, 1, 4, 2, 4, 0, 3].into_iter().cycle();
        let pairs = rows.windows(2).zip(kinds);
        file.lines = pairs
            .flat_map(|(rows, kind)| filtered(kind, 3, &rows[1], &rows[0]))
            .collect();
        assert!(file.samples() == plain, "{width} x {height}");
    }
}

#[test]
fn data_that_ends_before_the_window_has_room_for_its_rows_is_whole() {
    // Rows of one colour take so few bits that the inflater has read the last while many of them are yet to come.
    for width in [4096, 16384] {
        for height in 4..=40 {
            let mut file = File::row(width, 8, 0, &[]);
            file.height = height;
            let line = [vec![0], vec![255; usize::try_from(width).unwrap()]].concat();
            file.lines = line.repeat(usize::try_from(height).unwrap());
            assert!(file.samples().iter().all(|sample| *sample == 255));
        }
    }
}
