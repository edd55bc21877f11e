//! Addition of rows of samples, stored as in PNG (PNG specification, sections 7.2 and 11), to sums of boxes.
//!
//! Colours with an alpha are added premultiplied, with the alpha as the last channel.

use wide::bytemuck::cast;

const _: () = assert!(
    cfg!(target_endian = "little"),
    "a word's lowest bits are its first sample"
);

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

/// What each value of a sample of up to 8 bits adds: a palette's colours, or greys.
pub(super) type Table<T> = [T; 256];

/// Adds pixels of `depth` bits by the opaque colours in the table, whose `C` samples are 16 bits each, the first lowest.
pub(super) fn add_colours<const C: usize>(
    row: &[u8],
    depth: usize,
    table: &Table<u64>,
    sums: &mut [[u16; C]],
) {
    unpacked(row, depth, sums, |indices, sums| {
        let count = sums.len().min(indices.len());
        let (sums, indices) = (&mut sums[..count], &indices[..count]);
        // Four pixels fill whole words. None of their sums carries into the next: it fits 16 bits.
        let (fours, last) = sums.as_chunks_mut::<4>();
        let (indices, last_indices) = indices.as_chunks::<4>();
        for (sums, indices) in fours.iter_mut().zip(indices) {
            let words = sums.as_flattened_mut().as_chunks_mut::<4>().0.iter_mut();
            for (sums, word) in words.zip(words_of::<C>(indices, table)) {
                *sums = cast(cast::<_, u64>(*sums) + word);
            }
        }
        for (sums, index) in last.iter_mut().zip(last_indices) {
            let colour: [u16; 4] = cast(table[usize::from(*index)]);
            for (sum, sample) in sums.iter_mut().zip(colour) {
                *sum += sample;
            }
        }
    });
}

/// The same for pixels of 8 bits, of which so many are added to each sum.
pub(super) fn add_colours_together<const C: usize>(
    row: &[u8],
    together: usize,
    table: &Table<u64>,
    sums: &mut [[u16; C]],
) {
    match together {
        2 => add_groups::<C, 2>(row, table, sums),
        3 => add_groups::<C, 3>(row, table, sums),
        4 => add_groups::<C, 4>(row, table, sums),
        5 => add_groups::<C, 5>(row, table, sums),
        6 => add_groups::<C, 6>(row, table, sums),
        7 => add_groups::<C, 7>(row, table, sums),
        8 => add_groups::<C, 8>(row, table, sums),
        _ => {
            for (sums, indices) in sums.iter_mut().zip(row.chunks(together)) {
                add_group(indices, table, sums);
            }
        }
    }
}

/// Constant lengths let the compiler unroll the loop over a group.
fn add_groups<const C: usize, const N: usize>(
    row: &[u8],
    table: &Table<u64>,
    sums: &mut [[u16; C]],
) {
    let (groups, last) = row.as_chunks::<N>();
    for (sums, indices) in sums.iter_mut().zip(groups) {
        add_group(indices, table, sums);
    }
    if let Some(sums) = sums.get_mut(groups.len()) {
        add_group(last, table, sums);
    }
}

#[inline]
fn add_group<const C: usize>(indices: &[u8], table: &Table<u64>, sums: &mut [u16; C]) {
    let colours = indices.iter().map(|index| table[usize::from(*index)]);
    let total: [u16; 4] = cast(colours.sum::<u64>());
    for (sum, total) in sums.iter_mut().zip(total) {
        *sum += total;
    }
}

/// The colours of four pixels of `C` samples, one after the other.
#[expect(clippy::inline_always, reason = "it is called for each pixel")]
#[inline(always)]
fn words_of<const C: usize>(indices: &[u8; 4], table: &Table<u64>) -> [u64; C] {
    let mut words = [0; C];
    for (place, index) in indices.iter().enumerate() {
        let colour = table[usize::from(*index)];
        let (word, shift) = (place * C / 4, place * C % 4 * 16);
        words[word] |= colour << shift;
        if shift + C * 16 > 64 {
            words[word + 1] |= colour >> (64 - shift);
        }
    }
    words
}

/// Adds pixels of `depth` bits by their entries in the table, of samples multiplied by their alpha.
pub(super) fn add_alpha_colours(
    row: &[u8],
    depth: usize,
    table: &Table<[u32; 4]>,
    sums: &mut [[u32; 4]],
) {
    unpacked(row, depth, sums, |indices, sums| {
        for (sums, index) in sums.iter_mut().zip(indices) {
            let colour = &table[usize::from(*index)];
            for (sum, sample) in sums.iter_mut().zip(colour) {
                *sum += sample;
            }
        }
    });
}

/// Passes samples of `depth` bits, the first in the highest bits, to `add` as bytes, each with its place in `sums`.
fn unpacked<T>(row: &[u8], depth: usize, sums: &mut [T], add: impl Fn(&[u8], &mut [T])) {
    if depth == 8 {
        return add(row, sums);
    }
    let mut samples = [0; 256];
    let packed = row.chunks(samples.len() / 8 * depth);
    for (packed, sums) in packed.zip(sums.chunks_mut(samples.len())) {
        match depth {
            1 => unpack::<8>(packed, &mut samples),
            2 => unpack::<4>(packed, &mut samples),
            _ => unpack::<2>(packed, &mut samples),
        }
        add(&samples, sums);
    }
}

/// Unpacks `N` samples of each byte.
fn unpack<const N: usize>(packed: &[u8], samples: &mut [u8]) {
    let depth = 8 / N;
    for (samples, packed) in samples.as_chunks_mut::<N>().0.iter_mut().zip(packed) {
        *samples = std::array::from_fn(|place| packed << (depth * place) >> (8 - depth));
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

#[cfg(test)]
mod tests;
