//! The boolean entropy decoder (RFC 6386, section 7).

/// Reads the bools of a partition.
#[derive(Clone, Debug)]
pub(super) struct BoolDecoder<'a> {
    rest: &'a [u8],
    /// The bits to come, from the highest on.
    value: u64,
    /// How many bits are known beyond the eight that a bool is decoded from. Below zero, some of those eight are unknown.
    spare: i32,
    /// 128 to 255.
    range: u32,
    /// Whether the one byte that may be missing was made up.
    padded: bool,
    /// Whether more than that was needed.
    past_end: bool,
}

impl<'a> BoolDecoder<'a> {
    pub(super) fn new(partition: &'a [u8]) -> Self {
        Self {
            rest: partition,
            value: 0,
            spare: -8,
            range: 255,
            padded: false,
            past_end: false,
        }
    }

    /// Whether bools were read that the partition doesn't have.
    ///
    /// Coders may leave out a last byte of zeros, as libwebp has it.
    pub(super) fn is_past_end(&self) -> bool {
        self.past_end
    }

    /// A bool that is false with a probability of `probability` of 256 (section 7.3).
    #[inline(always)]
    pub(super) fn read(&mut self, probability: u8) -> bool {
        if self.spare < 0 {
            self.fill();
        }
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        let threshold = u64::from(split) << 56;
        let bit = self.value >= threshold;
        if bit {
            self.value -= threshold;
            self.range -= split;
        } else {
            self.range = split;
        }
        let shift = self.range.leading_zeros() - 24;
        self.range <<= shift;
        self.value <<= shift;
        self.spare -= shift.cast_signed();
        bit
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
        if self.spare < 0 {
            self.fill();
        }
        let split = self.range.div_ceil(2);
        let threshold = u64::from(split) << 56;
        let negative = self.value >= threshold;
        let mask = u64::from(negative).wrapping_neg();
        self.value = (self.value - (threshold & mask)) << 1;
        self.range = if negative { self.range - split } else { split } << 1;
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
            let word = u64::from_be_bytes(*bytes) & !0xFF;
            self.value |= word >> known;
            self.spare += 56;
            self.rest = &self.rest[7..];
        } else {
            self.fill_at_end();
        }
    }

    #[cold]
    #[inline(never)]
    fn fill_at_end(&mut self) {
        if let Some((byte, rest)) = self.rest.split_first() {
            self.value |= u64::from(*byte) << (48 - self.spare);
            self.rest = rest;
        } else if self.padded {
            self.past_end = true;
        } else {
            self.padded = true;
        }
        self.spare += 8;
    }
}
