//! A deflate encoder (RFC 1951) for the filtered scanlines of small photographs: literals and runs.
//!
//! Little in them repeats but single bytes, so no other matches are searched; what counts are the codes. Block
//! boundaries are chosen by cost.

mod bits;
mod codes;

use zlib_rs::adler32::adler32;

use bits::{Bits, Packed};

/// The literals, the end of block, and the lengths; the last two symbols are never used.
const SYMBOLS: usize = 288;
const END_OF_BLOCK: usize = 256;
/// The fewest repetitions coded as a match: fewer take about as many bits as literals.
const LEAST_RUN: usize = 6;
/// The bytes of a part; blocks end between parts.
const PART_BYTES: usize = 3072;
/// The most parts of a block: all of a thumbnail of 128x128 pixels, so that a larger picture costs no more per pixel.
const MOST_PARTS: usize = 24;

/// Compresses the bytes to a zlib stream (RFC 1950).
pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    // CMF and FLG: deflate, a window of 32 KiB, and a check.
    let mut bits = Bits::behind(vec![0x78, 0x01]);
    let parts: Vec<Part> = bytes.chunks(PART_BYTES).map(Part::new).collect();
    let mut begin = 0;
    for end in ends(&parts) {
        push_block(&mut bits, &parts[begin..end], end == parts.len());
        begin = end;
    }
    let mut stream = bits.finish();
    stream.extend(adler32(1, bytes).to_be_bytes());
    stream
}

/// Some literals, and how often the last is repeated: 0 or 3..=258 times.
struct Segment<'a> {
    literals: &'a [u8],
    run: usize,
}

/// A stretch of the input as segments, and how often they use each symbol.
struct Part<'a> {
    segments: Vec<Segment<'a>>,
    counts: [u32; SYMBOLS],
}

impl<'a> Part<'a> {
    fn new(mut bytes: &'a [u8]) -> Self {
        let mut segments = Vec::new();
        // Any run that is long enough covers four bytes at a multiple of four.
        let four_equal = |four: &[u8; 4]| *four == [four[0]; 4];
        while let Some(four) = bytes.as_chunks().0.iter().position(four_equal) {
            let same = |byte: &&u8| **byte == bytes[four * 4];
            let (before, after) = bytes.split_at(four * 4);
            let first = before.len() - before.iter().rev().take_while(same).count();
            let end = before.len() + after.iter().take_while(same).count();
            let repeated = (end - first - 1).min(258);
            let (literals, run) = if repeated < LEAST_RUN {
                (end, 0)
            } else {
                (first + 1, repeated)
            };
            let (literals, rest) = bytes.split_at(literals);
            segments.push(Segment { literals, run });
            bytes = &rest[run..];
        }
        segments.push(Segment {
            literals: bytes,
            run: 0,
        });
        let counts = counts(&segments);
        Self { segments, counts }
    }
}

fn counts(segments: &[Segment]) -> [u32; SYMBOLS] {
    let mut counts = [0; SYMBOLS];
    // In a single table equal bytes in succession would wait for each other's count.
    let mut tables = [[0; 256]; 4];
    for segment in segments {
        let (fours, rest) = segment.literals.as_chunks::<4>();
        for literal in rest {
            tables[0][usize::from(*literal)] += 1;
        }
        for four in fours {
            for (literal, table) in four.iter().zip(&mut tables) {
                table[usize::from(*literal)] += 1;
            }
        }
        if segment.run > 0 {
            counts[length_code(segment.run).0] += 1;
        }
    }
    for table in tables {
        add(&mut counts, &table);
    }
    counts
}

fn add(sums: &mut [u32; SYMBOLS], counts: &[u32]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum += count;
    }
}

/// The symbol and the extra bits of a length of 3..=258 (section 3.2.5).
fn length_code(length: usize) -> (usize, Packed) {
    let offset = length - 3;
    if length == 258 {
        return (285, Packed::default());
    }
    let extra = (offset / 4).checked_ilog2().unwrap_or(0);
    let symbol = 257 + 4 * extra as usize + (offset >> extra);
    let bits = u32::try_from(offset & ((1 << extra) - 1)).unwrap_or(0);
    (symbol, Packed::new(bits, extra))
}

/// The ends of the blocks, in parts, that take the fewest bits in all.
fn ends(parts: &[Part]) -> Vec<usize> {
    // By number of leading parts: the fewest bits, and where the last block begins.
    let mut best = vec![(0.0, 0)];
    best.resize(parts.len() + 1, (f32::INFINITY, 0));
    for begin in 0..parts.len() {
        let mut counts = [0; SYMBOLS];
        let block = parts.iter().enumerate().skip(begin);
        for (end, part) in block.take(MOST_PARTS) {
            add(&mut counts, &part.counts);
            let bits = best[begin].0 + estimated_bits(&counts);
            if bits < best[end + 1].0 {
                best[end + 1] = (bits, begin);
            }
        }
    }
    let previous = |end: &usize| Some(best[*end].1).filter(|begin| *begin > 0);
    let mut ends: Vec<usize> = std::iter::successors(Some(parts.len()), previous).collect();
    ends.reverse();
    ends
}

/// Estimates a block's bits: the entropy of its symbols, and the code lengths of those that occur.
fn estimated_bits(counts: &[u32; SYMBOLS]) -> f32 {
    const HEADER_BITS: f32 = 100.0;
    const CODE_LENGTH_BITS: f32 = 2.5;
    // Several partial sums make a vector; the compiler may not reorder the additions of one float sum itself.
    let (mut all, mut entropy, mut used) = ([0.0; 8], [0.0; 8], [0.0; 8]);
    for eight in counts.as_chunks::<8>().0 {
        for (lane, count) in eight.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^24")]
            let count = count.cast_signed() as f32;
            all[lane] += count;
            entropy[lane] -= count * log2(count.max(1.0));
            used[lane] += count.min(1.0);
        }
    }
    let [all, entropy, used] = [all, entropy, used].map(|lanes| lanes.iter().sum::<f32>());
    HEADER_BITS + CODE_LENGTH_BITS * used + entropy + all * log2(all.max(1.0))
}

/// The binary logarithm of `value`, at least 1, to 0.01: the exponent, and a parabola through the mantissa.
#[expect(clippy::cast_precision_loss, reason = "an exponent")]
fn log2(value: f32) -> f32 {
    let bits = value.to_bits();
    let mantissa = f32::from_bits(bits & 0x7f_ffff | 0x3f80_0000);
    (bits >> 23).cast_signed() as f32 - 127.0 + (2.024_658 - 0.344_845 * mantissa) * mantissa
        - 1.679_813
}

/// Writes a block with codes of its own (section 3.2.7).
fn push_block(bits: &mut Bits, parts: &[Part], is_last: bool) {
    let mut counts = [0; SYMBOLS];
    counts[END_OF_BLOCK] = 1;
    for part in parts {
        add(&mut counts, &part.counts);
    }
    let lengths = codes::lengths(&counts, 15);
    bits.push(Packed::new(0b100 | u32::from(is_last), 3));
    push_lengths(bits, &lengths);
    let symbols = packed(&lengths);
    for segment in parts.iter().flat_map(|part| &part.segments) {
        bits.push_all(segment.literals, |byte| symbols[usize::from(*byte)]);
        if segment.run > 0 {
            let (symbol, extra) = length_code(segment.run);
            // The only distance, 1, has the code 0, of one bit.
            bits.push(symbols[symbol].then(extra).then(Packed::new(0, 1)));
        }
    }
    bits.push(symbols[END_OF_BLOCK]);
}

/// The canonical codes of these lengths.
fn packed<const N: usize>(lengths: &[u8; N]) -> [Packed; N] {
    let codes = codes::codes(lengths);
    std::array::from_fn(|symbol| Packed::new(codes[symbol].into(), lengths[symbol].into()))
}

/// Writes the code lengths of literals and lengths, and of a single distance.
fn push_lengths(bits: &mut Bits, lengths: &[u8; SYMBOLS]) {
    /// The order in which the lengths of the code length code are written.
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let used = lengths.iter().rposition(|length| *length > 0).unwrap_or(0) + 1;
    let coded = coded_lengths(&[&lengths[..used], &[1]].concat());
    let mut counts = [0; 19];
    for (symbol, _) in &coded {
        counts[*symbol] += 1;
    }
    let lengths = codes::lengths(&counts, 7);
    let written = ORDER.iter().rposition(|symbol| lengths[*symbol] > 0);
    let written = written.unwrap_or(0).max(3) + 1;
    for (number, count) in [(used - 257, 5), (0, 5), (written - 4, 4)] {
        bits.push(Packed::new(u32::try_from(number).unwrap_or(0), count));
    }
    bits.push_all(&ORDER[..written], |symbol| {
        Packed::new(lengths[*symbol].into(), 3)
    });
    let symbols = packed(&lengths);
    bits.push_all(&coded, |(symbol, extra)| symbols[*symbol].then(*extra));
}

/// The code lengths in the alphabet of section 3.2.7, each with its extra bits.
fn coded_lengths(lengths: &[u8]) -> Vec<(usize, Packed)> {
    let mut coded = Vec::new();
    for run in lengths.chunk_by(|one, next| one == next) {
        let length = usize::from(run[0]);
        let mut left = run.len();
        if length > 0 {
            coded.push((length, Packed::default()));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most, extra) = match (length, left) {
                (0, 11..) => (18, 11, 138, 7),
                (0, _) => (17, 3, 10, 3),
                _ => (16, 3, 6, 2),
            };
            let repeated = left.min(most);
            let bits = u32::try_from(repeated - least).unwrap_or(0);
            coded.push((symbol, Packed::new(bits, extra)));
            left -= repeated;
        }
        coded.extend((0..left).map(|_| (length, Packed::default())));
    }
    coded
}

#[cfg(test)]
mod tests;
