//! The bits of a VP8L stream, and the numbers that prefixes stand for.

use super::malformed;
use crate::render::Refusal;

/// How many prefixes lengths and distances have; each two take a bit more.
pub(super) const PREFIXES: u32 = 40;

/// A bit reader, from the lowest bit of each byte on.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `count` bits, 24 at most.
    pub(super) fn read(&mut self, count: u32) -> Result<u32, Refusal> {
        let bits = self.coming() & ((1 << count) - 1);
        self.skip(count)?;
        Ok(bits)
    }

    /// The next 24 bits or more, with zeros behind the stream's end.
    pub(super) fn coming(&self) -> u32 {
        let rest = self.bytes.get(self.position / 8..).unwrap_or_default();
        let word = if let Some(word) = rest.first_chunk() {
            u32::from_le_bytes(*word)
        } else {
            let bytes = rest.iter().rev();
            bytes.fold(0, |word, byte| word << 8 | u32::from(*byte))
        };
        word >> (self.position % 8)
    }

    pub(super) fn skip(&mut self, count: u32) -> Result<(), Refusal> {
        let end = self.position + usize::try_from(count).unwrap_or(0);
        if end.div_ceil(8) > self.bytes.len() {
            return Err(Refusal::Truncated);
        }
        self.position = end;
        Ok(())
    }

    /// Reads the rest of a length or distance with this prefix (section 3.6.2.1).
    pub(super) fn prefixed(&mut self, prefix: u32) -> Result<u64, Refusal> {
        if prefix < 4 {
            return Ok(u64::from(prefix) + 1);
        }
        // A code of one or two symbols may name any byte.
        if prefix >= PREFIXES {
            return Err(malformed());
        }
        let extra = (prefix - 2) >> 1;
        let offset = u64::from(2 + (prefix & 1)) << extra;
        let low = u64::from(self.read(extra)?);
        Ok(offset + low + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_out_of_its_alphabet_is_malformed() {
        let mut bits = Bits::new(&[0xFF; 8]);
        assert_eq!(bits.prefixed(39).unwrap(), (3 << 18) + (1 << 18));
        for prefix in [40, 130, 255] {
            assert!(matches!(bits.prefixed(prefix), Err(Refusal::Corrupt(_))));
        }
    }
}
