//! An object as an event or a listing tells of it.

use crate::names::{BucketName, Generation, ObjectName};
use crate::stored::{self, Metadata};

/// An object, and as much of it as is known without asking the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its bucket.
    pub bucket: BucketName,
    /// Its name.
    pub name: ObjectName,
    /// The version that is meant; the live one where none is named.
    pub generation: Option<Generation>,
    /// That version's size in bytes, where it is told.
    pub size: Option<u64>,
    /// What else there is to know; `None` where only the store can tell.
    pub details: Option<Details>,
}

/// What an object is beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Its media type, where it has one.
    pub content_type: Option<String>,
    /// The language that it is in.
    pub content_language: Option<String>,
    /// How long readers may keep it.
    pub cache_control: Option<String>,
    /// Its custom metadata.
    pub metadata: Metadata,
}

impl Details {
    /// Whether the object carries [our marker](stored::MARKER).
    #[must_use]
    pub fn is_marked(&self) -> bool {
        stored::is_marked(&self.metadata)
    }
}
