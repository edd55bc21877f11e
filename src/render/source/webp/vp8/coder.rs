//! The boolean entropy encoder (RFC 6386, section 7.3), for tests.

/// Writes a partition.
pub(super) struct BoolEncoder {
    bytes: Vec<u8>,
    range: u32,
    bottom: u32,
    /// Shifts until the next byte.
    shifts: u32,
}

impl BoolEncoder {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            range: 255,
            bottom: 0,
            shifts: 24,
        }
    }

    pub(super) fn write(&mut self, probability: u8, bit: bool) {
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        if bit {
            let (bottom, carry) = self.bottom.overflowing_add(split);
            assert!(!carry, "the top bit is empty before");
            self.bottom = bottom;
            self.range -= split;
        } else {
            self.range = split;
        }
        while self.range < 128 {
            self.range <<= 1;
            self.shift();
        }
    }

    fn shift(&mut self) {
        if self.bottom >> 31 == 1 {
            let carried = self.bytes.iter_mut().rev();
            for byte in carried {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
        self.bottom <<= 1;
        self.shifts -= 1;
        if self.shifts == 0 {
            self.bytes.push(self.bottom.to_be_bytes()[0]);
            self.bottom &= 0x00FF_FFFF;
            self.shifts = 8;
        }
    }

    pub(super) fn flag(&mut self, bit: bool) {
        self.write(128, bit);
    }

    pub(super) fn literal(&mut self, bits: u32, value: u8) {
        for bit in (0..bits).rev() {
            self.flag(value >> bit & 1 == 1);
        }
    }

    pub(super) fn optional(&mut self, bits: u32, value: Option<i8>) {
        self.flag(value.is_some());
        if let Some(value) = value {
            self.literal(bits, value.unsigned_abs());
            self.flag(value < 0);
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        for _ in 0..32 {
            self.shift();
        }
        self.bytes
    }
}

/// Numbers that look random (Marsaglia: Xorshift RNGs, 2003).
pub(super) struct Random(pub(super) u32);

impl Random {
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % end
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// A number from `-most` to `most`.
    pub(super) fn around_zero(&mut self, most: i16) -> i16 {
        let values = 2 * u32::from(most.unsigned_abs()) + 1;
        i16::try_from(self.below(values)).unwrap() - most
    }
}

/// Reads a bool as section 7.3 spells it out.
pub(super) struct PlainDecoder<'a> {
    pub(super) input: &'a [u8],
    value: u32,
    range: u32,
    shifts: u32,
}

impl<'a> PlainDecoder<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let (first, input) = input.split_at(2);
        Self {
            input,
            value: u32::from(first[0]) << 8 | u32::from(first[1]),
            range: 255,
            shifts: 0,
        }
    }

    pub(super) fn read(&mut self, probability: u8) -> bool {
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        let bit = self.value >= split << 8;
        if bit {
            self.range -= split;
            self.value -= split << 8;
        } else {
            self.range = split;
        }
        while self.range < 128 {
            self.value <<= 1;
            self.range <<= 1;
            self.shifts += 1;
            if self.shifts == 8 {
                self.shifts = 0;
                let (byte, rest) = self.input.split_first().unwrap_or((&0, &[]));
                self.value |= u32::from(*byte);
                self.input = rest;
            }
        }
        bit
    }

    /// Reads by a tree as section 8.1 has it: positive entries are indices of the next pair, others values.
    pub(super) fn tree(&mut self, tree: &[i8], probabilities: &[u8], start: usize) -> i8 {
        let mut index = start;
        loop {
            let bit = self.read(probabilities[index / 2]);
            let next = tree[index + usize::from(bit)];
            match usize::try_from(next) {
                Ok(next) if next > 0 => index = next,
                _ => return -next,
            }
        }
    }
}
