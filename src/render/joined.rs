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
    // The planes, which chroma may exceed by a sample, and a row in numbers.
    (width + 1) * (height + 1) * 3 + width * 3 * size_of::<f32>() as u64 + resizer
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
    let mut shrink: Shrink<u16, 3> = Shrink::new(&columns, &rows, 1);
    let mut channels: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; columns.samples()]);
    for y in 0..rows.samples() {
        for (channel, plane) in channels.iter_mut().zip(&planes) {
            plane.row(y, channel);
        }
        let [luma, blue, red] = &mut channels;
        ycc_to_rgb(luma, blue, red);
        for (channel, values) in channels.iter().enumerate() {
            for (sum, value) in shrink.row(y).iter_mut().zip(values) {
                sum[channel] += u16::from(to_sample(*value));
            }
        }
    }
    Ok(shrink.finish())
}

/// A plane that is brought to the picture's size row by row.
struct Enlarged {
    samples: Vec<u8>,
    columns: Ratio,
    rows: Ratio,
}

impl Enlarged {
    fn new(header: &Header<'_>, component: &Component) -> Self {
        let ratio = |factor: fn(&Component) -> u32, length: u32| Ratio {
            factor: factor(component),
            largest: header.components.iter().map(factor).max().unwrap_or(1),
            length: usize::try_from(length).unwrap_or(usize::MAX),
        };
        let columns = ratio(|component| component.h, component.width);
        let rows = ratio(|component| component.v, component.height);
        Self {
            samples: Vec::with_capacity(columns.length * rows.length),
            columns,
            rows,
        }
    }

    /// Fills in row `y` of the picture.
    fn row(&self, y: usize, values: &mut [f32]) {
        let width = self.columns.length;
        let stored = |y: usize| self.samples.get(y * width..).unwrap_or_default();
        let (near, next) = self.rows.neighbours(y);
        let (near, next) = (stored(near), stored(next));
        let blend = |x: usize| match (near.get(x), next.get(x)) {
            (Some(near), Some(next)) => 3 * u16::from(*near) + u16::from(*next),
            _ => 0,
        };
        for (x, value) in values.iter_mut().enumerate() {
            let (near, next) = self.columns.neighbours(x);
            // Halves are rounded up and down in turns, as libjpeg does, which has no bias.
            let sixteenths =
                3 * blend(near) + blend(next) + if x.is_multiple_of(2) { 8 } else { 7 };
            *value = f32::from(sixteenths >> 4);
        }
    }
}

/// How many samples a component has for the picture's, along one axis.
struct Ratio {
    factor: u32,
    largest: u32,
    length: usize,
}

impl Ratio {
    /// The samples that make the picture's: three quarters the first, one quarter the second.
    ///
    /// Only where there are half as many is it more than the nearest, as in libjpeg.
    fn neighbours(&self, position: usize) -> (usize, usize) {
        let last = self.length.saturating_sub(1);
        if self.factor * 2 == self.largest {
            let near = position / 2;
            let next = if position.is_multiple_of(2) {
                near.saturating_sub(1)
            } else {
                near + 1
            };
            (near.min(last), next.min(last))
        } else {
            let (factor, largest) = (self.factor as usize, self.largest as usize);
            let near = (position * factor / largest.max(1)).min(last);
            (near, near)
        }
    }
}
