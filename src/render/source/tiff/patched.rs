//! A file in which one byte may be replaced.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use tiff::decoder::{Decoder, Limits as DecoderLimits};

use super::refusal;
use crate::render::{Limits, Refusal};

/// Reads the file, and `patch`'s byte at its position.
#[derive(Clone)]
pub(super) struct Patched<'a> {
    pub(super) cursor: Cursor<&'a [u8]>,
    pub(super) patch: Option<(u64, u8)>,
}

impl Patched<'_> {
    pub(super) fn decoder(&self, limits: Limits) -> Result<Decoder<Self>, Refusal> {
        let mut bounds = DecoderLimits::default();
        // The pixel limit bounds what is decoded, and the estimate its memory.
        bounds.decoding_buffer_size =
            usize::try_from(limits.max_pixels.saturating_mul(16)).unwrap_or(usize::MAX);
        bounds.intermediate_buffer_size = usize::MAX;
        let decoder = Decoder::new(self.clone()).map_err(|error| refusal(&error))?;
        Ok(decoder.with_limits(bounds))
    }
}

impl Read for Patched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.cursor.position();
        let read = self.cursor.read(buffer)?;
        if let Some((position, byte)) = self.patch {
            let offset = position.checked_sub(start);
            let offset = offset.and_then(|offset| usize::try_from(offset).ok());
            let read = buffer.get_mut(..read).unwrap_or_default();
            if let Some(slot) = offset.and_then(|offset| read.get_mut(offset)) {
                *slot = byte;
            }
        }
        Ok(read)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.cursor.seek(position)
    }
}
