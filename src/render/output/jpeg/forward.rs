//! The forward DCT and quantization (ITU-T T.81, A.3.3 and A.3.4).

/// The row-by-row places of the coefficients in zigzag order (A.3.6).
#[rustfmt::skip]
pub(super) const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A vector: with four values in each, the eight of a transform fit into registers.
type Lane = [f32; 4];

/// The left or the right half of a block.
type Half = [Lane; 8];

/// Quantization steps by component kind, at quality 50 (T.81, tables K.1 and K.2), row by row.
#[rustfmt::skip]
const LUMA: [u16; 64] = [
    16, 11, 10, 16,  24,  40,  51,  61,
    12, 12, 14, 19,  26,  58,  60,  55,
    14, 13, 16, 24,  40,  57,  69,  56,
    14, 17, 22, 29,  51,  87,  80,  62,
    18, 22, 37, 56,  68, 109, 103,  77,
    24, 35, 55, 64,  81, 104, 113,  92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103,  99,
];
#[rustfmt::skip]
const CHROMA: [u16; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
];

/// The factors that [`transform`] leaves in the coefficients, by frequency.
const SCALES: [f32; 8] = [
    1.0,
    1.387_039_8,
    1.306_563,
    1.175_875_6,
    1.0,
    0.785_694_96,
    0.541_196_1,
    0.275_899_38,
];

/// The quantization steps of a component.
pub(super) struct Steps {
    /// In zigzag order, as the file has them.
    pub(super) zigzag: [u8; 64],
    /// The factors that quantize coefficients; transposed, as the transform leaves these.
    factors: [Half; 2],
}

impl Steps {
    pub(super) fn luma(quality: u8) -> Self {
        Self::new(&LUMA, quality)
    }

    pub(super) fn chroma(quality: u8) -> Self {
        Self::new(&CHROMA, quality)
    }

    /// Scales the steps as libjpeg does, so that a quality means the same as elsewhere.
    fn new(base: &[u16; 64], quality: u8) -> Self {
        let quality = u16::from(quality.clamp(1, 100));
        let percent = if quality < 50 {
            5000 / quality
        } else {
            200 - 2 * quality
        };
        let step = |base: u16| {
            let step = (u32::from(base) * u32::from(percent) + 50) / 100;
            u8::try_from(step.clamp(1, 255)).unwrap_or(u8::MAX)
        };
        let steps = base.map(step);
        Self {
            zigzag: ZIGZAG.map(|place| steps[usize::from(place)]),
            factors: [0, 4].map(|first| {
                std::array::from_fn(|x| {
                    std::array::from_fn(|y| {
                        let y = first + y;
                        1.0 / (f32::from(steps[y * 8 + x]) * SCALES[x] * SCALES[y] * 8.0)
                    })
                })
            }),
        }
    }

    /// The quantized coefficients of the block whose rows lie `stride` apart; [`place`] tells where each is.
    #[inline(always)]
    pub(super) fn quantized(&self, samples: &[u8], stride: usize) -> [i16; 64] {
        let mut halves = [[[0.0; 4]; 8]; 2];
        load(samples, stride, &mut halves);
        halves.iter_mut().for_each(transform);
        let mut halves = transposed(&halves);
        halves.iter_mut().for_each(transform);
        // The level shift (A.3.1).
        halves[0][0][0] -= 128.0 * 64.0;
        quantized(&halves, &self.factors)
    }
}

/// The index among [`Steps::quantized`] of a row and a column: the upper half of each column, then the lower.
pub(super) const fn place(row: u8, column: u8) -> u8 {
    row / 4 * 32 + column * 4 + row % 4
}

// The following are never inlined: merged, they would no longer be vectorized.

#[inline(never)]
fn load(samples: &[u8], stride: usize, halves: &mut [Half; 2]) {
    for (y, row) in samples.chunks(stride).take(8).enumerate() {
        for (half, samples) in halves.iter_mut().zip(row.as_chunks::<4>().0) {
            half[y] = samples.map(f32::from);
        }
    }
}

#[inline(never)]
fn quantized(halves: &[Half; 2], factors: &[Half; 2]) -> [i16; 64] {
    let mut quantized = [0; 64];
    let values = halves.as_flattened().as_flattened();
    let factors = factors.as_flattened().as_flattened();
    for ((to, value), factor) in quantized.iter_mut().zip(values).zip(factors) {
        *to = rounded(value * factor);
    }
    quantized
}

/// Rounds to the nearest whole number; `value` must be far smaller than 2^15.
///
/// Floats between 2^23 and 2^24 are whole numbers, which their low bits count.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the upper bits are the magnitude's"
)]
fn rounded(value: f32) -> i16 {
    const WHOLE: f32 = 12_582_912.0;
    ((value + WHOLE).to_bits() as u16).cast_signed()
}

#[inline(never)]
fn transposed(halves: &[Half; 2]) -> [Half; 2] {
    let mut transposed = [[[0.0; 4]; 8]; 2];
    for (n, half) in transposed.iter_mut().enumerate() {
        for (x, lane) in half.iter_mut().enumerate() {
            for (y, value) in lane.iter_mut().enumerate() {
                *value = halves[x / 4][n * 4 + y][x % 4];
            }
        }
    }
    transposed
}

#[inline(always)]
fn sum(a: Lane, b: Lane) -> Lane {
    std::array::from_fn(|x| a[x] + b[x])
}

#[inline(always)]
fn difference(a: Lane, b: Lane) -> Lane {
    std::array::from_fn(|x| a[x] - b[x])
}

#[inline(always)]
fn times(a: Lane, factor: f32) -> Lane {
    a.map(|value| value * factor)
}

/// The DCT down each column, but for [`SCALES`] (Arai, Agui, Nakajima: A fast DCT-SQ scheme for images, 1988).
#[inline(never)]
fn transform(rows: &mut Half) {
    // cos(pi/4) and cos(3pi/8), and cos(pi/8) less and plus the latter.
    const C4: f32 = 0.707_106_77;
    const C6: f32 = 0.382_683_43;
    const LESS: f32 = 0.541_196_1;
    const MORE: f32 = 1.306_563;

    let [s07, s16, s25, s34] = std::array::from_fn(|n| sum(rows[n], rows[7 - n]));
    let [d07, d16, d25, d34] = std::array::from_fn(|n| difference(rows[n], rows[7 - n]));

    let (outer, inner) = (sum(s07, s34), sum(s16, s25));
    let (outer_down, inner_down) = (difference(s07, s34), difference(s16, s25));
    let turned = times(sum(inner_down, outer_down), C4);

    let (low, middle, high) = (sum(d34, d25), sum(d25, d16), sum(d16, d07));
    let shared = times(difference(low, high), C6);
    let (low, high) = (
        sum(times(low, LESS), shared),
        sum(times(high, MORE), shared),
    );
    let middle = times(middle, C4);
    let (more, less) = (sum(d07, middle), difference(d07, middle));
    *rows = [
        sum(outer, inner),
        sum(more, high),
        sum(outer_down, turned),
        difference(less, low),
        difference(outer, inner),
        sum(less, low),
        difference(outer_down, turned),
        difference(more, high),
    ];
}
