//! The placeholder that an app shows until a picture is there: a [`ThumbHash`] of some 25 bytes.
//!
//! [`ThumbHash`]: https://evanw.github.io/thumbhash/

mod thumbhash;

use super::output::{Picture, Planes};
use super::pixels::{Model, Pixels};

/// The longest side of what is hashed: the hash keeps seven frequencies of it.
const MAX_SIDE: usize = 32;

/// The hash of a picture as it is shown.
pub(super) fn hash(picture: &Picture) -> Vec<u8> {
    let small = match picture {
        Picture::Pixels(pixels) => reduced(pixels),
        Picture::Planes(planes) => reduced_planes(planes),
    };
    thumbhash::encode(small.width, small.height, small.samples.as_chunks().0)
}

/// A cell's mean is that of so many samples on a side: more would tell no more, and a large output has thousands in a cell.
const SAMPLES: usize = 8;

/// How a length falls into at most [`MAX_SIDE`] cells.
struct Cells {
    length: usize,
    count: usize,
}

impl Cells {
    /// Of a side and of the longer of both.
    fn new(length: usize, longer: usize) -> Self {
        let count = (length * MAX_SIDE).div_ceil(longer.max(MAX_SIDE));
        Self {
            length,
            count: count.clamp(1, length.max(1)),
        }
    }

    /// The positions that are looked at, each with the cell that it belongs to.
    fn positions(&self) -> Vec<(usize, usize)> {
        let step = (self.length / (self.count * SAMPLES)).max(1);
        let positions = (0..self.length).step_by(step);
        positions
            .map(|position| (position, position * self.count / self.length))
            .collect()
    }
}

/// The means of cells as red, green, blue and alpha.
fn reduced(pixels: &Pixels) -> Pixels {
    cells(pixels.width, pixels.height, |x, y| {
        let channels = pixels.model.channels();
        let at = (y * pixels.width + x) * channels;
        match (pixels.model, pixels.samples.get(at..at + channels)) {
            (Model::Grey, Some(&[grey])) => [grey, grey, grey, u8::MAX],
            (Model::GreyAlpha, Some(&[grey, alpha])) => [grey, grey, grey, alpha],
            (Model::Rgb, Some(&[red, green, blue])) => [red, green, blue, u8::MAX],
            (Model::Rgba, Some(&[red, green, blue, alpha])) => [red, green, blue, alpha],
            _ => [0; 4],
        }
    })
}

/// The means of cells of luma and chroma, converted only then (ITU-T T.871, section 7).
fn reduced_planes(planes: &Planes) -> Pixels {
    let mut small = cells(planes.width, planes.height, |x, y| {
        let luma = planes.luma.get(y * planes.width + x).copied();
        let [blue, red] = planes.chroma_at(x, y);
        [luma.unwrap_or(0), blue, red, u8::MAX]
    });
    for pixel in small.samples.as_chunks_mut::<4>().0 {
        let [luma, blue, red, _] = pixel.map(f32::from);
        let (blue, red) = (blue - 128.0, red - 128.0);
        let colour = [
            luma + 1.402 * red,
            luma - 0.344_136 * blue - 0.714_136 * red,
            luma + 1.772 * blue,
        ];
        let [r, g, b] = colour.map(super::pixels::to_sample);
        *pixel = [r, g, b, u8::MAX];
    }
    small
}

/// The means of the cells of a picture whose pixels `pixel` tells.
fn cells(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 4]) -> Pixels {
    let longer = width.max(height);
    let (columns, rows) = (Cells::new(width, longer), Cells::new(height, longer));
    let mut sums = vec![[0_u64; 5]; columns.count * rows.count];
    let positions = columns.positions();
    for (y, row) in rows.positions() {
        let first = row * columns.count;
        for (x, column) in &positions {
            let [red, green, blue, alpha] = pixel(*x, y).map(u64::from);
            if let Some(sum) = sums.get_mut(first + column) {
                let premultiplied = [red * alpha, green * alpha, blue * alpha, alpha, 1];
                for (sum, value) in sum.iter_mut().zip(premultiplied) {
                    *sum += value;
                }
            }
        }
    }
    let mean = |sum: u64, count: u64| {
        let rounded = (sum + count / 2) / count.max(1);
        u8::try_from(rounded).unwrap_or(u8::MAX)
    };
    let samples = sums.iter().flat_map(|[red, green, blue, alpha, count]| {
        [
            mean(*red, *alpha),
            mean(*green, *alpha),
            mean(*blue, *alpha),
            mean(*alpha, *count),
        ]
    });
    Pixels {
        width: columns.count,
        height: rows.count,
        model: Model::Rgba,
        samples: samples.collect(),
    }
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
