//! A bit writer (RFC 1951, section 3.1.1).

/// Packs bits into bytes, beginning with the least significant.
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// The bits that don't fill a byte yet.
    pending: u64,
    count: u32,
}

/// Up to 27 bits that are written at once: `bits << 5 | count`.
#[derive(Clone, Copy, Default)]
pub(super) struct Packed(u32);

impl Packed {
    pub(super) fn new(bits: u32, count: u32) -> Self {
        Self(bits << 5 | count)
    }

    /// These bits, then `next`.
    pub(super) fn then(self, next: Self) -> Self {
        let count = self.0 & 31;
        Self::new(self.0 >> 5 | (next.0 >> 5) << count, count + (next.0 & 31))
    }
}

impl Bits {
    /// A writer that appends to `bytes`.
    pub(super) fn behind(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            pending: 0,
            count: 0,
        }
    }

    pub(super) fn push(&mut self, bits: Packed) {
        self.push_all(&[bits], |bits| *bits);
    }

    /// Writes the bits of every item.
    pub(super) fn push_all<T>(&mut self, items: &[T], bits: impl Fn(&T) -> Packed) {
        // Eight bytes are stored at a time; the next store overwrites those that aren't full.
        let mut at = self.bytes.len();
        self.bytes.resize(at + items.len() * 4 + 8, 0);
        let (mut pending, mut count) = (self.pending, self.count);
        let mut store = |items: &[T]| {
            for item in items {
                let Packed(packed) = bits(item);
                pending |= u64::from(packed >> 5) << count;
                count += packed & 31;
            }
            self.bytes[at..at + 8].copy_from_slice(&pending.to_le_bytes());
            at += (count / 8) as usize;
            pending >>= count & !7;
            count &= 7;
        };
        let (pairs, rest) = items.as_chunks::<2>();
        for pair in pairs {
            store(pair);
        }
        store(rest);
        self.bytes.truncate(at);
        (self.pending, self.count) = (pending, count);
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.push(Packed::new(0, 7));
        self.bytes
    }
}
