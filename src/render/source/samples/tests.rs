//! Sums of indexed pixels at every depth and many widths, pixel by pixel.

use super::{Table, add_alpha_colours, add_colours, add_colours_together};

/// A number for each place, of which many are at the end of their range.
fn sample(place: usize) -> u8 {
    match place % 3 {
        0 => u8::MAX,
        _ => (place * place * 29 + place * 7).to_le_bytes()[0],
    }
}

/// The index of pixel `x` in a row of `depth` bits.
fn index(row: &[u8], depth: usize, x: usize) -> usize {
    let bit = x * depth;
    usize::from(row[bit / 8] << (bit % 8) >> (8 - depth))
}

/// All depths, with widths around those of words, of bytes and of blocks.
fn rows() -> impl Iterator<Item = (usize, usize, Vec<u8>)> {
    let widths = (1..=20_usize).chain(250..=262).chain([511, 512, 513, 800]);
    widths.flat_map(|width| {
        [1, 2, 4, 8].map(|depth| {
            let length = (width * depth).div_ceil(8);
            (depth, width, (0..length).map(sample).collect())
        })
    })
}

fn colours<const C: usize>() -> Table<[u8; C]> {
    std::array::from_fn(|index| std::array::from_fn(|channel| sample(index * C + channel)))
}

fn words<const C: usize>() -> Table<u64> {
    colours::<C>().map(|colour| {
        let samples = colour.into_iter().rev();
        samples.fold(0, |word, sample| word << 16 | u64::from(sample))
    })
}

fn check<const C: usize>() {
    let (colours, words) = (colours::<C>(), words::<C>());
    for (depth, width, row) in rows() {
        let before = |x: usize| [u16::MAX - 255 - u16::from(sample(x)); C];
        let mut sums: Vec<[u16; C]> = (0..width).map(before).collect();
        add_colours(&row, depth, &words, &mut sums);
        for (x, sums) in sums.into_iter().enumerate() {
            let colour = colours[index(&row, depth, x)].map(u16::from);
            let added: [u16; C] = std::array::from_fn(|channel| sums[channel] - before(x)[channel]);
            assert_eq!(added, colour, "{depth} bits, pixel {x} of {width}");
        }
    }
}

#[test]
fn colours_are_added_at_every_depth_and_width() {
    check::<1>();
    check::<3>();
}

#[test]
fn colours_with_alpha_are_added_at_every_depth_and_width() {
    let table = std::array::from_fn(|index| [index, index * 3, 65025 - index, 65025])
        .map(|colour: [usize; 4]| colour.map(|sample| u32::try_from(sample).unwrap()));
    for (depth, width, row) in rows() {
        let mut sums = vec![[7; 4]; width];
        add_alpha_colours(&row, depth, &table, &mut sums);
        for (x, sums) in sums.into_iter().enumerate() {
            let colour = table[index(&row, depth, x)];
            assert_eq!(
                sums,
                colour.map(|sample| sample + 7),
                "pixel {x} of {width}"
            );
        }
    }
}

#[test]
fn colours_of_several_columns_are_added_to_each_sum() {
    let (colours, words) = (colours::<3>(), words::<3>());
    for together in 2..=16 {
        for width in (1..=40).chain([257]) {
            let row: Vec<u8> = (0..width).map(sample).collect();
            let groups = row.chunks(together);
            let mut sums = vec![[100; 3]; groups.len()];
            add_colours_together(&row, together, &words, &mut sums);
            for (sums, indices) in sums.into_iter().zip(groups) {
                let colours = indices.iter().map(|index| colours[usize::from(*index)]);
                let expected = colours.fold([100; 3], |sums, colour| {
                    std::array::from_fn(|channel| sums[channel] + u16::from(colour[channel]))
                });
                assert_eq!(sums, expected, "{together} of {width}");
            }
        }
    }
}
