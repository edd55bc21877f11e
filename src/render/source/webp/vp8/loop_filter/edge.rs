//! What the loop filter makes of an edge, in 16 places at once.

use wide::{bytemuck::cast, i8x16, i16x8, u8x16, u16x8};

/// What differences between samples at an edge are smoothed (sections 15.2 and 15.3).
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) edge: u8,
    pub(super) interior: u8,
    /// A difference beside the edge above which it counts as sharp.
    pub(super) sharp: u8,
}

/// Samples across an edge, four on each side, in 16 places.
pub(super) type Taps = [[u8; 16]; 8];

/// What smooths an edge.
pub(super) type Smooth = fn(&mut Taps, Limits);

/// The four samples at an edge, around zero, the outer ones first and last; and what is known of all eight.
struct Edge {
    p1: i8x16,
    p0: i8x16,
    q0: i8x16,
    q1: i8x16,
    /// Where the step is small enough to be smoothed (section 15.2).
    smooth: u8x16,
    /// Where the sides are smooth too (section 15.3).
    smooth_sides: u8x16,
    /// Where there is a sharp edge beside the one that is filtered.
    sharp: u8x16,
}

impl Edge {
    #[inline(always)]
    fn new(taps: &Taps, limits: Limits) -> Self {
        let [p3, p2, p1, p0, q0, q1, q2, q3] = taps.map(u8x16::new);
        // Where it is cut off, it is above any limit.
        let step = difference(p0, q0);
        let step = step
            .saturating_add(step)
            .saturating_add(halved::<1>(difference(p1, q1)));
        let beside = difference(p1, p0).max(difference(q1, q0));
        let sides = [(p3, p2), (p2, p1), (q2, q1), (q3, q2)];
        let sides = sides
            .into_iter()
            .fold(beside, |most, (a, b)| most.max(difference(a, b)));
        Self {
            p1: signed(p1),
            p0: signed(p0),
            q0: signed(q0),
            q1: signed(q1),
            smooth: step.simd_le(u8x16::splat(limits.edge)),
            smooth_sides: sides.simd_le(u8x16::splat(limits.interior)),
            sharp: beside.simd_gt(u8x16::splat(limits.sharp)),
        }
    }

    /// What the step is taken for, given the part that the samples beyond it show. Saturated sums are those of numbers that are
    /// cut off at the end, since all but the first have one sign.
    #[inline(always)]
    fn step(&self, outer: i8x16) -> i8x16 {
        let inner = self.q0.saturating_sub(self.p0);
        outer
            .saturating_add(inner)
            .saturating_add(inner)
            .saturating_add(inner)
    }

    #[inline(always)]
    fn outer(&self) -> i8x16 {
        self.p1.saturating_sub(self.q1)
    }
}

/// How far samples are from each other.
#[inline(always)]
fn difference(a: u8x16, b: u8x16) -> u8x16 {
    a.saturating_sub(b) | b.saturating_sub(a)
}

/// Divides by two so many times.
#[inline(always)]
fn halved<const TIMES: u32>(values: u8x16) -> u8x16 {
    let pairs: u16x8 = cast(values);
    cast::<_, u8x16>(pairs.unbounded_shr_scalar(TIMES)) & u8x16::splat(0xFF >> TIMES)
}

/// The same for numbers around zero, rounding down.
#[inline(always)]
fn signed_halved<const TIMES: u32>(values: i8x16) -> i8x16 {
    cast::<_, i8x16>(halved::<TIMES>(unsigned(values))) - i8x16::splat(64 >> (TIMES - 1))
}

/// Samples as numbers around zero.
#[inline(always)]
fn signed(samples: u8x16) -> i8x16 {
    cast(samples ^ u8x16::splat(0x80))
}

/// Back again.
#[inline(always)]
fn unsigned(values: i8x16) -> u8x16 {
    cast::<_, u8x16>(values) ^ u8x16::splat(0x80)
}

/// Zero but where the mask is set.
#[inline(always)]
fn only(values: i8x16, mask: u8x16) -> i8x16 {
    cast(cast::<_, u8x16>(values) & mask)
}

/// What the samples at an edge are changed by: what lies after it less the first, what lies before it more the second.
#[inline(always)]
fn halves_of(step: i8x16) -> [i8x16; 2] {
    [4, 3].map(|half| signed_halved::<3>(step.saturating_add(i8x16::splat(half))))
}

/// The simple filter (section 15.2).
pub(super) fn simple(taps: &mut Taps, limits: Limits) {
    let edge = Edge::new(taps, limits);
    let step = only(edge.step(edge.outer()), edge.smooth);
    let [after, before] = halves_of(step);
    taps[3] = unsigned(edge.p0.saturating_add(before)).to_array();
    taps[4] = unsigned(edge.q0.saturating_sub(after)).to_array();
}

/// The filter of edges between subblocks (section 15.3).
pub(super) fn between_subblocks(taps: &mut Taps, limits: Limits) {
    let edge = Edge::new(taps, limits);
    let step = edge.step(only(edge.outer(), edge.sharp));
    let step = only(step, edge.smooth & edge.smooth_sides);
    let [after, before] = halves_of(step);
    let beyond = signed_halved::<1>(after + i8x16::splat(1));
    let beyond = only(beyond, !edge.sharp);
    taps[2] = unsigned(edge.p1.saturating_add(beyond)).to_array();
    taps[3] = unsigned(edge.p0.saturating_add(before)).to_array();
    taps[4] = unsigned(edge.q0.saturating_sub(after)).to_array();
    taps[5] = unsigned(edge.q1.saturating_sub(beyond)).to_array();
}

/// The filter of edges between macroblocks (section 15.3).
pub(super) fn between_macroblocks(taps: &mut Taps, limits: Limits) {
    let edge = Edge::new(taps, limits);
    let step = edge.step(edge.outer());
    let step = only(step, edge.smooth & edge.smooth_sides);
    let [after, before] = halves_of(only(step, edge.sharp));
    let [third, second, first] = ninths(only(step, !edge.sharp));
    let (p2, q2) = (signed(taps[1].into()), signed(taps[6].into()));
    let (p0, q0) = (
        edge.p0.saturating_add(before),
        edge.q0.saturating_sub(after),
    );
    taps[1] = unsigned(p2.saturating_add(third)).to_array();
    taps[2] = unsigned(edge.p1.saturating_add(second)).to_array();
    taps[3] = unsigned(p0.saturating_add(first)).to_array();
    taps[4] = unsigned(q0.saturating_sub(first)).to_array();
    taps[5] = unsigned(edge.q1.saturating_sub(second)).to_array();
    taps[6] = unsigned(q2.saturating_sub(third)).to_array();
}

/// 9, 18 and 27 of 128ths.
#[inline(always)]
fn ninths(step: i8x16) -> [i8x16; 3] {
    let (zero, step): (_, u8x16) = (u8x16::splat(0), cast(step));
    let halves = [
        u8x16::unpack_low(zero, step),
        u8x16::unpack_high(zero, step),
    ];
    // The byte in the upper half of 16 bits, shifted down with its sign.
    let nines = halves.map(|half| (cast::<_, i16x8>(half) >> 8) * i16x8::splat(9));
    [1, 2, 3].map(|times| {
        // Rounded, and moved up by 64, since vectors are narrowed to what isn't negative.
        let [low, high] = nines
            .map(|nine| ((nine * i16x8::splat(times) + i16x8::splat(63)) >> 7) + i16x8::splat(64));
        cast::<_, i8x16>(u8x16::narrow_i16x8(low, high)) - i8x16::splat(64)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::coder::Random;
    use super::*;

    /// The filters as section 15 spells them out, on the samples across an edge.
    struct Plain([i32; 8]);

    type PlainSmooth = fn(&mut Plain, Limits);

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
        let kernels: [(Smooth, PlainSmooth); 3] = [
            (simple, Plain::simple),
            (between_subblocks, Plain::between_subblocks),
            (between_macroblocks, Plain::between_macroblocks),
        ];
        let mut changed = 0;
        for round in 0..6000 {
            let limits = Limits {
                // The highest that there is.
                edge: random.byte().min(193),
                interior: random.byte() / 4,
                sharp: random.byte() / 64,
            };
            // From nearly even to noise.
            let (base, most) = (i16::from(random.byte()), [2, 9, 40, 255][round % 4]);
            let sample = |random: &mut Random| {
                u8::try_from((base + random.around_zero(most)).clamp(0, 255)).unwrap()
            };
            let taps: Taps = [(); 8].map(|()| [(); 16].map(|()| sample(&mut random)));
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
}
