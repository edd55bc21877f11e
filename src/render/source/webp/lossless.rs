//! The memory that a lossless stream's prefix codes take (RFC 9649, section 3).
//!
//! A stream may have up to 65,536 groups of five codes, each of which `image-webp` keeps as a table, and nothing in the
//! header says how many. So the stream is parsed up to its last code, including the pixels of the small pictures before
//! (of transforms and of groups). That costs little: they have a sixteenth of the picture's pixels at most, and usually
//! far fewer.

mod bits;

use self::bits::{Bits, PREFIXES};
use crate::render::Refusal;

/// The symbols of the four other codes of a group: red, blue, alpha and distance.
const ALPHABETS: [usize; 4] = [256, 256, 256, PREFIXES as usize];
/// The symbols of a group's first code without those of a colour cache: green, and lengths.
const GREEN: usize = 256 + 24;
/// The order in which the lengths of the code length code are stored (section 3.7.2.1.2).
const ORDER: [usize; 19] = [
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
];
const LONGEST: usize = 15;
/// The index bits of the tables in which `image-webp` looks codes up; longer ones go on in a tree.
const TABLE_BITS: usize = 10;

/// The heap that decoding takes beyond the pixels; `stream` starts behind the header.
pub(super) fn memory_bytes(stream: &[u8], (width, height): (u32, u32)) -> Result<u64, Refusal> {
    let mut bits = Bits::new(stream);
    let (width, height) = (u64::from(width), u64::from(height));
    // Buffers that exist once: a colour cache, code lengths, the codes of small pictures.
    let mut memory = 512 << 10;
    let mut columns = width;
    let mut transforms = 0;
    while bits.read(1)? == 1 {
        let transform = bits.read(2)?;
        // Each transform may come once, which bounds the small pictures.
        if transforms >> transform & 1 == 1 {
            return Err(malformed());
        }
        transforms |= 1 << transform;
        match transform {
            // Predictors, and colour multipliers.
            0 | 1 => {
                let shift = bits.read(3)? + 2;
                let pixels = small(columns, shift) * small(height, shift);
                read_small_picture(&mut bits, pixels)?;
                memory += pixels * 4;
            }
            2 => {}
            // A palette, whose indices are packed.
            _ => {
                let colours = u64::from(bits.read(8)?) + 1;
                read_small_picture(&mut bits, colours)?;
                let shift = match colours {
                    1 | 2 => 3,
                    3 | 4 => 2,
                    5..=16 => 1,
                    _ => 0,
                };
                columns = small(columns, shift);
            }
        }
    }
    let cache = read_cache_size(&mut bits)?;
    let mut groups = 1;
    if bits.read(1)? == 1 {
        let shift = bits.read(3)? + 2;
        let pixels = small(columns, shift) * small(height, shift);
        groups = u64::from(read_small_picture(&mut bits, pixels)?) + 1;
        memory += pixels * 6;
    }
    // Each group's five codes, in a `Vec` that doubles.
    memory += groups * 5 * 80 * 3;
    for _ in 0..groups {
        for alphabet in std::iter::once(GREEN + cache).chain(ALPHABETS) {
            memory += Code::read(&mut bits, alphabet)?.memory_bytes();
        }
    }
    Ok(memory)
}

/// A side in blocks of `2^shift`.
fn small(side: u64, shift: u32) -> u64 {
    side.div_ceil(1 << shift)
}

/// Reads the number of colours in the cache.
fn read_cache_size(bits: &mut Bits<'_>) -> Result<usize, Refusal> {
    if bits.read(1)? == 0 {
        return Ok(0);
    }
    match bits.read(4)? {
        size @ 1..=11 => Ok(1 << size),
        _ => Err(malformed()),
    }
}

/// Skips a picture of one group of codes; returns the highest `red << 8 | green` of its pixels.
fn read_small_picture(bits: &mut Bits<'_>, pixels: u64) -> Result<u32, Refusal> {
    let cache = read_cache_size(bits)?;
    let green = Code::read(bits, GREEN + cache)?;
    let [red, blue, alpha, distance] = ALPHABETS.map(|alphabet| Code::read(bits, alphabet));
    let (red, blue, alpha, distance) = (red?, blue?, alpha?, distance?);
    // Pixels that take no bits aren't iterated: a few bytes may stand for millions.
    match (&*green.symbols, &*red.symbols) {
        ([256..280], _) => return Err(malformed()),
        ([280..=u32::MAX], _) => return Ok(0),
        ([green], [red]) if blue.is_single() && alpha.is_single() => return Ok(red << 8 | green),
        _ => {}
    }
    let mut highest = 0;
    let mut done = 0;
    while done < pixels {
        let symbol = green.symbol(bits)?;
        done += match symbol {
            0..256 => {
                highest = highest.max(red.symbol(bits)? << 8 | symbol);
                blue.symbol(bits)?;
                alpha.symbol(bits)?;
                1
            }
            256..280 => {
                let length = bits.prefixed(symbol - 256)?;
                let distance = distance.symbol(bits)?;
                bits.prefixed(distance)?;
                length
            }
            _ => 1,
        };
    }
    Ok(highest)
}

/// A canonical prefix code (section 3.7.2.1).
struct Code {
    /// How many symbols have codes of each length.
    counts: [usize; LONGEST + 1],
    /// The symbols in the order of their codes.
    symbols: Vec<u32>,
}

impl Code {
    fn read(bits: &mut Bits<'_>, alphabet: usize) -> Result<Self, Refusal> {
        if bits.read(1)? == 1 {
            return Self::read_simple(bits);
        }
        let mut lengths = [0; 19];
        let count = bits.read(4)? + 4;
        for (position, _) in ORDER.iter().zip(0..count) {
            lengths[*position] = bits.read(3)?;
        }
        let code = Self::new(&lengths)?;
        let mut left = alphabet;
        if bits.read(1)? == 1 {
            let size = 2 + 2 * bits.read(3)?;
            left = usize::try_from(bits.read(size)?)
                .unwrap_or(usize::MAX)
                .saturating_add(2);
        }
        let mut lengths = Vec::with_capacity(alphabet);
        let mut last = 8;
        while lengths.len() < alphabet && left > 0 {
            left -= 1;
            let (length, times) = match code.symbol(bits)? {
                16 => (last, bits.read(2)? + 3),
                17 => (0, bits.read(3)? + 3),
                18 => (0, bits.read(7)? + 11),
                length => (length, 1),
            };
            if length != 0 {
                last = length;
            }
            lengths.extend((0..times).map(|_| length));
        }
        if lengths.len() > alphabet {
            return Err(malformed());
        }
        Self::new(&lengths)
    }

    fn read_simple(bits: &mut Bits<'_>) -> Result<Self, Refusal> {
        let two = bits.read(1)? == 1;
        let size = if bits.read(1)? == 1 { 8 } else { 1 };
        let mut symbols = vec![bits.read(size)?];
        let mut counts = [0; LONGEST + 1];
        if two {
            symbols.push(bits.read(8)?);
            counts[1] = 2;
        }
        Ok(Self { counts, symbols })
    }

    /// The code of these lengths; it must be complete, or of a single symbol.
    fn new(lengths: &[u32]) -> Result<Self, Refusal> {
        let mut counts = [0; LONGEST + 1];
        let mut symbols: Vec<(u32, u32)> = (0..)
            .zip(lengths)
            .map(|(symbol, length)| (*length, symbol))
            .filter(|(length, _)| *length > 0)
            .collect();
        symbols.sort_unstable();
        for (length, _) in &symbols {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            *counts.get_mut(length).ok_or_else(malformed)? += 1;
        }
        let symbols: Vec<u32> = symbols.into_iter().map(|(_, symbol)| symbol).collect();
        if symbols.len() == 1 {
            counts = [0; LONGEST + 1];
        } else {
            let taken: usize = (1..)
                .zip(&counts[1..])
                .map(|(length, count): (u32, _)| count << (15 - length))
                .sum();
            if taken != 1 << LONGEST {
                return Err(malformed());
            }
        }
        Ok(Self { counts, symbols })
    }

    fn is_single(&self) -> bool {
        self.symbols.len() == 1
    }

    /// Reads a symbol; its code is stored from the highest bit on.
    fn symbol(&self, bits: &mut Bits<'_>) -> Result<u32, Refusal> {
        if let [symbol] = *self.symbols {
            return Ok(symbol);
        }
        let mut coming = bits.coming();
        let (mut code, mut first, mut start) = (0, 0, 0);
        for (length, count) in (1..).zip(&self.counts[1..]) {
            code = code << 1 | usize::from(coming & 1 == 1);
            coming >>= 1;
            first <<= 1;
            if code < first + count {
                bits.skip(length)?;
                return self
                    .symbols
                    .get(start + code - first)
                    .copied()
                    .ok_or_else(malformed);
            }
            first += count;
            start += count;
        }
        Err(malformed())
    }

    /// The heap that `image-webp` takes for the code.
    fn memory_bytes(&self) -> u64 {
        let longest = self
            .counts
            .iter()
            .rposition(|count| *count > 0)
            .unwrap_or(0);
        let table = 4 << longest.min(TABLE_BITS);
        let in_tree: usize = self.counts.iter().skip(TABLE_BITS + 1).sum();
        // Two nodes of 16 bytes for each, in a `Vec` that may double.
        let tree = in_tree * 2 * 16 * 2;
        (table + tree + 64) as u64
    }
}

fn malformed() -> Refusal {
    Refusal::Corrupt("a lossless WebP's codes".to_owned())
}
