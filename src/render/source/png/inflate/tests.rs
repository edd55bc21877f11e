mod ahead;
mod blocks;

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::{Fault, Inflater, LOOKBACK, ROOM};

/// Inflates as the reader of scanlines does, given so many bytes at a time.
fn inflated(data: &[u8], piece: usize) -> Result<Vec<u8>, Fault> {
    let mut inflater = Inflater::new();
    let mut window = vec![0; LOOKBACK + 1000 + ROOM];
    let (mut rest, mut end) = (data, 0);
    let mut all = Vec::new();
    while !inflater.is_done() {
        if window.len() - end < ROOM {
            window.copy_within(end - LOOKBACK..end, 0);
            end = LOOKBACK;
        }
        let input = inflater.input();
        while input.wants_more() {
            if rest.is_empty() {
                input.complete();
                break;
            }
            let taken = input.append(&rest[..piece.min(rest.len())]);
            rest = &rest[taken..];
        }
        let start = end;
        end = inflater.inflate(&mut window, start)?;
        all.extend_from_slice(&window[start..end]);
    }
    Ok(all)
}

fn deflated(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Numbers that look random.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    /// Bytes near zero, as filters leave of a photograph: their codes have many lengths, and hardly a match pays.
    fn residues(&mut self, length: usize) -> Vec<u8> {
        let residue = |noise: &mut Self| {
            let sum: usize = (0..4).map(|_| noise.next(32)).sum();
            u8::try_from(sum).unwrap().wrapping_sub(64)
        };
        (0..length).map(|_| residue(self)).collect()
    }

    /// Matches of every length and distance, with some literals between them.
    fn matches(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = self.residues(300);
        while bytes.len() < length {
            let distance = match self.next(4) {
                0 => 1 + self.next(40),
                _ => 1 + self.next(LOOKBACK),
            };
            let distance = distance.min(bytes.len());
            for _ in 0..3 + self.next(300) {
                bytes.push(bytes[bytes.len() - distance]);
            }
            let literals = self.next(5);
            bytes.extend(self.residues(literals));
        }
        bytes
    }
}

fn samples() -> Vec<Vec<u8>> {
    let mut noise = Noise(1);
    let random = (0..100_000).map(|_| u8::try_from(noise.next(256)).unwrap());
    vec![
        vec![],
        vec![7],
        vec![0; 300_000],
        random.collect(),
        noise.residues(400_000),
        noise.matches(400_000),
        [
            noise.residues(200_000),
            noise.matches(90_000),
            noise.residues(90_000),
        ]
        .concat(),
    ]
}

#[test]
fn all_levels_are_inflated_from_pieces_of_any_size() {
    for (index, bytes) in samples().into_iter().enumerate() {
        for level in [0, 1, 2, 6, 9] {
            let data = deflated(&bytes, level);
            for piece in [1, 1000, 8192, usize::MAX] {
                let inflated = inflated(&data, piece);
                assert!(
                    inflated == Ok(bytes.clone()),
                    "{index}, level {level}, {piece}"
                );
            }
        }
    }
}

#[test]
fn what_is_cut_is_told() {
    let data = deflated(&Noise(2).residues(3000), 6);
    for length in 0..data.len() {
        assert_eq!(inflated(&data[..length], 100), Err(Fault::Cut), "{length}");
    }
}

/// Checks that damage is found as by another inflater; returns whether neither of them found any.
fn is_found(damaged: &[u8]) -> bool {
    // The checksum alone would find all of it.
    let body = &damaged[..damaged.len() - 4];
    let mut expected = Vec::new();
    let _ends_early = ZlibDecoder::new(body).read_to_end(&mut expected);
    let sum = zlib_rs::adler32::adler32(1, &expected).to_be_bytes();
    let damaged = [body, &sum].concat();
    let mut again = Vec::new();
    let expected = ZlibDecoder::new(&damaged[..]).read_to_end(&mut again);
    let result = inflated(&damaged, usize::MAX);
    assert_eq!(result.is_ok(), expected.is_ok(), "{result:?}, {expected:?}");
    result.is_ok_and(|bytes| {
        assert!(bytes == again);
        true
    })
}

#[test]
fn damage_is_found_as_by_another_inflater() {
    let mut noise = Noise(3);
    let samples = [noise.residues(60_000), noise.matches(60_000), vec![1; 3000]];
    let mut accepted = 0;
    for (bytes, level) in samples.iter().flat_map(|bytes| [(bytes, 1), (bytes, 9)]) {
        let data = deflated(bytes, level);
        for round in 0..150 {
            let mut damaged = data.clone();
            // The heads of blocks are where most can be broken.
            let end = if round % 2 == 0 {
                data.len()
            } else {
                data.len().min(150)
            };
            damaged[noise.next(end)] ^= 1 << noise.next(8);
            accepted += usize::from(is_found(&damaged));
        }
    }
    assert!(accepted > 20, "{accepted}");
}

/// Bits as they are written: numbers with their lowest bit first, codes with their highest.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn number(mut self, value: u32, bits: u32) -> Self {
        self.0.extend((0..bits).map(|bit| value >> bit & 1 == 1));
        self
    }

    fn code(mut self, code: &str) -> Self {
        self.0.extend(code.chars().map(|bit| bit == '1'));
        self
    }

    /// The head of a last block, where the code for 0 is "00", for `short` "01", for `long` "10", and for many times 0 "11".
    fn head(symbols: u32, distances: u32, short: usize, long: usize) -> Self {
        let mut head = Self::default().number(5, 3);
        head = head
            .number(symbols - 257, 5)
            .number(distances - 1, 5)
            .number(14, 4);
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
            head = head.number(
                if [0, short, long, 18].contains(&symbol) {
                    2
                } else {
                    0
                },
                3,
            );
        }
        head
    }

    fn zeros(self, count: u32) -> Self {
        self.code("11").number(count - 11, 7)
    }

    /// The data, with the checksum of these bytes.
    fn data(self, bytes: &[u8]) -> Vec<u8> {
        let packed = self.0.chunks(8).map(|bits| {
            let bits = (0..).zip(bits);
            bits.fold(0, |byte, (index, bit)| byte | u8::from(*bit) << index)
        });
        let sum = zlib_rs::adler32::adler32(1, bytes).to_be_bytes();
        [0x78, 0x9C].into_iter().chain(packed).chain(sum).collect()
    }
}

fn is_corrupt(data: &[u8]) -> bool {
    matches!(inflated(data, 9), Err(Fault::Corrupt(_)))
}

#[test]
fn codes_that_an_encoder_rarely_makes_are_known() {
    // The literal 0: "0", the end: "10", the length 3: "11"; the only distance is 1: "0".
    let head = || {
        Bits::head(258, 1, 1, 2)
            .code("01")
            .zeros(138)
            .zeros(117)
            .code("10")
            .code("10")
    };
    let one_distance = head().code("01").code("0").code("11").code("0").code("10");
    assert_eq!(inflated(&one_distance.data(&[0; 4]), 9), Ok(vec![0; 4]));
    let other_distance = head().code("01").code("0").code("11").code("1").code("10");
    assert!(is_corrupt(&other_distance.data(&[])));
    let no_distance = head().code("00").code("0").code("10");
    assert_eq!(inflated(&no_distance.data(&[0]), 9), Ok(vec![0]));
    let distance_of_none = head().code("00").code("0").code("11").code("0").code("10");
    assert!(is_corrupt(&distance_of_none.data(&[])));
    let too_far = head().code("01").code("11").code("0").code("10");
    assert!(is_corrupt(&too_far.data(&[])));

    let end_alone = Bits::head(257, 1, 1, 2)
        .zeros(138)
        .zeros(118)
        .code("01")
        .code("00");
    assert_eq!(inflated(&end_alone.code("0").data(&[]), 9), Ok(vec![]));
    let no_end = Bits::head(257, 1, 1, 2)
        .code("01")
        .code("01")
        .zeros(138)
        .zeros(117)
        .code("00");
    assert!(is_corrupt(&no_end.data(&[])));
    let incomplete = Bits::head(257, 1, 1, 2)
        .code("10")
        .zeros(138)
        .zeros(117)
        .code("10")
        .code("00");
    assert!(is_corrupt(&incomplete.data(&[])));
    let beyond_the_last = Bits::head(257, 1, 1, 2)
        .zeros(138)
        .zeros(138)
        .code("01")
        .code("00");
    assert!(is_corrupt(&beyond_the_last.data(&[])));

    // The only code for lengths is one bit that is 0, and the next bit is 1.
    let one_length = Bits::default()
        .number(5, 3)
        .number(0, 14)
        .number(1 << 9, 12);
    assert!(is_corrupt(&one_length.code("1").zeros(100).data(&[])));

    let unknown_kind = Bits::default().number(7, 3);
    assert!(is_corrupt(&unknown_kind.data(&[])));
    let stored = |length| Bits::default().number(1, 8).number(length, 32).number(9, 8);
    assert_eq!(inflated(&stored(0xFFFE_0001).data(&[9]), 9), Ok(vec![9]));
    assert!(is_corrupt(&stored(0xFFFF_0001).data(&[9])));
}

#[test]
fn a_wrong_checksum_and_a_wrong_head_are_told() {
    let good = deflated(b"picture", 6);
    let changed = |index: usize| {
        let mut data = good.clone();
        data[index] ^= 0x20;
        inflated(&data, usize::MAX)
    };
    assert_eq!(changed(good.len() - 1), Err(Fault::WrongChecksum));
    for index in [0, 1] {
        assert!(matches!(changed(index), Err(Fault::Corrupt(_))));
    }
}
