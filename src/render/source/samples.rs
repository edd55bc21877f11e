//! Addition of rows of samples, stored as in PNG (PNG specification, sections 7.2 and 11), to sums of boxes.
//!
//! Colours with an alpha are added premultiplied, with the alpha as the last channel.

/// Adds 8-bit samples.
pub(super) fn add_bytes<const C: usize>(row: &[u8], sums: &mut [[u16; C]]) {
    for (sum, sample) in sums.as_flattened_mut().iter_mut().zip(row) {
        *sum += u16::from(*sample);
    }
}

/// Adds 16-bit samples.
pub(super) fn add_words<const C: usize>(row: &[u8], sums: &mut [[u32; C]]) {
    let samples = row.as_chunks().0;
    for (sum, sample) in sums.as_flattened_mut().iter_mut().zip(samples) {
        *sum += u32::from(u16::from_be_bytes(*sample));
    }
}

/// Adds 8-bit pixels whose last sample is alpha: `sample * alpha`, and `255 * alpha` for alpha itself.
pub(super) fn add_alpha_bytes<const C: usize>(row: &[u8], sums: &mut [[u32; C]]) {
    for (sum, pixel) in sums.iter_mut().zip(row.as_chunks::<C>().0) {
        let alpha = u16::from(pixel[C - 1]);
        for channel in 0..C {
            let sample = if channel == C - 1 {
                u8::MAX
            } else {
                pixel[channel]
            };
            sum[channel] += u32::from(u16::from(sample) * alpha);
        }
    }
}

/// Adds 8-bit pixels that are premultiplied by their alpha, as [`add_alpha_bytes`] does.
pub(super) fn add_premultiplied_bytes<const C: usize>(row: &[u8], sums: &mut [[u32; C]]) {
    for (sum, sample) in sums.as_flattened_mut().iter_mut().zip(row) {
        *sum += u32::from(u16::from(*sample) * u16::from(u8::MAX));
    }
}

/// Adds opaque 8-bit pixels of `S` samples as [`add_alpha_bytes`] does; `C` is `S + 1`.
pub(super) fn add_opaque_bytes<const S: usize, const C: usize>(row: &[u8], sums: &mut [[u32; C]]) {
    for (sum, pixel) in sums.iter_mut().zip(row.as_chunks::<S>().0) {
        for (sum, sample) in sum.iter_mut().zip(pixel.iter().chain([&u8::MAX])) {
            *sum += u32::from(u16::from(*sample) * u16::from(u8::MAX));
        }
    }
}

/// Adds 16-bit pixels whose last sample is alpha.
pub(super) fn add_alpha_words<const C: usize>(row: &[u8], sums: &mut [[u32; C]]) {
    let pixels = row.as_chunks::<2>().0.as_chunks::<C>().0;
    for (sum, pixel) in sums.iter_mut().zip(pixels) {
        let pixel = pixel.map(|sample| u32::from(u16::from_be_bytes(sample)));
        let alpha = pixel[C - 1];
        for channel in 0..C {
            let sample = if channel == C - 1 {
                u32::from(u16::MAX)
            } else {
                pixel[channel]
            };
            // Rounding up keeps opaque samples exact, and products within 16 bits.
            sum[channel] += (sample * alpha).div_ceil(1 << 16);
        }
    }
}

/// Adds pixels of `S` samples of `B` bytes; those equal to `key` are transparent. `C` is `S + 1`.
pub(super) fn add_keyed<const B: usize, const S: usize, const C: usize>(
    row: &[u8],
    key: [[u8; B]; S],
    sums: &mut [[u32; C]],
) {
    for (sum, pixel) in sums
        .iter_mut()
        .zip(row.as_chunks::<B>().0.as_chunks::<S>().0)
    {
        if *pixel == key {
            continue;
        }
        for (sum, sample) in sum.iter_mut().zip(pixel) {
            *sum += sample
                .iter()
                .fold(0, |value, byte| value << 8 | u32::from(*byte));
        }
        sum[C - 1] += u32::MAX >> (32 - 8 * B);
    }
}

/// The sums that each value of a sample of up to 8 bits adds: a palette's colours, or greys.
pub(super) type Table<const C: usize> = [[u32; C]; 256];

/// Adds pixels of `depth` bits, the first in the highest bits, by their entries in the table.
pub(super) fn add_indexed<const C: usize>(
    row: &[u8],
    depth: usize,
    table: &Table<C>,
    sums: &mut [[u32; C]],
) {
    let add = |sum: &mut [u32; C], index: u8| {
        let entry = &table[usize::from(index)];
        for channel in 0..C {
            sum[channel] += entry[channel];
        }
    };
    if depth == 8 {
        for (sum, index) in sums.iter_mut().zip(row) {
            add(sum, *index);
        }
        return;
    }
    for (sums, packed) in sums.chunks_mut(8 / depth).zip(row) {
        let mut rest = *packed;
        for sum in sums {
            add(sum, rest >> (8 - depth));
            rest <<= depth;
        }
    }
}

/// Rounds big-endian 16-bit samples to 8 bits.
pub(super) fn high(row: &[u8]) -> Vec<u8> {
    let samples = row.as_chunks().0.iter();
    samples
        .map(|sample| rounded(u16::from_be_bytes(*sample)))
        .collect()
}

/// Rounds a 16-bit sample to 8 bits.
pub(super) fn rounded(sample: u16) -> u8 {
    u8::try_from((u32::from(sample) + 128) / 257).unwrap_or(u8::MAX)
}
