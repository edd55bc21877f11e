//! The boolean entropy decoder (RFC 6386, section 7).

/// Reads the bools of a partition.
#[derive(Clone, Debug)]
pub(super) struct BoolDecoder<'a> {
    rest: &'a [u8],
    /// The bits to come, from the highest on.
    value: u64,
    /// How many bits are known beyond the eight that a bool is decoded from. Below zero, some of those eight are unknown.
    spare: i32,
    /// The range, which is 128 to 255, less one.
    range: u32,
    /// How many bytes were made up after the last.
    missing: u32,
}

/// What becomes of a range, given less one: first how far it is shifted to be 128 or more again, then what it is after that,
/// less one.
///
/// A look-up is quicker than the shift, and all that follows waits for it.
const NORMALISED: [[u8; 256]; 2] = {
    let mut normalised = [[0; 256]; 2];
    let mut range = 1_u8;
    while range < 128 {
        let shift = range.leading_zeros();
        normalised[0][range as usize - 1] = shift.to_le_bytes()[0];
        normalised[1][range as usize - 1] = (range << shift) - 1;
        range += 1;
    }
    let mut index = 127_usize;
    while index < 256 {
        normalised[1][index] = index.to_le_bytes()[0];
        index += 1;
    }
    normalised
};

/// Where a partition's range is split.
#[derive(Clone, Copy)]
pub(super) struct Split {
    /// The lower part, less one.
    lower: u32,
    /// Its end among the bits to come.
    end: u64,
}

/// Goes on as the next bool says, which is false with a probability of so many of 256 (section 7.3).
///
/// Two branches, and not a value to branch on: so the processor needn't wait for the bits to know the range.
macro_rules! branch {
    ($bits:expr, $probability:expr, $set:expr, $clear:expr $(,)?) => {{
        let split = $bits.split($probability);
        if $bits.is_set(split) {
            $bits.take_upper(split);
            $set
        } else {
            $bits.take_lower(split);
            $clear
        }
    }};
}
pub(super) use branch;

impl<'a> BoolDecoder<'a> {
    pub(super) fn new(partition: &'a [u8]) -> Self {
        Self {
            rest: partition,
            value: 0,
            spare: -8,
            range: 254,
            missing: 0,
        }
    }

    /// Whether bools were read that the partition doesn't have.
    ///
    /// Coders may leave out a last byte of zeros, as libwebp has it.
    pub(super) fn is_past_end(&self) -> bool {
        self.missing > 1
    }

    /// A bool that is false with a probability of `probability` of 256.
    #[inline(always)]
    pub(super) fn read(&mut self, probability: u8) -> bool {
        branch!(self, probability, true, false)
    }

    /// For [`branch`]: where the range is split.
    #[inline(always)]
    pub(super) fn split(&mut self, probability: u8) -> Split {
        if self.spare < 0 {
            self.fill();
        }
        let lower = (self.range * u32::from(probability)) >> 8;
        let end = u64::from(lower + 1) << 56;
        Split { lower, end }
    }

    #[inline(always)]
    pub(super) fn is_set(&self, split: Split) -> bool {
        (self.value >> 56) > u64::from(split.lower)
    }

    #[inline(always)]
    pub(super) fn take_upper(&mut self, split: Split) {
        self.value -= split.end;
        self.normalise(self.range - split.lower - 1);
    }

    #[inline(always)]
    pub(super) fn take_lower(&mut self, split: Split) {
        self.normalise(split.lower);
    }

    #[inline(always)]
    fn normalise(&mut self, range: u32) {
        let index = (range & 0xFF) as usize;
        let shift = u32::from(NORMALISED[0][index]);
        self.range = u32::from(NORMALISED[1][index]);
        self.value <<= shift;
        self.spare -= shift.cast_signed();
    }

    /// A bool of even odds.
    pub(super) fn flag(&mut self) -> bool {
        self.read(128)
    }

    /// `magnitude`, negative if the next bool of even odds is set; not the first of a partition.
    ///
    /// After the first bool the range is at most 254, so that either half of it is 64 to 127: one shift, and no branch.
    #[inline(always)]
    pub(super) fn signed(&mut self, magnitude: i32) -> i32 {
        let Split { end, .. } = self.split(128);
        let negative = self.value >= end;
        let mask = u64::from(negative).wrapping_neg();
        self.value = (self.value - (end & mask)) << 1;
        // An even range has equal halves; of an odd one the lower is greater by one.
        self.range = (self.range - u32::from(negative)) | 1;
        self.spare -= 1;
        let sign = -i32::from(negative);
        (magnitude ^ sign) - sign
    }

    /// A number of `bits` bits, up to 8, the highest first.
    pub(super) fn literal(&mut self, bits: u32) -> u8 {
        (0..bits).fold(0, |value, _| value << 1 | u8::from(self.flag()))
    }

    /// A magnitude of `bits` bits, up to 7, and a sign, if a flag says that they are there (section 9.3).
    pub(super) fn optional(&mut self, bits: u32) -> Option<i32> {
        self.flag().then(|| {
            let magnitude = i32::from(self.literal(bits));
            if self.flag() { -magnitude } else { magnitude }
        })
    }

    /// Brings in seven bytes, or at the end one.
    #[inline(always)]
    fn fill(&mut self) {
        let known = self.spare + 8;
        if let Some(bytes) = self.rest.first_chunk::<8>() {
            // What there is room for of an eighth byte comes again with the next ones.
            self.value |= u64::from_be_bytes(*bytes) >> known;
            self.spare += 56;
            self.rest = &self.rest[7..];
        } else {
            // By value, for what is lent out doesn't stay in registers.
            let (byte, rest) = last_byte(self.rest);
            self.value |= u64::from(byte.unwrap_or(0)) << (48 - self.spare);
            self.spare += 8;
            self.missing = self.missing.saturating_add(u32::from(byte.is_none()));
            self.rest = rest;
        }
    }
}

/// The next of the last bytes, if there is one.
#[cold]
#[inline(never)]
fn last_byte(rest: &[u8]) -> (Option<u8>, &[u8]) {
    rest.split_first()
        .map_or((None, rest), |(byte, rest)| (Some(*byte), rest))
}

#[cfg(test)]
mod tests {
    use super::super::coder::{BoolEncoder, PlainDecoder, Random};
    use super::*;

    #[test]
    fn what_was_coded_is_read() {
        let mut random = Random(1);
        let bools: Vec<(u8, bool)> = (0..20_000)
            .map(|_| (random.byte().max(1), random.below(3) == 0))
            .collect();
        let mut coder = BoolEncoder::new();
        for (probability, bit) in &bools {
            coder.write(*probability, *bit);
        }
        let partition = coder.finish();
        let mut bits = BoolDecoder::new(&partition);
        for (index, (probability, bit)) in bools.into_iter().enumerate() {
            assert_eq!(bits.read(probability), bit, "{index}");
        }
        assert!(!bits.is_past_end());
    }

    #[test]
    fn bools_are_those_of_the_specification() {
        let mut random = Random(2);
        let partition = random.bytes(3000);
        let (mut bits, mut plain) = (BoolDecoder::new(&partition), PlainDecoder::new(&partition));
        while plain.input.len() > 8 {
            let probability = random.byte();
            assert_eq!(bits.read(probability), plain.read(probability));
            let sign = if plain.read(128) { -1 } else { 1 };
            assert_eq!(bits.signed(700), 700 * sign);
        }
    }

    #[test]
    fn numbers_are_read() {
        let mut coder = BoolEncoder::new();
        coder.literal(7, 100);
        coder.optional(4, Some(-9));
        coder.optional(7, None);
        coder.optional(6, Some(63));
        coder.flag(true);
        let partition = coder.finish();
        let mut bits = BoolDecoder::new(&partition);
        assert_eq!(bits.literal(7), 100);
        let optional = [bits.optional(4), bits.optional(7), bits.optional(6)];
        assert_eq!(optional, [Some(-9), None, Some(63)]);
        assert!(bits.flag());
    }

    #[test]
    fn only_a_last_byte_of_zeros_may_be_missing() {
        // Of zeros, each bool of even odds takes a bit but the first.
        for length in 0..20 {
            let zeros = vec![0; length];
            let mut bits = BoolDecoder::new(&zeros);
            for index in 0..length * 8 + 2 {
                assert!(!bits.flag());
                assert!(!bits.is_past_end(), "{length} bytes, bool {index}");
            }
            assert!(!bits.flag());
            assert!(bits.is_past_end(), "{length} bytes");
        }
    }
}
