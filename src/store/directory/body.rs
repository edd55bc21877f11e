//! Reads the bytes of one version of an object.

use std::fs::{self, File};
use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{StoreError, blocking};
use crate::names::Generation;

/// An opened file, and its generation at that time.
pub(in crate::store) struct Body {
    pub(super) file: File,
    pub(super) generation: Generation,
}

impl Body {
    pub(in crate::store) async fn read(self, limit: u64) -> Result<Vec<u8>, StoreError> {
        blocking(move || {
            let mut bytes = Vec::new();
            (&self.file)
                .take(limit.saturating_add(1))
                .read_to_end(&mut bytes)?;
            if bytes.len() as u64 > limit {
                return Err(StoreError::TooLarge { limit });
            }
            // A file that is being written in place is not a version yet.
            if generation_of(&self.file.metadata()?)? != self.generation {
                return Err(StoreError::Unavailable(
                    "the file changed while it was read".into(),
                ));
            }
            Ok(bytes)
        })
        .await
    }
}

/// A file's generation: the time of its last change.
pub(super) fn generation_of(status: &fs::Metadata) -> Result<Generation, StoreError> {
    Generation::new(micros(status.modified()?)?.max(1))
        .map_err(|error| StoreError::Unknown(error.into()))
}

pub(super) fn micros(time: SystemTime) -> Result<i64, StoreError> {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).map_err(|error| StoreError::Unknown(error.into()))
}
