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

#[cfg(test)]
mod tests {
    use super::super::coder::Random;
    use super::*;

    /// The filters as section 15 spells them out, on the samples across an edge.
    struct Plain([i32; 8]);

    fn c(value: i32) -> i32 {
        value.clamp(-128, 127)
    }

    impl Plain {
        fn near(&self, a: usize, b: usize) -> i32 {
            (self.0[a] - self.0[b]).abs()
        }

        fn is_smooth(&self, limits: Limits) -> bool {
            self.near(3, 4) * 2 + self.near(2, 5) / 2 <= i32::from(limits.edge)
        }

        fn has_smooth_sides(&self, limits: Limits) -> bool {
            let sides = [(0, 1), (1, 2), (2, 3), (7, 6), (6, 5), (5, 4)];
            let interior = i32::from(limits.interior);
            sides.into_iter().all(|(a, b)| self.near(a, b) <= interior)
        }

        fn is_sharp(&self, limits: Limits) -> bool {
            self.near(2, 3).max(self.near(5, 4)) > i32::from(limits.sharp)
        }

        fn adjust(&mut self, outer: bool) -> i32 {
            let [_, _, p1, p0, q0, q1, ..] = self.0;
            let a = c((if outer { c(p1 - q1) } else { 0 }) + 3 * (q0 - p0));
            let (f, b) = (c(a + 4) >> 3, c(a + 3) >> 3);
            (self.0[4], self.0[3]) = (c(q0 - f), c(p0 + b));
            f
        }

        fn simple(&mut self, limits: Limits) {
            if self.is_smooth(limits) {
                self.adjust(true);
            }
        }

        fn between_subblocks(&mut self, limits: Limits) {
            if self.is_smooth(limits) && self.has_smooth_sides(limits) {
                let sharp = self.is_sharp(limits);
                let a = (self.adjust(sharp) + 1) >> 1;
                if !sharp {
                    (self.0[5], self.0[2]) = (c(self.0[5] - a), c(self.0[2] + a));
                }
            }
        }

        fn between_macroblocks(&mut self, limits: Limits) {
            if !self.is_smooth(limits) || !self.has_smooth_sides(limits) {
                return;
            }
            if self.is_sharp(limits) {
                self.adjust(true);
                return;
            }
            let [_, _, p1, p0, q0, q1, ..] = self.0;
            let w = c(c(p1 - q1) + 3 * (q0 - p0));
            for (distance, weight) in [27, 18, 9].into_iter().enumerate() {
                let a = c((weight * w + 63) >> 7);
                let (p, q) = (3 - distance, 4 + distance);
                (self.0[p], self.0[q]) = (c(self.0[p] + a), c(self.0[q] - a));
            }
        }
    }

    #[test]
    fn edges_are_smoothed_as_the_specification_does_it() {
        let mut random = Random(14);
        let kernels: [(Smooth<16>, fn(&mut Plain, Limits)); 3] = [
            (simple, Plain::simple),
            (between_subblocks, Plain::between_subblocks),
            (between_macroblocks, Plain::between_macroblocks),
        ];
        let mut changed = 0;
        for round in 0..6000 {
            let limits = Limits {
                edge: random.byte(),
                interior: random.byte() / 4,
                sharp: random.byte() / 64,
            };
            // From nearly even to noise.
            let (base, most) = (i16::from(random.byte()), [2, 9, 40, 255][round % 4]);
            let sample = |random: &mut Random| {
                u8::try_from((base + random.around_zero(most)).clamp(0, 255)).unwrap()
            };
            let taps: Taps<16> = [(); 8].map(|()| [(); 16].map(|()| sample(&mut random)));
            for (kernel, plain) in kernels {
                let mut smoothed = taps;
                kernel(&mut smoothed, limits);
                changed += usize::from(smoothed != taps);
                for lane in 0..16 {
                    let mut expected = Plain(taps.map(|tap| i32::from(tap[lane]) - 128));
                    plain(&mut expected, limits);
                    assert_eq!(smoothed.map(|tap| i32::from(tap[lane]) - 128), expected.0);
                }
            }
        }
        assert!(changed > 3000, "{changed}");
    }

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
