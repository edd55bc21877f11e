//! The bytes of a `ThumbHash`: the lowest frequencies of luma, two colour differences and alpha, in four bits each.
//!
//! The crate of that name computes every frequency from all pixels, and its cosines anew each time; that took a tenth of a
//! small picture's rendering. Here columns are transformed first and their few frequencies then.

use std::f32::consts::PI;

/// A channel's lowest frequencies.
struct Spectrum {
    mean: f32,
    /// All others, row by row, as 0 to 1 of what `scale` spans.
    rest: Vec<f32>,
    /// The largest magnitude among them.
    scale: f32,
}

/// The hash of pixels of red, green, blue and alpha, not premultiplied.
pub(super) fn encode(width: usize, height: usize, pixels: &[[u8; 4]]) -> Vec<u8> {
    let (longer, is_landscape) = (width.max(height).max(1), width > height);
    let [luma, yellow_blue, red_green, alpha] = channels(pixels);
    let has_alpha = pixels.iter().any(|pixel| pixel[3] < u8::MAX);
    let most = if has_alpha { 5 } else { 7 };
    // To the nearest whole number, halves up.
    let share = |side: usize| ((2 * most * side + longer) / (2 * longer)).max(1);
    let (across, down) = (share(width), share(height));
    let spectrum = |channel: &[f32], across, down| spectrum(channel, width, height, across, down);
    let luma = spectrum(&luma, across.max(3), down.max(3));
    let yellow_blue = spectrum(&yellow_blue, 3, 3);
    let red_green = spectrum(&red_green, 3, 3);
    let alpha = has_alpha.then(|| spectrum(&alpha, 5, 5));

    let head = whole(luma.mean, 63.0)
        | whole(0.5 + 0.5 * yellow_blue.mean, 63.0) << 6
        | whole(0.5 + 0.5 * red_green.mean, 63.0) << 12
        | whole(luma.scale, 31.0) << 18
        | u32::from(has_alpha) << 23;
    let shorter = if is_landscape { down } else { across };
    let next = u32::try_from(shorter).unwrap_or(7)
        | whole(yellow_blue.scale, 63.0) << 3
        | whole(red_green.scale, 63.0) << 9
        | u32::from(is_landscape) << 15;
    let [[h0, h1, h2, _], [n0, n1, ..]] = [head, next].map(u32::to_le_bytes);
    let mut hash = vec![h0, h1, h2, n0, n1];
    let mut nibbles = Vec::new();
    if let Some(alpha) = &alpha {
        nibbles.extend([whole(alpha.mean, 15.0), whole(alpha.scale, 15.0)]);
    }
    let rest = [Some(luma), Some(yellow_blue), Some(red_green), alpha];
    for spectrum in rest.iter().flatten() {
        nibbles.extend(spectrum.rest.iter().map(|part| whole(*part, 15.0)));
    }
    let bytes = nibbles
        .chunks(2)
        .map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4));
    hash.extend(bytes.map(|byte| byte.to_le_bytes()[0]));
    hash
}

/// Luma, yellow less blue, red less green, and alpha, over the mean colour where pixels are clear.
fn channels(pixels: &[[u8; 4]]) -> [Vec<f32>; 4] {
    let light = |sample: u8| f32::from(sample) / 255.0;
    let mut sums = [0.0; 4];
    for pixel in pixels {
        let [.., alpha] = pixel.map(light);
        for (sum, part) in sums.iter_mut().zip(&pixel[..3]) {
            *sum += alpha * light(*part);
        }
        sums[3] += alpha;
    }
    let mean = |sum: f32| if sums[3] > 0.0 { sum / sums[3] } else { 0.0 };
    let mean: [f32; 3] = std::array::from_fn(|n| mean(sums[n]));
    let mut channels = [const { Vec::new() }; 4];
    for pixel in pixels {
        let [colour @ .., alpha] = pixel.map(light);
        let [r, g, b]: [f32; 3] =
            std::array::from_fn(|n| mean[n] * (1.0 - alpha) + alpha * colour[n]);
        let values = [(r + g + b) / 3.0, r.midpoint(g) - b, r - g, alpha];
        for (channel, value) in channels.iter_mut().zip(values) {
            channel.push(value);
        }
    }
    channels
}

/// The frequencies of a channel that lie in the triangle of `across` times `down`.
fn spectrum(channel: &[f32], width: usize, height: usize, across: usize, down: usize) -> Spectrum {
    let (columns, rows) = (cosines(width, across), cosines(height, down));
    let mut spectrum = Spectrum {
        mean: 0.0,
        rest: Vec::with_capacity(across * down),
        scale: 0.0,
    };
    let count = (width * height).max(1);
    let mut sums = vec![0.0; width];
    for (v, weights) in rows.chunks_exact(height.max(1)).enumerate() {
        sums.fill(0.0);
        for (row, weight) in channel.chunks_exact(width.max(1)).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
        let columns = columns.chunks_exact(width.max(1)).enumerate();
        for (u, weights) in columns.take_while(|(u, _)| u * down < across * (down - v)) {
            let products = sums.iter().zip(weights).map(|(sum, weight)| sum * weight);
            let part = products.sum::<f32>() / float(count);
            if (u, v) == (0, 0) {
                spectrum.mean = part;
            } else {
                spectrum.scale = part.abs().max(spectrum.scale);
                spectrum.rest.push(part);
            }
        }
    }
    if spectrum.scale > 0.0 {
        for part in &mut spectrum.rest {
            *part = 0.5 + 0.5 / spectrum.scale * *part;
        }
    }
    spectrum
}

/// The cosines of so many frequencies at each position, one frequency after the other.
fn cosines(length: usize, frequencies: usize) -> Vec<f32> {
    let all = (0..frequencies).flat_map(|f| (0..length).map(move |at| (f, at)));
    all.map(|(f, at)| (PI / float(length) * float(f) * (float(at) + 0.5)).cos())
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sides are at most 32, their product is below 2^24"
)]
fn float(count: usize) -> f32 {
    count as f32
}

/// A part of 0 to 1 as a whole number up to `most`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float casts saturate, and parts are cut off at 0 and 1"
)]
fn whole(part: f32, most: f32) -> u32 {
    (part.clamp(0.0, 1.0) * most).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pseudorandom picture, smooth or not.
    fn picture(seed: usize, width: usize, height: usize, clear: bool) -> Vec<[u8; 4]> {
        let sample = |x: usize, y: usize, channel: usize| {
            let wave = seed * 31 + x * (seed % 7 + channel) + y * (seed % 5 + 2 * channel);
            (wave * wave / 16 + wave * 5).to_le_bytes()[0]
        };
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.map(|(x, y)| {
            let alpha = if clear { sample(x, y, 3) } else { u8::MAX };
            [sample(x, y, 0), sample(x, y, 1), sample(x, y, 2), alpha]
        });
        pixels.collect()
    }

    fn nibbles(hash: &[u8]) -> Vec<u8> {
        hash.iter()
            .flat_map(|byte| [byte & 15, byte >> 4])
            .collect()
    }

    #[test]
    fn hashes_are_the_format_s_authors_but_for_rounding() {
        let (mut different, mut all) = (0, 0);
        for seed in 0..200 {
            let (width, height) = (1 + seed * 7 % 32, 1 + seed * 13 % 32);
            let pixels = picture(seed, width, height, seed % 3 == 0);
            let ours = encode(width, height, &pixels);
            let theirs = ::thumbhash::rgba_to_thumb_hash(width, height, pixels.as_flattened());
            assert_eq!(ours.len(), theirs.len(), "{width}x{height}");
            // Which frequency is the largest may hang on the order of additions, and sums on the last bit.
            let pairs = nibbles(&ours).into_iter().zip(nibbles(&theirs));
            let off = pairs.clone().filter(|(ours, theirs)| ours != theirs);
            different += off.count();
            all += pairs.count();
        }
        assert!(different * 500 < all, "{different} of {all} parts");
    }

    #[test]
    fn an_even_picture_has_its_colour_alone() {
        let hash = encode(8, 8, &[[255; 4]; 64]);
        assert_eq!(hash[0] & 63, 63);
        // The scales are 0, and so is what they span.
        assert_eq!(hash[2] >> 2, 0);
    }
}
