//! The loop filter, which smooths the edges of blocks (RFC 6386, section 15).

mod edge;

use wide::{bytemuck::cast, u8x16};

use self::edge::{Limits, Smooth, Taps, between_macroblocks, between_subblocks, simple};
use super::band::{Band, KEPT, Plane};
use super::header::{Filter, Segment};
use super::modes::{Luma, Modes};

/// How strongly a macroblock is filtered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strength {
    /// 0 to 63; 0 leaves the macroblock as it is.
    level: u8,
    /// Whether edges between subblocks are filtered too.
    inner: bool,
}

impl Strength {
    /// Section 9.6; `residue` says whether the macroblock has coefficients that aren't zero.
    pub(super) fn new(segment: &Segment, modes: &Modes, residue: bool) -> Self {
        let by_subblocks = matches!(modes.luma, Luma::Subblocks(_));
        Self {
            level: segment.levels[usize::from(by_subblocks)],
            inner: by_subblocks || residue,
        }
    }
}

impl Filter {
    /// Filters the newest row of macroblocks of the band, whose strengths are given in their order.
    pub(super) fn apply(self, band: &mut Band, strengths: &[Strength], has_above: bool) {
        let kernels: [Smooth; 2] = if self.simple {
            [simple, simple]
        } else {
            [between_macroblocks, between_subblocks]
        };
        let (luma, chroma) = band.planes();
        for (column, strength) in strengths.iter().enumerate() {
            if strength.level == 0 {
                continue;
            }
            let (outer, inner) = self.limits(strength.level);
            let inner = strength.inner.then_some(inner);
            let edges = Edges {
                column,
                has_above,
                outer,
                inner,
            };
            edges.filter::<16, 24, 20>(kernels, &mut [&mut *luma]);
            if !self.simple {
                edges.filter::<8, 16, 12>(kernels, &mut chroma.each_mut());
            }
        }
    }

    /// The limits at edges of macroblocks and of subblocks.
    fn limits(self, level: u8) -> (Limits, Limits) {
        let shift = match self.sharpness {
            0 => 0,
            1..=4 => 1,
            _ => 2,
        };
        let mut interior = level >> shift;
        if self.sharpness > 0 {
            interior = interior.min(9 - self.sharpness);
        }
        let interior = interior.max(1);
        let sharp = match level {
            0..15 => 0,
            15..40 => 1,
            _ => 2,
        };
        let limits = |edge: u8| Limits {
            edge,
            interior,
            sharp,
        };
        (
            limits((level + 2) * 2 + interior),
            limits(level * 2 + interior),
        )
    }
}

/// The edges of a macroblock.
struct Edges {
    column: usize,
    has_above: bool,
    outer: Limits,
    /// `None` leaves those between subblocks.
    inner: Option<Limits>,
}

impl Edges {
    /// Filters them in a plane that has 16 samples of a macroblock in a row, or in two that have eight: first those to the left,
    /// then those above.
    ///
    /// All samples are held meanwhile, in `COLUMNS` columns and then in `ROWS` rows of 16: those of the macroblock, and eight to
    /// the left or four above.
    #[inline(always)]
    fn filter<const SIDE: usize, const COLUMNS: usize, const ROWS: usize>(
        &self,
        kernels: [Smooth; 2],
        planes: &mut [&mut Plane],
    ) {
        let x = self.column * SIDE;
        let mut columns = [[0; 16]; COLUMNS];
        let (before, own) = columns.split_at_mut(8);
        if self.column > 0 {
            before.copy_from_slice(&read_columns::<SIDE>(planes, x - 8));
        }
        for (columns, x) in own.as_chunks_mut().0.iter_mut().zip((x..).step_by(8)) {
            *columns = read_columns::<SIDE>(planes, x);
        }
        self.smooth(kernels, self.column > 0, &mut columns[4..]);
        let (before, own) = columns.split_at(8);
        if self.column > 0 {
            let samples = turned(before.first_chunk().unwrap_or(&[[0; 16]; 8]));
            for (plane, samples) in planes.iter_mut().zip(samples.as_chunks::<SIDE>().0) {
                for (samples, y) in samples.iter().zip(KEPT..) {
                    plane.put_samples(x - 8, y, samples);
                }
            }
        }
        let mut rows = [[0; 16]; ROWS];
        let (above, below) = rows.split_at_mut(4);
        if self.has_above {
            for (row, y) in above.iter_mut().zip(KEPT - 4..) {
                for (part, plane) in row.as_chunks_mut::<SIDE>().0.iter_mut().zip(&*planes) {
                    *part = plane.samples(x, y);
                }
            }
        }
        // The left half of a row, or the first plane's; then the right half, or the second plane's.
        let mut part = 0;
        for columns in own.as_chunks().0 {
            for samples in turned(columns).as_chunks::<SIDE>().0 {
                for (row, samples) in below.iter_mut().zip(samples) {
                    row[part..part + 8].copy_from_slice(samples);
                }
                part += 8;
            }
        }
        self.smooth(kernels, self.has_above, &mut rows);
        let unchanged = if self.has_above { 0 } else { 4 };
        for (row, y) in rows.iter().zip(KEPT - 4..).skip(unchanged) {
            for (part, plane) in row.as_chunks::<SIDE>().0.iter().zip(&mut *planes) {
                plane.put_samples(x, y, part);
            }
        }
    }

    /// Smooths the edges between columns or rows: the first after four, the others each after four more.
    #[inline(always)]
    fn smooth(&self, [outer, inner]: [Smooth; 2], has_outer: bool, lines: &mut [[u8; 16]]) {
        if has_outer && let Some(taps) = lines.first_chunk_mut() {
            outer(taps, self.outer);
        }
        if let Some(limits) = self.inner {
            for start in (4..lines.len() - 4).step_by(4) {
                if let Some(taps) = lines.get_mut(start..).and_then(<[_]>::first_chunk_mut) {
                    inner(taps, limits);
                }
            }
        }
    }
}

/// Eight columns of the newest macroblock row from column `x` on.
#[inline(always)]
fn read_columns<const SIDE: usize>(planes: &[&mut Plane], x: usize) -> Taps {
    let mut samples = [[0; 8]; 16];
    for (plane, samples) in planes.iter().zip(samples.as_chunks_mut::<SIDE>().0) {
        for (samples, y) in samples.iter_mut().zip(KEPT..) {
            *samples = plane.samples(x, y);
        }
    }
    // Each shuffle turns a sample's number, of which four bits are its row's and three its column's, by a bit.
    cast(shuffled::<4>(cast(samples)))
}

/// Rows of eight columns.
#[inline(always)]
fn turned(columns: &Taps) -> [[u8; 8]; 16] {
    cast(shuffled::<3>(cast(*columns)))
}

/// Shuffles bytes `TIMES` times as perfectly as cards: one of the first half, one of the second.
#[inline(always)]
fn shuffled<const TIMES: usize>(mut bytes: [u8x16; 8]) -> [u8x16; 8] {
    for _ in 0..TIMES {
        bytes = std::array::from_fn(|index| {
            let (first, second) = (bytes[index / 2], bytes[index / 2 + 4]);
            if index % 2 == 0 {
                u8x16::unpack_low(first, second)
            } else {
                u8x16::unpack_high(first, second)
            }
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_level_and_sharpness() {
        let limits = |level, sharpness| {
            let filter = Filter {
                sharpness,
                ..Filter::default()
            };
            let (outer, inner) = filter.limits(level);
            (outer.edge, inner.edge, inner.interior, inner.sharp)
        };
        assert_eq!(limits(1, 0), (7, 3, 1, 0));
        assert_eq!(limits(14, 0), (46, 42, 14, 0));
        assert_eq!(limits(15, 1), (41, 37, 7, 1));
        assert_eq!(limits(40, 4), (89, 85, 5, 2));
        assert_eq!(limits(63, 0), (193, 189, 63, 2));
        assert_eq!(limits(63, 7), (132, 128, 2, 2));
        assert_eq!(limits(1, 7), (7, 3, 1, 0));
    }

    #[test]
    fn subblocks_are_filtered_where_they_were_predicted_or_have_a_residue() {
        use super::super::modes::{Mode, SubblockMode};
        let segment = Segment {
            levels: [7, 9],
            ..Segment::default()
        };
        let modes = |luma| Modes {
            segment: 0,
            coded: true,
            luma,
            chroma: Mode::Mean,
        };
        let whole = modes(Luma::Whole(Mode::Mean));
        let parts = modes(Luma::Subblocks([SubblockMode::Mean; 16]));
        let strength = |level, inner| Strength { level, inner };
        assert_eq!(Strength::new(&segment, &whole, false), strength(7, false));
        assert_eq!(Strength::new(&segment, &whole, true), strength(7, true));
        assert_eq!(Strength::new(&segment, &parts, false), strength(9, true));
    }
}
