//! The placeholder that an app shows until a picture has loaded: a [`ThumbHash`] of some 25 bytes.
//!
//! [`ThumbHash`]: https://evanw.github.io/thumbhash/

mod thumbhash;

use std::ops::Range;
use std::slice::ChunksExact;

use super::output::{Picture, Planes};
use super::pixels::{Model, Pixels};

/// The longest side that is hashed, of which the hash keeps seven frequencies.
const MAX_SIDE: usize = 32;

/// The hash of a picture as it is shown.
pub(super) fn hash(picture: &Picture) -> Vec<u8> {
    let small = match picture {
        Picture::Pixels(pixels) => reduced(pixels),
        Picture::Planes(planes) => reduced_planes(planes),
    };
    thumbhash::encode(small.width, small.height, small.samples.as_chunks().0)
}

/// The fewest rows in a cell's mean, or all if it has fewer; 15 are the most. A large output has hundreds in a cell,
/// and more rows would tell no more.
const ROWS: usize = 8;

/// The division of a length into at most [`MAX_SIDE`] cells.
struct Cells {
    length: usize,
    count: usize,
}

impl Cells {
    /// Divides a side, given the longer of both sides.
    fn new(length: usize, longer: usize) -> Self {
        let count = (length * MAX_SIDE).div_ceil(longer.max(MAX_SIDE));
        Self {
            length,
            count: count.clamp(1, length.max(1)),
        }
    }

    /// The positions of each cell.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let start = |cell: usize| (cell * self.length).div_ceil(self.count);
        (0..self.count).map(move |cell| start(cell)..start(cell + 1))
    }
}

/// Reduces pixels to the means of cells, as RGBA.
fn reduced(pixels: &Pixels) -> Pixels {
    match pixels.model {
        Model::Grey => opaque(pixels, |[grey]| [grey; 3]),
        Model::GreyAlpha => translucent(pixels, |[grey, alpha]| [grey, grey, grey, alpha]),
        Model::Rgb => opaque(pixels, |colour| colour),
        Model::Rgba => translucent(pixels, |pixel| pixel),
    }
}

fn opaque<const C: usize>(pixels: &Pixels, colour: impl Fn([u8; C]) -> [u8; 3]) -> Pixels {
    let add = |y: usize, sums: &mut [[u32; C]]| {
        let row = rows::<C>(pixels).nth(y).unwrap_or_default();
        let samples = row.as_flattened().iter();
        for (sum, sample) in sums.as_flattened_mut().iter_mut().zip(samples) {
            *sum += u32::from(*sample);
        }
    };
    cells(pixels.width, pixels.height, add, |sums: [u32; C], count| {
        let [red, green, blue] = colour(sums.map(|sum| mean(sum, count)));
        [red, green, blue, u8::MAX]
    })
}

/// Weights colours by alpha, so that transparent pixels have no part in a cell's colour.
fn translucent<const C: usize>(pixels: &Pixels, pixel: impl Fn([u8; C]) -> [u8; 4]) -> Pixels {
    let add = |y: usize, sums: &mut [[u32; 4]]| {
        let row = rows::<C>(pixels).nth(y).unwrap_or_default();
        for (sums, samples) in sums.iter_mut().zip(row) {
            let [red, green, blue, alpha] = pixel(*samples).map(u32::from);
            add(sums, [red * alpha, green * alpha, blue * alpha, alpha]);
        }
    };
    cells(
        pixels.width,
        pixels.height,
        add,
        |[red, green, blue, alpha], count| {
            let [red, green, blue] = [red, green, blue].map(|sum| mean(sum, alpha));
            [red, green, blue, mean(alpha, count)]
        },
    )
}

fn rows<const C: usize>(pixels: &Pixels) -> ChunksExact<'_, [u8; C]> {
    pixels
        .samples
        .as_chunks()
        .0
        .chunks_exact(pixels.width.max(1))
}

/// Reduces luma and chroma to the means of cells, and converts these to RGBA (ITU-T T.871, section 7).
fn reduced_planes(planes: &Planes) -> Pixels {
    let add = |y: usize, sums: &mut [[u32; 3]]| {
        let luma = planes.luma.chunks_exact(planes.width.max(1)).nth(y);
        for (x, (sums, luma)) in sums.iter_mut().zip(luma.unwrap_or_default()).enumerate() {
            let [blue, red] = planes.chroma_at(x, y);
            add(sums, [*luma, blue, red].map(u32::from));
        }
    };
    cells(planes.width, planes.height, add, |sums, count| {
        let [luma, blue, red] = sums.map(|sum| f32::from(mean(sum, count)));
        let (blue, red) = (blue - 128.0, red - 128.0);
        let colour = [
            luma + 1.402 * red,
            luma - 0.344_136 * blue - 0.714_136 * red,
            luma + 1.772 * blue,
        ];
        let [r, g, b] = colour.map(super::pixels::to_sample);
        [r, g, b, u8::MAX]
    })
}

/// Reduces a picture to cells: `add_row` adds a row to the sums of each column, `pixel` makes a pixel of a cell's sum
/// and count.
///
/// Sums of a cell stay below 2^32 as long as its picture has fewer than 2^16 columns.
fn cells<const C: usize>(
    width: usize,
    height: usize,
    add_row: impl Fn(usize, &mut [[u32; C]]),
    pixel: impl Fn([u32; C], u32) -> [u8; 4],
) -> Pixels {
    let longer = width.max(height);
    let (columns, rows) = (Cells::new(width, longer), Cells::new(height, longer));
    let mut samples = Vec::with_capacity(4 * columns.count * rows.count);
    let mut sums = vec![[0; C]; width];
    for rows in rows.ranges() {
        let step = (rows.len() / ROWS).max(1);
        let rows = rows.step_by(step);
        let row_count = rows.len();
        sums.fill([0; C]);
        rows.for_each(|y| add_row(y, &mut sums));
        for columns in columns.ranges() {
            let count = u32::try_from(row_count * columns.len()).unwrap_or(u32::MAX);
            let mut cell = [0; C];
            for sums in sums.get(columns).unwrap_or_default() {
                add(&mut cell, *sums);
            }
            samples.extend(pixel(cell, count));
        }
    }
    Pixels {
        width: columns.count,
        height: rows.count,
        model: Model::Rgba,
        samples,
    }
}

fn add<const C: usize>(sums: &mut [u32; C], values: [u32; C]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

fn mean(sum: u32, count: u32) -> u8 {
    let rounded = sum.saturating_add(count / 2) / count.max(1);
    u8::try_from(rounded).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::output::Chroma;

    fn pixels(
        width: usize,
        height: usize,
        model: Model,
        sample: impl Fn(usize) -> usize,
    ) -> Pixels {
        let samples = (0..width * height * model.channels()).map(|at| sample(at).to_le_bytes()[0]);
        Pixels {
            width,
            height,
            model,
            samples: samples.collect(),
        }
    }

    #[test]
    fn what_is_small_is_hashed_as_it_is() {
        let small = pixels(32, 20, Model::Rgba, |at| at * 7);
        assert_eq!(reduced(&small), small);
        let grey = reduced(&pixels(2, 1, Model::GreyAlpha, |at| 10 + at));
        assert_eq!(grey.samples, [10, 10, 10, 11, 12, 12, 12, 13]);
    }

    #[test]
    fn cells_are_means_in_which_what_is_clear_has_no_colour() {
        let checkered = pixels(64, 64, Model::Rgba, |at| match (at / 4 % 2, at % 4) {
            (0, 0) => 200,
            (0, 3) => 255,
            (1, 1) => 99,
            _ => 0,
        });
        let reduced = reduced(&checkered);
        assert_eq!((reduced.width, reduced.height), (32, 32));
        assert!(
            reduced
                .samples
                .chunks(4)
                .all(|pixel| pixel == [200, 0, 0, 128])
        );
    }

    #[test]
    fn sides_of_any_length_have_a_cell_each() {
        for (width, height) in [(1, 1), (1, 8192), (8192, 1), (33, 31), (128, 96), (1600, 2)] {
            let reduced = reduced(&pixels(width, height, Model::Grey, |_| 77));
            assert!((1..=32).contains(&reduced.width) && (1..=32).contains(&reduced.height));
            assert!(
                reduced
                    .samples
                    .chunks(4)
                    .all(|pixel| pixel == [77, 77, 77, 255])
            );
            assert!(!hash(&Picture::Pixels(reduced)).is_empty());
        }
    }

    #[test]
    fn planes_and_pixels_have_the_same_hash_but_for_rounding() {
        let planes = Planes {
            width: 4,
            height: 2,
            luma: vec![50; 8],
            chroma: Some(Chroma {
                blue: vec![150, 150],
                red: vec![90, 90],
                halved: true,
            }),
        };
        let reduced = reduced_planes(&planes);
        assert!(
            reduced
                .samples
                .chunks(4)
                .all(|pixel| pixel == [0, 70, 89, 255])
        );
    }
}
