//! What a thumbnail is as a stored object: its bytes, headers and custom metadata, from one type.

use std::collections::HashMap;

use bytes::Bytes;

use crate::names::{BucketName, Generation};

/// The custom metadata key that says an object is a thumbnail of ours.
pub const MARKER: &str = "gcs-thumbnailer";
const SOURCE_BUCKET: &str = "source-bucket";
const SOURCE_GENERATION: &str = "source-generation";

/// The version of the source that a thumbnail shows; the source's name follows from the thumbnail's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The source's bucket.
    pub bucket: BucketName,
    /// The source's generation.
    pub generation: Generation,
}

impl Origin {
    /// The custom metadata that records this origin beside [`MARKER`].
    #[must_use]
    pub fn metadata(&self) -> [(&'static str, String); 3] {
        [
            (MARKER, "1".to_owned()),
            (SOURCE_BUCKET, self.bucket.to_string()),
            (SOURCE_GENERATION, self.generation.to_string()),
        ]
    }

    /// Reads an origin back; `None` where the marker or a part of the origin is missing or broken.
    #[must_use]
    pub fn from_metadata(metadata: &HashMap<String, String>) -> Option<Self> {
        metadata.get(MARKER)?;
        Some(Self {
            bucket: BucketName::parse(metadata.get(SOURCE_BUCKET)?.as_str()).ok()?,
            generation: Generation::new(metadata.get(SOURCE_GENERATION)?.parse().ok()?).ok()?,
        })
    }
}

/// A thumbnail on its way into the target bucket.
#[derive(Debug, Clone)]
pub struct Thumbnail {
    /// The PNG file.
    pub png: Bytes,
    /// What it shows.
    pub origin: Origin,
    /// The Cache-Control header that readers get, if one is configured.
    pub cache_control: Option<String>,
}

impl Thumbnail {
    /// The content type, whatever the name's extension says.
    pub const CONTENT_TYPE: &'static str = "image/png";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            bucket: BucketName::parse("b").unwrap(),
            generation: Generation::new(7).unwrap(),
        }
    }

    #[test]
    fn an_origin_survives_its_metadata() {
        let metadata = origin()
            .metadata()
            .map(|(key, value)| (key.to_owned(), value))
            .into();
        assert_eq!(Origin::from_metadata(&metadata), Some(origin()));
    }

    #[test]
    fn metadata_without_the_marker_or_with_a_broken_part_is_no_origin() {
        for (key, value) in [
            (MARKER, None),
            (SOURCE_BUCKET, Some("x/y")),
            (SOURCE_GENERATION, Some("seven")),
        ] {
            let mut metadata: HashMap<_, _> = origin()
                .metadata()
                .map(|(key, value)| (key.to_owned(), value))
                .into();
            match value {
                Some(value) => metadata.insert(key.to_owned(), value.to_owned()),
                None => metadata.remove(key),
            };
            assert_eq!(Origin::from_metadata(&metadata), None, "{key}");
        }
    }
}
