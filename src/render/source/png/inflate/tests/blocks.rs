//! Blocks of random codes, of all kinds and sizes, which no encoder would make.

use super::super::whole;
use super::*;

/// A code by the lengths of its symbols' codes; those of length 0 have none.
struct Code(Vec<u8>);

impl Code {
    /// A complete code of `count` of all symbols, `first` among them; the greater `skew`, the longer the longest.
    fn random(noise: &mut Noise, all: usize, count: usize, first: usize, skew: usize) -> Self {
        let mut lengths = vec![0_u8];
        while lengths.len() < count {
            let mut split = if noise.next(10) < skew {
                lengths.len() - 1
            } else {
                noise.next(lengths.len())
            };
            while lengths[split] == 15 {
                split = (split + 1) % lengths.len();
            }
            lengths[split] += 1;
            lengths.push(lengths[split]);
        }
        let mut symbols: Vec<usize> = (0..all).collect();
        symbols.swap(0, first);
        for index in 1..all {
            symbols.swap(index, index + noise.next(all - index));
        }
        // Not always the same place in the code.
        symbols.swap(0, noise.next(count));
        let mut code = vec![0; all];
        for (symbol, length) in symbols.into_iter().zip(lengths) {
            code[symbol] = length;
        }
        Self(code)
    }

    fn write(&self, bits: Bits, symbol: usize) -> Bits {
        let length = self.0[symbol];
        let shorter = self.0.iter().filter(|other| (1..length).contains(*other));
        let before = self.0[..symbol].iter().filter(|other| **other == length);
        let first: usize = shorter.map(|other| 1 << (length - other)).sum();
        bits.code(&format!("{:01$b}", first + before.count(), length.into()))
    }

    fn symbols(&self, range: std::ops::Range<usize>) -> Vec<usize> {
        let having = |symbol: &usize| self.0.get(*symbol).is_some_and(|length| *length > 0);
        range.filter(having).collect()
    }
}

/// The least value and the extra bits of a symbol, of which there are `each` for every number of these.
fn range(order: usize, each: usize, least: usize) -> (usize, u32) {
    match order.checked_sub(2 * each) {
        None => (order + least, 0),
        Some(more) => {
            let extra = 1 + more / each;
            (
                ((each + more % each) << extra) + least,
                u32::try_from(extra).unwrap(),
            )
        }
    }
}

fn stored(mut bits: Bits, noise: &mut Noise, bytes: &mut Vec<u8>) -> Bits {
    let length = [0, noise.next(10), noise.next(20_000)][noise.next(3)];
    bits = bits.number(0, 2);
    while !bits.0.len().is_multiple_of(8) {
        bits.0.push(false);
    }
    let number = u32::try_from(length).unwrap();
    bits = bits.number(number | !number << 16, 32);
    let stored = (0..length).map(|_| u8::try_from(noise.next(256)).unwrap());
    let start = bytes.len();
    bytes.extend(stored);
    let stored = bytes[start..].iter();
    stored.fold(bits, |bits, byte| bits.number((*byte).into(), 8))
}

/// Codes of its own, whose lengths take four or five bits.
fn with_codes(mut bits: Bits, noise: &mut Noise) -> (Bits, Code, Code) {
    let (count, skew) = (2 + noise.next(285), noise.next(10));
    let symbols = Code::random(noise, 286, count, 256, skew);
    let skew = noise.next(10);
    let distances = match noise.next(31) {
        0 => Code(vec![0; 30]),
        count => Code::random(noise, 30, count.max(2), 0, skew),
    };
    bits = bits.number(2, 2).number(29, 5).number(29, 5).number(15, 4);
    let lengths = Code(
        (0..19)
            .map(|symbol| if symbol < 13 { 4 } else { 5 })
            .collect(),
    );
    for symbol in [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ] {
        bits = bits.number(lengths.0[symbol].into(), 3);
    }
    for length in symbols.0.iter().chain(&distances.0) {
        bits = lengths.write(bits, usize::from(*length));
    }
    (bits, symbols, distances)
}

fn block(mut bits: Bits, noise: &mut Noise, bytes: &mut Vec<u8>, last: bool) -> Bits {
    bits = bits.number(last.into(), 1);
    let (symbols, distances);
    match noise.next(5) {
        0 => return stored(bits, noise, bytes),
        1 => {
            bits = bits.number(1, 2);
            let length = |symbol| match symbol {
                144..256 => 9,
                256..280 => 7,
                _ => 8,
            };
            (symbols, distances) = (Code((0..288).map(length).collect()), Code(vec![5; 30]));
        }
        _ => (bits, symbols, distances) = with_codes(bits, noise),
    }
    let literals = symbols.symbols(0..256);
    let (lengths, ranges) = (symbols.symbols(257..286), distances.symbols(0..30));
    let rare = [1, 3, 30, 300][noise.next(4)];
    for _ in 0..[0, noise.next(4), noise.next(300), noise.next(6000)][noise.next(4)] {
        if !lengths.is_empty() && !ranges.is_empty() && noise.next(rare) == 0 {
            let (length, distance) = (
                lengths[noise.next(lengths.len())],
                ranges[noise.next(ranges.len())],
            );
            let (farther, farther_bits) = range(distance, 2, 1);
            let (longer, longer_bits) = if length == 285 {
                (258, 0)
            } else {
                range(length - 257, 4, 3)
            };
            let (far, long) = (noise.next(1 << farther_bits), noise.next(1 << longer_bits));
            if farther + far <= bytes.len() && longer + long <= 258 {
                bits = symbols
                    .write(bits, length)
                    .number(u32::try_from(long).unwrap(), longer_bits);
                bits = distances
                    .write(bits, distance)
                    .number(u32::try_from(far).unwrap(), farther_bits);
                for _ in 0..longer + long {
                    bytes.push(bytes[bytes.len() - farther - far]);
                }
                continue;
            }
        }
        if !literals.is_empty() {
            let literal = literals[noise.next(literals.len())];
            bits = symbols.write(bits, literal);
            bytes.push(u8::try_from(literal).unwrap());
        }
    }
    symbols.write(bits, 256)
}

#[test]
fn blocks_of_all_kinds_are_inflated_and_damage_to_them_found() {
    for seed in 0..150 {
        let mut noise = Noise(seed * 7919 + 3);
        let (mut bits, mut bytes) = (Bits::default(), Vec::new());
        let blocks = 1 + noise.next(10);
        for index in 1..=blocks {
            bits = block(bits, &mut noise, &mut bytes, index == blocks);
        }
        let data = bits.data(&bytes);
        let mut expected = Vec::new();
        ZlibDecoder::new(&data[..])
            .read_to_end(&mut expected)
            .unwrap();
        assert!(expected == bytes, "{seed}: the test itself");
        for piece in [1, 700, usize::MAX] {
            assert!(
                inflated(&data, piece) == Ok(bytes.clone()),
                "{seed}, {piece}"
            );
        }
        assert!(whole(&data, bytes.len()) == Some(bytes.clone()), "{seed}");
        if let Some(less) = bytes.len().checked_sub(1) {
            assert_eq!(whole(&data, less), None, "{seed}");
        }
        let mut damaged = data;
        let end = damaged.len() - 4;
        damaged[noise.next(end)] ^= 1 << noise.next(8);
        is_found(&damaged);
    }
}
