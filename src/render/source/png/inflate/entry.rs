//! What the codes of a block stand for (RFC 1951, section 3.2.5).

#![expect(
    clippy::cast_possible_truncation,
    reason = "of masked bits, and of numbers of symbols"
)]

/// The symbol that ends a block; those behind it are lengths.
pub(super) const END: usize = 256;

/// What a lookup finds.
///
/// | | bits 0-5 | 6, 7 | 8-15 | 16-31 |
/// | --- | --- | --- | --- | --- |
/// | a literal or two | of all codes | 0, 0 | how many | the literals |
/// | a length or a distance | of the code | 0, 1 | extra bits | the least |
/// | the end of the block | of the code | 1, 1 | 0 | 0 |
/// | a longer code | 0 | 1, 1 | how many more bits | where they are looked up |
/// | no symbol | any | 1, 1 | 255 | 0 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    const NOT_LITERAL: u32 = 0x80;
    const SPECIAL: u32 = 0x40;
    const END: Self = Self(Self::NOT_LITERAL | Self::SPECIAL);
    /// No symbol.
    pub(super) const NONE: Self = Self(Self::END.0 | 0xFF00);

    /// A repetition of the previous length of a code.
    const PREVIOUS: Self = Self::range(3, 2);

    const fn literal(byte: u32) -> Self {
        Self(byte << 16 | 1 << 8)
    }

    const fn range(least: u32, extra: u32) -> Self {
        Self(least << 16 | extra << 8 | Self::NOT_LITERAL)
    }

    /// Codes of up to `more` bits more, which are looked up from `start` on.
    pub(super) const fn longer(start: u32, more: u32) -> Self {
        Self(start << 16 | more << 8 | Self::END.0)
    }

    /// The same with a code of so many bits.
    pub(super) const fn of_bits(self, bits: u32) -> Self {
        Self(self.0 | bits)
    }

    /// This literal and another behind it.
    pub(super) const fn then(self, second: Self, bits: u32) -> Self {
        Self((second.0 & 0xFF_0000) << 8 | self.0 & 0xFF_0000 | 2 << 8 | bits)
    }

    /// Whether it is a literal or two.
    pub(super) const fn is_literal(self) -> bool {
        self.0 & Self::NOT_LITERAL == 0
    }

    /// Whether it is neither a literal nor a length nor a distance.
    pub(super) const fn is_special(self) -> bool {
        self.0 & Self::SPECIAL != 0
    }

    /// Whether it is the end of the block.
    pub(super) const fn is_end(self) -> bool {
        self.0 & !0x3F == Self::END.0
    }

    /// Whether more bits must be looked up, at [`Self::value`] of these.
    pub(super) const fn is_longer(self) -> bool {
        self.is_special() && matches!(self.extra(), 1..0xFF)
    }

    /// Whether it stands for more codes of the previous length.
    pub(super) const fn repeats_previous(self) -> bool {
        self.0 & !0x3F == Self::PREVIOUS.0
    }

    /// The bits of the codes.
    pub(super) const fn bits(self) -> u32 {
        self.0 & 0x3F
    }

    /// How many literals.
    pub(super) const fn count(self) -> usize {
        (self.0 >> 8 & 0xFF) as usize
    }

    /// The literals.
    pub(super) const fn literals(self) -> [u8; 2] {
        let [_, _, first, second] = self.0.to_le_bytes();
        [first, second]
    }

    /// The extra bits of a length or a distance.
    pub(super) const fn extra(self) -> u32 {
        self.0 >> 8 & 0xFF
    }

    /// The length or distance, or the place of a longer code, whose extra bits come next.
    pub(super) const fn value(self, next: u64) -> usize {
        (self.0 >> 16) as usize + (next & ((1 << self.extra()) - 1)) as usize
    }

    /// The bits behind the codes.
    pub(super) const fn skip(self, next: u64) -> u64 {
        // No mask is needed: a shift takes the lowest six bits.
        next.wrapping_shr(self.0)
    }
}

/// Lengths of codes, the first of them as literals, the others repeated: the previous, and zero twice (section 3.2.7).
pub(super) const LENGTHS: [Entry; 19] = {
    let mut entries = [Entry::PREVIOUS; 19];
    let mut length = 0;
    while length < 16 {
        entries[length] = Entry::literal(length as u32);
        length += 1;
    }
    entries[17] = Entry::range(3, 3);
    entries[18] = Entry::range(11, 7);
    entries
};

/// Literals, the end of a block, and lengths (section 3.2.5).
pub(super) const SYMBOLS: [Entry; 286] = {
    let mut entries = [Entry::NONE; 286];
    let mut symbol = 0;
    while symbol < entries.len() {
        let order = (symbol as u32).saturating_sub(257);
        entries[symbol] = match symbol {
            ..END => Entry::literal(symbol as u32),
            END => Entry::END,
            257..265 => Entry::range(3 + order, 0),
            265..285 => {
                let extra = order / 4 - 1;
                Entry::range(((4 + order % 4) << extra) + 3, extra)
            }
            _ => Entry::range(258, 0),
        };
        symbol += 1;
    }
    entries
};

pub(super) const DISTANCES: [Entry; 30] = {
    let mut entries = [Entry::NONE; 30];
    let mut symbol = 0;
    while symbol < entries.len() {
        let order = symbol as u32;
        entries[symbol] = if order < 4 {
            Entry::range(1 + order, 0)
        } else {
            let extra = order / 2 - 1;
            Entry::range(((2 + order % 2) << extra) + 1, extra)
        };
        symbol += 1;
    }
    entries
};
