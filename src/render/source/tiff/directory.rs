//! The first directory of a TIFF file (TIFF 6.0, section 2), without what its offsets lead to.

use crate::render::Refusal;

/// The fields of the directory, for those that the decoder doesn't give.
pub(super) struct Directory<'a> {
    source: &'a [u8],
    little_endian: bool,
    /// The position of the first field in the file.
    start: usize,
    count: usize,
}

/// A field's values, as they are stored.
pub(super) struct Field<'a> {
    /// The position of the values in the file.
    pub(super) position: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> Directory<'a> {
    pub(super) fn read(source: &'a [u8]) -> Result<Self, Refusal> {
        let little_endian = source.starts_with(b"II");
        let mut directory = Self {
            source,
            little_endian,
            start: 0,
            count: 0,
        };
        let offset = directory.long(4).ok_or(Refusal::Truncated)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let count = directory.short(offset).ok_or(Refusal::Truncated)?;
        directory.start = offset.saturating_add(2);
        directory.count = usize::from(count);
        Ok(directory)
    }

    /// How many fields there are.
    pub(super) fn fields(&self) -> u64 {
        self.count as u64
    }

    /// The values of a field, if there is one.
    pub(super) fn find(&self, tag: u16) -> Result<Option<Field<'a>>, Refusal> {
        let Some(entry) = self.entry(tag) else {
            return Ok(None);
        };
        let length = self.length(entry)?;
        let position = if length <= 4 {
            entry + 8
        } else {
            let offset = self.long(entry + 8).ok_or(Refusal::Truncated)?;
            usize::try_from(offset).unwrap_or(usize::MAX)
        };
        let values = self.source.get(position..);
        let bytes = values.and_then(|values| values.get(..length));
        Ok(Some(Field {
            position,
            bytes: bytes.ok_or(Refusal::Truncated)?,
        }))
    }

    /// How many bytes the values of a field take; more than `most` are refused.
    pub(super) fn checked_length(&self, tag: u16, most: usize) -> Result<usize, Refusal> {
        let length = self.entry(tag).map(|entry| self.length(entry));
        let length = length.transpose()?.unwrap_or(0);
        if length > most {
            return Err(Refusal::TooComplex("a TIFF's fields"));
        }
        Ok(length)
    }

    /// A field of one 16-bit number.
    pub(super) fn find_short(&self, tag: u16) -> Result<Option<u16>, Refusal> {
        let field = self.find(tag)?;
        Ok(field.and_then(|field| self.shorts(&field).next()))
    }

    /// The position of a field; of several, the last one's, as in the decoder.
    fn entry(&self, tag: u16) -> Option<usize> {
        let mut entries = (0..self.count).map(|index| self.start + index * 12);
        entries.rfind(|entry| self.short(*entry) == Some(tag))
    }

    /// How many bytes a field's values take.
    fn length(&self, entry: usize) -> Result<usize, Refusal> {
        let size: u64 = match self.short(entry + 2).ok_or(Refusal::Truncated)? {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => return Err(Refusal::Corrupt("a TIFF's field".to_owned())),
        };
        let count = u64::from(self.long(entry + 4).ok_or(Refusal::Truncated)?);
        Ok(usize::try_from(size * count).unwrap_or(usize::MAX))
    }

    /// The 16-bit numbers of a field.
    pub(super) fn shorts(&self, field: &Field<'a>) -> impl Iterator<Item = u16> + use<'a> {
        let little_endian = self.little_endian;
        let numbers = field.bytes.as_chunks::<2>().0.iter();
        numbers.map(move |bytes| {
            if little_endian {
                u16::from_le_bytes(*bytes)
            } else {
                u16::from_be_bytes(*bytes)
            }
        })
    }

    fn short(&self, position: usize) -> Option<u16> {
        let bytes = *self.source.get(position..)?.first_chunk()?;
        Some(if self.little_endian {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn long(&self, position: usize) -> Option<u32> {
        let bytes = *self.source.get(position..)?.first_chunk()?;
        Some(if self.little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }
}
