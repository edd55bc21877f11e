//! Small JPEGs: components joined to pixels first, then resized, as viewers do.
//!
//! Viewers cut colours off at black and white before they resize. Among many samples that evens out; among few it shows.

use super::Refusal;
use super::components::ycc_to_rgb;
use super::jpeg::{self, BlockSide, Component, Header};
use super::pixels::to_sample;
use super::resize::{Axis, Sampling, Shrink};

/// An upper bound of the heap that [`render`] takes beside the decoder.
pub(super) fn memory_bytes(header: &Header<'_>, size: (u32, u32)) -> u64 {
    let (width, height) = (u64::from(header.width), u64::from(header.height));
    let resizer = Shrink::<u16, 3>::memory_bytes((header.width, header.height), size);
    // The planes, which chroma may exceed by a sample, and their rows.
    (width + 1) * (height + 1) * 3 + (width + 1) * 3 * 6 + resizer
}

/// The red, green and blue planes at the thumbnail's size of a picture in luma and chroma.
pub(super) fn render(
    header: &Header<'_>,
    source: &[u8],
    size: (u32, u32),
) -> Result<[Vec<f32>; 3], Refusal> {
    let mut planes: Vec<Enlarged> = header
        .components
        .iter()
        .map(|component| Enlarged::new(header, component))
        .collect();
    jpeg::decode(
        header,
        source,
        &[BlockSide::Eight; 3],
        &mut |component, row| {
            if let Some(plane) = planes.get_mut(component) {
                plane.samples.extend_from_slice(row);
            }
        },
    )?;
    let (columns, rows) = (
        Axis::new(Sampling::pixels(header.width), size.0),
        Axis::new(Sampling::pixels(header.height), size.1),
    );
    let mut shrinks: [Shrink<u16, 1>; 3] = std::array::from_fn(|_| Shrink::new(&columns, &rows, 1));
    let mut channels: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; columns.samples()]);
    for y in 0..rows.samples() {
        for (channel, plane) in channels.iter_mut().zip(&mut planes) {
            plane.row(y, channel);
        }
        let [luma, blue, red] = &mut channels;
        ycc_to_rgb(luma, blue, red);
        for (shrink, values) in shrinks.iter_mut().zip(&channels) {
            for (sum, value) in shrink.row(y).as_flattened_mut().iter_mut().zip(values) {
                *sum += u16::from(to_sample(*value));
            }
        }
    }
    Ok(shrinks.map(|shrink| shrink.finish().concat()))
}

/// A plane that is brought to the picture's size row by row.
struct Enlarged {
    samples: Vec<u8>,
    columns: Ratio,
    rows: Ratio,
    /// Four times a row of samples, brought to the picture's rows but not its columns yet.
    quarters: Vec<u16>,
}

impl Enlarged {
    fn new(header: &Header<'_>, component: &Component) -> Self {
        let ratio = |factor: fn(&Component) -> u32, length: u32| Ratio {
            factor: index(factor(component)),
            largest: index(header.components.iter().map(factor).max().unwrap_or(1)),
            length: index(length),
        };
        let columns = ratio(|component| component.h, component.width);
        let rows = ratio(|component| component.v, component.height);
        let samples = Vec::with_capacity(columns.length * rows.length);
        Self {
            samples,
            quarters: vec![0; columns.length],
            columns,
            rows,
        }
    }

    /// Fills in row `y` of the picture.
    fn row(&mut self, y: usize, values: &mut [f32]) {
        let width = self.columns.length;
        let stored = |y: usize| self.samples.get(y * width..).unwrap_or_default();
        let (near, next) = self.rows.neighbours(y);
        for (quarters, (near, next)) in self
            .quarters
            .iter_mut()
            .zip(stored(near).iter().zip(stored(next)))
        {
            *quarters = 3 * u16::from(*near) + u16::from(*next);
        }
        if self.columns.is_halved() {
            double(&self.quarters, values);
        } else if self.columns.factor == self.columns.largest {
            for (value, quarters) in values.iter_mut().zip(&self.quarters) {
                *value = f32::from((quarters + 2) >> 2);
            }
        } else {
            for (x, value) in values.iter_mut().enumerate() {
                let quarters = self.quarters.get(self.columns.neighbours(x).0);
                *value = f32::from((quarters.copied().unwrap_or_default() + 2) >> 2);
            }
        }
    }
}

/// Makes two values of each sample: three quarters of it and one quarter of the one before or after.
///
/// Halves are rounded up and down in turns, as libjpeg does, which has no bias.
fn double(quarters: &[u16], values: &mut [f32]) {
    let mut before = quarters.first().copied().unwrap_or_default();
    let last = quarters.last().copied().unwrap_or_default();
    let following = quarters.iter().skip(1).chain([&last]);
    for (pair, (here, after)) in values.chunks_mut(2).zip(quarters.iter().zip(following)) {
        let sixteenths = [3 * here + before + 8, 3 * here + after + 7];
        for (value, sixteenths) in pair.iter_mut().zip(sixteenths) {
            *value = f32::from(sixteenths >> 4);
        }
        before = *here;
    }
}

/// How many samples a component has for the picture's, along one axis.
struct Ratio {
    factor: usize,
    largest: usize,
    length: usize,
}

impl Ratio {
    /// Whether there are half as many: only then are they more than repeated, as in libjpeg.
    fn is_halved(&self) -> bool {
        self.factor * 2 == self.largest
    }

    /// The samples that make the picture's: three quarters the first, one quarter the second.
    fn neighbours(&self, position: usize) -> (usize, usize) {
        let last = self.length.saturating_sub(1);
        if self.is_halved() {
            let near = position / 2;
            let next = if position.is_multiple_of(2) {
                near.saturating_sub(1)
            } else {
                near + 1
            };
            (near.min(last), next.min(last))
        } else {
            let near = (position * self.factor / self.largest.max(1)).min(last);
            (near, near)
        }
    }
}

fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_doubled_by_threes_and_ones() {
        let mut values = [0.0; 5];
        double(&[40, 400, 800], &mut values);
        // Quarters in; the ends are repeated: 10, 10 + 90/4, 100 - 90/4, 100 + 100/4, 200 - 100/4.
        assert_eq!(values.map(to_sample), [10, 32, 78, 125, 175]);
    }

    #[test]
    fn neighbours_stay_within_the_plane() {
        let half = Ratio {
            factor: 1,
            largest: 2,
            length: 3,
        };
        let all: Vec<_> = (0..6).map(|x| half.neighbours(x)).collect();
        assert_eq!(all, [(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (2, 2)]);
        let third = Ratio {
            factor: 1,
            largest: 3,
            length: 2,
        };
        let all: Vec<_> = (0..7).map(|x| third.neighbours(x)).collect();
        assert_eq!(
            all,
            [(0, 0), (0, 0), (0, 0), (1, 1), (1, 1), (1, 1), (1, 1)]
        );
    }
}
