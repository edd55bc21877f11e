//! Small JPEGs: components are joined to RGB pixels before they are resized, as in viewers.
//!
//! Viewers clamp colours to 0..=255 before they resize. In a mean of many samples that doesn't show, but in one of few.

use super::decode::{self, BlockSide, Component, Header, Sides};
use crate::render::Refusal;
use crate::render::resize::{Axis, Form, Resized, Shrink};
use crate::render::size::{Framing, index};

/// An upper bound of the heap that [`render`] takes beside the decoder and its views.
pub(super) fn memory_bytes(header: &Header<'_>) -> u64 {
    let (width, height) = (u64::from(header.width), u64::from(header.height));
    // The planes, of which chroma's may be a sample larger, and two rows of 16 bits for each.
    (width + 1) * (height + 1) * 3 + (width + 2) * 3 * 4
}

/// An upper bound of the heap that one of [`render`]'s views takes.
pub(super) fn view_memory_bytes(header: &Header<'_>, size: (u32, u32)) -> u64 {
    Shrink::<u16, 3>::memory_bytes((header.width, header.height), size, Form::Rounded, 1)
}

/// The red, green and blue planes of each view of a picture in luma and chroma.
pub(super) fn render(
    header: &Header<'_>,
    source: &[u8],
    framings: &[Framing],
) -> Result<Vec<[Resized; 3]>, Refusal> {
    let mut planes: Vec<Enlarged> = header
        .components
        .iter()
        .map(|component| Enlarged::new(header, component))
        .collect();
    decode::decode(
        header,
        source,
        &[Sides::one(BlockSide::Eight); 3],
        &mut |component, _, row| {
            if let Some(plane) = planes.get_mut(component) {
                plane.samples.extend_from_slice(row);
            }
        },
    )?;
    let axes: Vec<(Axis, Axis)> = framings
        .iter()
        .map(|framing| framing.axes(header.width, header.height))
        .collect();
    let mut views: Vec<[Shrink<u16, 1>; 3]> = axes
        .iter()
        .map(|(columns, rows)| {
            std::array::from_fn(|_| Shrink::new(columns, rows, 1, Form::Rounded))
        })
        .collect();
    let (width, height) = (index(header.width), index(header.height));
    let mut channels: [Vec<i16>; 3] = std::array::from_fn(|_| vec![0; width]);
    for y in 0..height {
        for (channel, plane) in channels.iter_mut().zip(&mut planes) {
            plane.row(y, channel);
        }
        let [luma, blue, red] = &mut channels;
        ycc_to_rgb(luma, blue, red);
        for shrinks in &mut views {
            for (shrink, samples) in shrinks.iter_mut().zip(&channels) {
                for (sum, sample) in shrink.row(y).as_flattened_mut().iter_mut().zip(samples) {
                    *sum += sample.cast_unsigned();
                }
            }
        }
    }
    let finished = views.into_iter().map(|shrinks| {
        shrinks.map(|shrink| {
            let mut sizes = shrink.finish();
            let [plane] = sizes.next().unwrap_or([Resized::Rounded(Vec::new())]);
            plane
        })
    });
    Ok(finished.collect())
}

/// Converts as [`ycc_to_rgb`](super::ycc_to_rgb) does, to whole samples of 0 to 255.
///
/// It calculates in 32nds, whose products fit 16 bits, so that a vector holds the most values.
fn ycc_to_rgb(y: &mut [i16], cb: &mut [i16], cr: &mut [i16]) {
    let cut_off = |value: i16| (value >> 5).clamp(0, 255);
    for ((y, cb), cr) in y.iter_mut().zip(cb).zip(cr) {
        let (luma, blue, red) = (*y * 32 + 16, (*cb - 128) << 8, (*cr - 128) << 8);
        *y = cut_off(luma + high_product(red, 11_485));
        *cb = cut_off(luma - high_product(blue, 2_819) - high_product(red, 5_850));
        *cr = cut_off(luma + high_product(blue, 14_516));
    }
}

/// The upper half of a product, which is one instruction for a vector.
fn high_product(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

/// A plane that is upsampled to the picture's size row by row.
struct Enlarged {
    samples: Vec<u8>,
    columns: Ratio,
    rows: Ratio,
    /// A row that is upsampled vertically but not yet horizontally, times 4; the first and last samples are repeated.
    quarters: Vec<i16>,
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
            quarters: vec![0; columns.length + 2],
            columns,
            rows,
        }
    }

    /// Fills in row `y` of the picture.
    fn row(&mut self, y: usize, values: &mut [i16]) {
        let width = self.columns.length;
        let stored = |y: usize| self.samples.get(y * width..).unwrap_or_default();
        let (near, next) = self.rows.neighbours(y);
        let (near, next) = (stored(near), stored(next));
        let places = self.quarters.iter_mut().skip(1).take(width);
        for (quarters, (near, next)) in places.zip(near.iter().zip(next)) {
            *quarters = 3 * i16::from(*near) + i16::from(*next);
        }
        self.quarters[0] = self.quarters[1];
        self.quarters[width + 1] = self.quarters[width];
        if self.columns.is_halved() {
            double(&self.quarters, values);
        } else if self.columns.factor == self.columns.largest {
            for (value, quarters) in values.iter_mut().zip(&self.quarters[1..]) {
                *value = (quarters + 2) >> 2;
            }
        } else {
            for (x, value) in values.iter_mut().enumerate() {
                let quarters = self.quarters[self.columns.neighbours(x).0 + 1];
                *value = (quarters + 2) >> 2;
            }
        }
    }
}

/// Doubles all samples but the first and the last, which pad: a value is three quarters of its sample and one quarter
/// of the one before or after.
///
/// Halves are rounded up and down in turns, as libjpeg does, which has no bias.
fn double(quarters: &[i16], values: &mut [i16]) {
    let first = |here: i16, before: i16| (3 * here + before + 8) >> 4;
    let second = |here: i16, after: i16| (3 * here + after + 7) >> 4;
    let threes = quarters.iter().zip(&quarters[1..]).zip(&quarters[2..]);
    let (pairs, odd) = values.as_chunks_mut();
    for (pair, ((before, here), after)) in pairs.iter_mut().zip(threes) {
        *pair = [first(*here, *before), second(*here, *after)];
    }
    if let ([odd], [.., before, here, _]) = (odd, quarters) {
        *odd = first(*here, *before);
    }
}

/// A component's sampling factor and the picture's largest, along one axis.
struct Ratio {
    factor: usize,
    largest: usize,
    length: usize,
}

impl Ratio {
    /// Whether the component has half as many samples: only then they are interpolated, as in libjpeg.
    fn is_halved(&self) -> bool {
        self.factor * 2 == self.largest
    }

    /// The samples that make the picture's at `position`: three quarters of the first, one quarter of the second.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_doubled_by_threes_and_ones() {
        let mut values = [0; 5];
        double(&[40, 40, 400, 800, 800], &mut values);
        // Quarters in; the ends are repeated: 10, 10 + 90/4, 100 - 90/4, 100 + 100/4, 200 - 100/4.
        assert_eq!(values, [10, 32, 78, 125, 175]);
    }

    #[test]
    fn colours_are_those_of_the_float_conversion_but_for_the_last_rounding() {
        for (luma, blue, red) in (0..=255).flat_map(|y| [(y, 0, 255), (y, 131, 77), (y, 255, 0)]) {
            let [mut y, mut cb, mut cr] = [[luma], [blue], [red]];
            ycc_to_rgb(&mut y, &mut cb, &mut cr);
            let mut exact = [luma, blue, red].map(|sample| vec![f32::from(sample)]);
            super::super::ycc_to_rgb(&mut exact);
            for (whole, exact) in [y, cb, cr].into_iter().zip(exact) {
                let off = f32::from(whole[0]) - exact[0].clamp(0.0, 255.0);
                assert!(off.abs() < 0.57, "{off} at {luma} {blue} {red}");
            }
        }
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
