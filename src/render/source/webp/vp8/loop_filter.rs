//! The loop filter, which smooths the edges of blocks (RFC 6386, section 15).

use super::band::{Band, Plane};
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

/// What differences between samples at an edge are smoothed (sections 15.2 and 15.3).
#[derive(Clone, Copy)]
struct Limits {
    edge: u8,
    interior: u8,
    /// A difference beside the edge above which it counts as sharp.
    sharp: u8,
}

/// Samples across an edge, four on each side.
type Taps<const N: usize> = [[u8; N]; 8];

/// What smooths an edge in `N` places.
type Smooth<const N: usize> = fn(&mut Taps<N>, Limits);

impl Filter {
    /// Filters the newest row of macroblocks of the band, whose strengths are given in their order.
    pub(super) fn apply(self, band: &mut Band, strengths: &[Strength], has_above: bool) {
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
            let (luma, chroma) = band.planes();
            if self.simple {
                edges.filter::<16>(luma, [simple, simple]);
                continue;
            }
            edges.filter::<16>(luma, [between_macroblocks, between_subblocks]);
            for plane in chroma {
                edges.filter::<8>(plane, [between_macroblocks, between_subblocks]);
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
    /// Filters them in a plane that has `N` samples of a macroblock in a row: first those to the left, then those above.
    fn filter<const N: usize>(&self, plane: &mut Plane, [outer, inner]: [Smooth<N>; 2]) {
        let left = self.column * N;
        if self.column > 0 {
            plane.across_columns(left, |taps| outer(taps, self.outer));
        }
        if let Some(limits) = self.inner {
            for x in (4..N).step_by(4) {
                plane.across_columns(left + x, |taps| inner(taps, limits));
            }
        }
        if self.has_above {
            plane.across_rows(left, 0, |taps| outer(taps, self.outer));
        }
        if let Some(limits) = self.inner {
            for y in (4..N).step_by(4) {
                plane.across_rows(left, y, |taps| inner(taps, limits));
            }
        }
    }
}

impl Plane {
    /// Changes the samples of the newest macroblock row around the edge left of column `x`.
    #[inline(always)]
    fn across_columns<const N: usize>(&mut self, x: usize, smooth: impl Fn(&mut Taps<N>)) {
        let mut taps = [[0; N]; 8];
        for (lane, row) in self.newest::<N>().enumerate() {
            if let Some(samples) = row.get(x - 4..).and_then(|row| row.first_chunk::<8>()) {
                for (tap, sample) in taps.iter_mut().zip(samples) {
                    tap[lane] = *sample;
                }
            }
        }
        smooth(&mut taps);
        for (lane, row) in self.newest::<N>().enumerate() {
            let samples = row.get_mut(x - 4..);
            if let Some(samples) = samples.and_then(|row| row.first_chunk_mut::<8>()) {
                for (tap, sample) in taps.iter().zip(samples) {
                    *sample = tap[lane];
                }
            }
        }
    }

    /// Changes the samples around the edge above row `y` of the newest macroblock row, from column `x` on.
    #[inline(always)]
    fn across_rows<const N: usize>(&mut self, x: usize, y: usize, smooth: impl Fn(&mut Taps<N>)) {
        let mut taps = [[0; N]; 8];
        for (tap, row) in taps.iter_mut().zip(self.rows_around(y)) {
            if let Some(samples) = row.get(x..).and_then(|row| row.first_chunk()) {
                *tap = *samples;
            }
        }
        smooth(&mut taps);
        for (tap, row) in taps.iter().zip(self.rows_around(y)) {
            if let Some(samples) = row.get_mut(x..).and_then(|row| row.first_chunk_mut()) {
                *samples = *tap;
            }
        }
    }
}

/// What a place's samples are, around zero, and how they differ.
struct Place {
    p: [i16; 4],
    q: [i16; 4],
}

impl Place {
    #[inline(always)]
    fn new<const N: usize>(taps: &Taps<N>, lane: usize) -> Self {
        let signed = |tap: usize| i16::from(taps[tap][lane]) - 128;
        Self {
            p: [signed(3), signed(2), signed(1), signed(0)],
            q: [signed(4), signed(5), signed(6), signed(7)],
        }
    }

    /// Whether the step at the edge is small enough to be smoothed (section 15.2).
    #[inline(always)]
    fn is_smooth(&self, limits: Limits) -> bool {
        let step = (self.p[0] - self.q[0]).abs() * 2 + (self.p[1] - self.q[1]).abs() / 2;
        step <= i16::from(limits.edge)
    }

    /// Whether the sides are smooth too (section 15.3).
    #[inline(always)]
    fn has_smooth_sides(&self, limits: Limits) -> bool {
        let interior = i16::from(limits.interior);
        let near = |a: i16, b: i16| (a - b).abs() <= interior;
        let ([p0, p1, p2, p3], [q0, q1, q2, q3]) = (self.p, self.q);
        near(p3, p2) & near(p2, p1) & near(p1, p0) & near(q3, q2) & near(q2, q1) & near(q1, q0)
    }

    /// Whether there is a sharp edge beside the one that is filtered.
    #[inline(always)]
    fn is_sharp(&self, limits: Limits) -> bool {
        let sharp = i16::from(limits.sharp);
        ((self.p[1] - self.p[0]).abs() > sharp) | ((self.q[1] - self.q[0]).abs() > sharp)
    }

    /// The step at the edge, of which `outer` is the part that the samples beyond it show.
    #[inline(always)]
    fn step(&self, outer: i16) -> i16 {
        cut_off(outer + 3 * (self.q[0] - self.p[0]))
    }

    #[inline(always)]
    fn outer(&self) -> i16 {
        cut_off(self.p[1] - self.q[1])
    }
}

#[inline(always)]
fn cut_off(value: i16) -> i16 {
    value.clamp(-128, 127)
}

#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cut off to 0..=255"
)]
fn sample(value: i16) -> u8 {
    (cut_off(value) + 128) as u8
}

/// What the samples at an edge are changed by: what lies after it less the first, what lies before it more the second.
#[inline(always)]
fn halves_of(step: i16) -> [i16; 2] {
    [(step + 4).min(127) >> 3, (step + 3).min(127) >> 3]
}

/// The simple filter (section 15.2).
fn simple<const N: usize>(taps: &mut Taps<N>, limits: Limits) {
    for lane in 0..N {
        let place = Place::new(taps, lane);
        let step = place.step(place.outer());
        let step = if place.is_smooth(limits) { step } else { 0 };
        let [after, before] = halves_of(step);
        taps[3][lane] = sample(place.p[0] + before);
        taps[4][lane] = sample(place.q[0] - after);
    }
}

/// The filter of edges between subblocks (section 15.3).
fn between_subblocks<const N: usize>(taps: &mut Taps<N>, limits: Limits) {
    for lane in 0..N {
        let place = Place::new(taps, lane);
        let sharp = place.is_sharp(limits);
        let step = place.step(if sharp { place.outer() } else { 0 });
        let smooth = place.is_smooth(limits) & place.has_smooth_sides(limits);
        let step = if smooth { step } else { 0 };
        let [after, before] = halves_of(step);
        let beyond = if sharp { 0 } else { (after + 1) >> 1 };
        taps[2][lane] = sample(place.p[1] + beyond);
        taps[3][lane] = sample(place.p[0] + before);
        taps[4][lane] = sample(place.q[0] - after);
        taps[5][lane] = sample(place.q[1] - beyond);
    }
}

/// The filter of edges between macroblocks (section 15.3).
fn between_macroblocks<const N: usize>(taps: &mut Taps<N>, limits: Limits) {
    for lane in 0..N {
        let place = Place::new(taps, lane);
        let step = place.step(place.outer());
        let smooth = place.is_smooth(limits) & place.has_smooth_sides(limits);
        let step = if smooth { step } else { 0 };
        let sharp = place.is_sharp(limits);
        let [after, before] = halves_of(if sharp { step } else { 0 });
        let wide = if sharp { 0 } else { step };
        let [first, second, third] = [27, 18, 9].map(|weight| (weight * wide + 63) >> 7);
        taps[1][lane] = sample(place.p[2] + third);
        taps[2][lane] = sample(place.p[1] + second);
        taps[3][lane] = sample(place.p[0] + first + before);
        taps[4][lane] = sample(place.q[0] - first - after);
        taps[5][lane] = sample(place.q[1] - second);
        taps[6][lane] = sample(place.q[2] - third);
    }
}
