//! The chunks of a PNG file (PNG specification, section 5.3).

use flate2::Crc;

/// One chunk as it stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) kind: [u8; 4],
    /// The content; shorter than announced when the file ends early.
    pub(super) content: &'a [u8],
    /// The checksum, `None` if the file ends before.
    checksum: Option<u32>,
}

impl Chunk<'_> {
    /// Whether the file holds all of the chunk.
    pub(super) fn is_whole(&self) -> bool {
        self.checksum.is_some()
    }

    /// Whether the checksum is there and agrees.
    pub(super) fn is_sound(&self) -> bool {
        let mut sum = Crc::new();
        sum.update(&self.kind);
        sum.update(self.content);
        self.checksum == Some(sum.sum())
    }

    /// The checksum that a [`Crc`] over kind and content must end in.
    pub(super) fn checksum(&self) -> Option<u32> {
        self.checksum
    }
}

/// An iterator over the chunks after the signature, as long as their headers are whole. It doesn't check checksums.
#[derive(Clone)]
pub(super) struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// `source` starts with the signature.
    pub(super) fn new(source: &'a [u8]) -> Self {
        Self {
            rest: source.get(8..).unwrap_or_default(),
        }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (content, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let (checksum, rest) = match rest.split_first_chunk() {
            Some((checksum, rest)) => (Some(u32::from_be_bytes(*checksum)), rest),
            None => (None, &[][..]),
        };
        self.rest = rest;
        Some(Chunk {
            kind: *kind,
            content,
            checksum,
        })
    }
}
