//! An object as an event or a listing describes it.

use crate::names::{BucketName, Generation, ObjectName};
use crate::stored::{self, Metadata};

/// An object, with what is known of it without asking the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The bucket that holds it.
    pub bucket: BucketName,
    /// The object's name.
    pub name: ObjectName,
    /// The version; `None` means the live one.
    pub generation: Option<Generation>,
    /// The version's size in bytes, if known.
    pub size: Option<u64>,
    /// Headers and custom metadata; `None` if only the store knows them.
    pub details: Option<Details>,
}

/// An object's headers and custom metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The Content-Type header.
    pub content_type: Option<String>,
    /// The Content-Language header.
    pub content_language: Option<String>,
    /// The Cache-Control header.
    pub cache_control: Option<String>,
    /// The custom metadata.
    pub metadata: Metadata,
}

impl Details {
    /// Whether the object carries [our marker](stored::MARKER).
    #[must_use]
    pub fn is_marked(&self) -> bool {
        stored::is_marked(&self.metadata)
    }
}
