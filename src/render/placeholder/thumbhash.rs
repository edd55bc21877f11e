//! The bytes of a `ThumbHash`: the lowest frequencies of luma, two colour differences and alpha, in four bits each.
//!
//! The `thumbhash` crate computes cosines anew for every frequency, which took a tenth of a small picture's rendering;
//! here they are computed once. Sums are added in the order and the precision of the format's own JavaScript: the bytes
//! of an even or a regular picture depend on a sum's last bit.

use std::f64::consts::PI;

/// The seven frequencies that a side has at most, and one to fill the registers.
type Cosines = [f64; 8];

/// A channel's lowest frequencies.
struct Spectrum {
    mean: f64,
    /// The other frequencies, row by row, mapped from `-scale..=scale` to 0..=1.
    rest: Vec<f64>,
    /// The largest magnitude among them.
    scale: f64,
}

/// The cosines at each column and at each row.
struct Basis {
    columns: Vec<Cosines>,
    rows: Vec<Cosines>,
}

/// Hashes RGBA pixels, not premultiplied.
pub(super) fn encode(width: usize, height: usize, pixels: &[[u8; 4]]) -> Vec<u8> {
    let (longer, is_landscape) = (width.max(height).max(1), width > height);
    let [luma, yellow_blue, red_green, alpha] = channels(pixels);
    let has_alpha = pixels.iter().any(|pixel| pixel[3] < u8::MAX);
    let most = if has_alpha { 5 } else { 7 };
    // To the nearest whole number, halves up.
    let share = |side: usize| ((2 * most * side + longer) / (2 * longer)).max(1);
    let (across, down) = (share(width), share(height));
    let basis = Basis {
        columns: cosines(width, most),
        rows: cosines(height, most),
    };
    let luma = basis.spectrum(&luma, across.max(3), down.max(3));
    let yellow_blue = basis.spectrum(&yellow_blue, 3, 3);
    let red_green = basis.spectrum(&red_green, 3, 3);
    let alpha = has_alpha.then(|| basis.spectrum(&alpha, 5, 5));

    let head = whole(63.0 * luma.mean, 63)
        | whole(31.5 + 31.5 * yellow_blue.mean, 63) << 6
        | whole(31.5 + 31.5 * red_green.mean, 63) << 12
        | whole(31.0 * luma.scale, 31) << 18
        | u32::from(has_alpha) << 23;
    let shorter = if is_landscape { down } else { across };
    let next = u32::try_from(shorter).unwrap_or(7)
        | whole(63.0 * yellow_blue.scale, 63) << 3
        | whole(63.0 * red_green.scale, 63) << 9
        | u32::from(is_landscape) << 15;
    let [[h0, h1, h2, _], [n0, n1, ..]] = [head, next].map(u32::to_le_bytes);
    let mut hash = vec![h0, h1, h2, n0, n1];
    let mut nibbles = Vec::new();
    if let Some(alpha) = &alpha {
        nibbles.extend([alpha.mean, alpha.scale].map(|part| whole(15.0 * part, 15)));
    }
    let rest = [Some(luma), Some(yellow_blue), Some(red_green), alpha];
    for spectrum in rest.iter().flatten() {
        nibbles.extend(spectrum.rest.iter().map(|part| whole(15.0 * part, 15)));
    }
    let bytes = nibbles
        .chunks(2)
        .map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4));
    hash.extend(bytes.map(|byte| byte.to_le_bytes()[0]));
    hash
}

/// Luma, yellow - blue, red - green, and alpha; transparent pixels are blended with the mean colour.
fn channels(pixels: &[[u8; 4]]) -> [Vec<f64>; 4] {
    let opacity = |pixel: &[u8; 4]| f64::from(pixel[3]) / 255.0;
    let mut sums = [0.0; 4];
    for pixel in pixels {
        let alpha = opacity(pixel);
        for (sum, sample) in sums.iter_mut().zip(&pixel[..3]) {
            *sum += alpha / 255.0 * f64::from(*sample);
        }
        sums[3] += alpha;
    }
    let mean = |sum: f64| if sums[3] > 0.0 { sum / sums[3] } else { 0.0 };
    let mean: [f64; 3] = std::array::from_fn(|n| mean(sums[n]));
    let mut channels = [const { Vec::new() }; 4];
    for pixel in pixels {
        let alpha = opacity(pixel);
        let [r, g, b]: [f64; 3] =
            std::array::from_fn(|n| mean[n] * (1.0 - alpha) + alpha / 255.0 * f64::from(pixel[n]));
        let values = [(r + g + b) / 3.0, r.midpoint(g) - b, r - g, alpha];
        for (channel, value) in channels.iter_mut().zip(values) {
            channel.push(value);
        }
    }
    channels
}

impl Basis {
    /// The frequencies `(u, v)` of a channel with `u * down < across * (down - v)`.
    fn spectrum(&self, channel: &[f64], across: usize, down: usize) -> Spectrum {
        let pixels = float((self.columns.len() * self.rows.len()).max(1));
        let mut parts = Vec::with_capacity(across * down);
        let mut v = 0;
        while v < down {
            let count = |v: usize| (across * (down - v)).div_ceil(down);
            let sums: &[Cosines] = match count(v) {
                0..=4 => &self.sums::<4, 3>(channel, v),
                5..=6 => &self.sums::<6, 2>(channel, v),
                _ => &self.sums::<8, 2>(channel, v),
            };
            for sums in sums.iter().take(down - v) {
                parts.extend(sums.iter().take(count(v)).map(|sum| sum / pixels));
                v += 1;
            }
        }
        let mean = parts.first().copied().unwrap_or_default();
        let mut rest = parts.split_off(1.min(parts.len()));
        let scale = rest.iter().fold(0.0, |scale, part| part.abs().max(scale));
        if scale > 0.0 {
            for part in &mut rest {
                *part = 0.5 + 0.5 / scale * *part;
            }
        }
        Spectrum { mean, rest, scale }
    }

    /// The sums of the first `N` frequencies across and of `V` down from `v` on. The order within a sum is fixed, so
    /// several sums make a vector.
    fn sums<const N: usize, const V: usize>(&self, channel: &[f64], v: usize) -> [Cosines; V] {
        let mut sums = [[0.0; N]; V];
        let rows = channel.chunks_exact(self.columns.len().max(1));
        for (row, cosines) in rows.zip(&self.rows) {
            let down: [f64; V] =
                std::array::from_fn(|n| cosines.get(v + n).copied().unwrap_or_default());
            for (value, across) in row.iter().zip(&self.columns) {
                let products: [f64; N] = std::array::from_fn(|u| value * across[u]);
                for (sums, down) in sums.iter_mut().zip(down) {
                    for (sum, product) in sums.iter_mut().zip(products) {
                        *sum += product * down;
                    }
                }
            }
        }
        sums.map(|sums| std::array::from_fn(|u| sums.get(u).copied().unwrap_or_default()))
    }
}

/// The cosines of the first `frequencies` frequencies at each position.
fn cosines(length: usize, frequencies: usize) -> Vec<Cosines> {
    let at = |position: usize| {
        std::array::from_fn(|frequency| match frequency {
            0 => 1.0,
            _ if frequency >= frequencies => 0.0,
            _ => (PI / float(length) * float(frequency) * (float(position) + 0.5)).cos(),
        })
    };
    (0..length).map(at).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sides are at most 32, their product is below 2^53"
)]
fn float(count: usize) -> f64 {
    count as f64
}

/// The nearest whole number, up to `most`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate"
)]
fn whole(part: f64, most: u32) -> u32 {
    (part.round() as u32).min(most)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The hashes are those of tests/golden/thumbhash/make.mjs, with "?" for digits that depend on a cosine's last bit.
    #[test]
    fn hashes_are_those_of_the_format_s_own_package() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/thumbhash");
        let hashes =
            fs::read_to_string(folder.join("hashes.tsv")).expect("a file of this checkout");
        let (mut cases, mut sure) = (0, 0);
        for (name, wanted) in hashes.lines().filter_map(|line| line.split_once('\t')) {
            let picture = image::open(folder.join(name).with_extension("png"));
            let picture = picture.expect("a whole PNG").to_rgba8();
            let [width, height] = [picture.width(), picture.height()].map(|side| side as usize);
            let hash = encode(width, height, picture.as_chunks().0);
            let digits = hash.iter().map(|byte| format!("{byte:02x}"));
            let digits = digits.collect::<Vec<_>>().concat();
            let pairs = digits.chars().zip(wanted.chars());
            let open: String = pairs
                .map(|(ours, theirs)| if theirs == '?' { '?' } else { ours })
                .collect();
            assert_eq!(
                (open.as_str(), digits.len()),
                (wanted, wanted.len()),
                "{name}"
            );
            cases += 1;
            sure += usize::from(!wanted.contains('?'));
        }
        assert!(
            cases >= 20 && sure >= 14,
            "{sure} of {cases} hashes without a ?"
        );
    }

    #[test]
    fn an_even_picture_has_its_colour_alone() {
        let hash = encode(8, 8, &[[255; 4]; 64]);
        assert_eq!(hash[0] & 63, 63);
        // The scales are 0, and so is what they span.
        assert_eq!(hash[2] >> 2, 0);
    }
}
