//! An output as a stored object: its bytes, headers and custom metadata, from one type.

mod inherited;

use std::collections::HashMap;

use bytes::Bytes;

use crate::names::{BucketName, Generation, ObjectName};
use crate::render::Target;

pub(crate) use inherited::RESIZED_IMAGE;

/// The custom metadata key that says an object is an output of ours.
pub const MARKER: &str = "gcs-thumbnailer";
const SOURCE_BUCKET: &str = "source-bucket";
const SOURCE_NAME: &str = "source-name";
const SOURCE_GENERATION: &str = "source-generation";
const RENDITION: &str = "rendition";
const WIDTH: &str = "width";
const HEIGHT: &str = "height";
const SOURCE_WIDTH: &str = "source-width";
const SOURCE_HEIGHT: &str = "source-height";
const THUMBHASH: &str = "thumbhash";

/// An object's custom metadata.
pub(crate) type Metadata = HashMap<String, String>;

/// Whether metadata has the key [`MARKER`], in any case: some senders change it.
#[must_use]
pub fn is_marked(metadata: &Metadata) -> bool {
    metadata.keys().any(|key| key.eq_ignore_ascii_case(MARKER))
}

/// Which version of which source an output shows, and how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The source's bucket.
    pub bucket: BucketName,
    /// The source's name.
    pub name: ObjectName,
    /// The source's generation.
    pub generation: Generation,
    /// How the source was rendered.
    pub recipe: Target,
}

impl Origin {
    /// The custom metadata that records this origin beside [`MARKER`].
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let entries = [
            (MARKER, "1".to_owned()),
            (SOURCE_BUCKET, self.bucket.to_string()),
            (SOURCE_NAME, self.name.to_string()),
            (SOURCE_GENERATION, self.generation.to_string()),
            (RENDITION, self.recipe.to_string()),
        ];
        entries.map(|(key, value)| (key.to_owned(), value)).into()
    }
}

/// An [`Origin`] as read from an object's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The source's bucket.
    pub bucket: BucketName,
    /// The source's name; versions before 0.2 didn't record it.
    pub name: Option<ObjectName>,
    /// The source's generation.
    pub generation: Generation,
    /// The recipe as text, since it may be one that is unknown here.
    pub recipe: String,
}

impl Record {
    /// Reads a record; `None` where the marker or a part that was always written is missing or broken.
    #[must_use]
    pub fn from_metadata(metadata: &Metadata) -> Option<Self> {
        metadata.get(MARKER)?;
        let name = metadata.get(SOURCE_NAME);
        let name = name.map(|name| ObjectName::parse(name.as_str()));
        Some(Self {
            bucket: BucketName::parse(metadata.get(SOURCE_BUCKET)?.as_str()).ok()?,
            name: name.transpose().ok()?,
            generation: Generation::new(metadata.get(SOURCE_GENERATION)?.parse().ok()?).ok()?,
            recipe: match metadata.get(RENDITION) {
                Some(recipe) => recipe.clone(),
                None => Target::default().to_string(),
            },
        })
    }

    /// Whether the object at `place` is an output of this source; without a recorded name, `place` must end in the
    /// source's.
    #[must_use]
    pub(crate) fn is_of(&self, place: &ObjectName, bucket: &BucketName, name: &ObjectName) -> bool {
        let names_it = match &self.name {
            Some(recorded) => recorded == name,
            None => place.as_str().ends_with(name.as_str()),
        };
        self.bucket == *bucket && names_it
    }

    /// Whether the object at `place` is the output that would be made now.
    #[must_use]
    pub(crate) fn is_current(&self, place: &ObjectName, origin: &Origin) -> bool {
        self.is_of(place, &origin.bucket, &origin.name)
            && self.generation == origin.generation
            && self.recipe == origin.recipe.to_string()
    }
}

/// An output to be stored.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The encoded file.
    pub bytes: Bytes,
    /// Its media type, whatever the name's extension says.
    pub content_type: &'static str,
    /// The source that it shows, and how.
    pub origin: Origin,
    /// Its width and height.
    pub pixels: (u32, u32),
    /// The source's width and height as shown, that is after orientation.
    pub source_pixels: (u32, u32),
    /// The source's `ThumbHash` in base64: what to show until the output is loaded.
    pub thumbhash: String,
    /// The Cache-Control header that readers get, if there is a rule.
    pub cache_control: Option<String>,
    /// The Content-Language header that readers get.
    pub content_language: Option<String>,
    /// Custom metadata from the source; none unless it [inherits](Upload::inherit).
    pub inherited: Metadata,
}

impl Upload {
    /// The custom metadata, so that a notification alone describes the output to an app.
    ///
    /// Users rely on the keys, so they are only added to.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let mut metadata = self.inherited.clone();
        metadata.extend(self.origin.metadata());
        let entries = [
            (WIDTH, self.pixels.0.to_string()),
            (HEIGHT, self.pixels.1.to_string()),
            (SOURCE_WIDTH, self.source_pixels.0.to_string()),
            (SOURCE_HEIGHT, self.source_pixels.1.to_string()),
            (THUMBHASH, self.thumbhash.clone()),
        ];
        metadata.extend(entries.map(|(key, value)| (key.to_owned(), value)));
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ObjectName {
        ObjectName::parse(text).unwrap()
    }

    /// An output of a source of this name, whose other values are as long as they can be.
    pub(super) fn upload(source: &str) -> Upload {
        Upload {
            bytes: Bytes::new(),
            content_type: "image/webp",
            origin: Origin {
                bucket: BucketName::parse("b".repeat(222)).unwrap(),
                name: name(source),
                generation: Generation::new(i64::MAX).unwrap(),
                recipe: "size=8192x8192&fit=cover&format=source&quality=100"
                    .parse()
                    .unwrap(),
            },
            pixels: (8192, 8192),
            source_pixels: (u32::MAX, u32::MAX),
            thumbhash: "=".repeat(36),
            cache_control: None,
            content_language: None,
            inherited: Metadata::new(),
        }
    }

    fn origin() -> Origin {
        Origin {
            bucket: BucketName::parse("b").unwrap(),
            name: name("ä/1.jpg"),
            generation: Generation::new(7).unwrap(),
            recipe: "size=9x9&format=webp".parse().unwrap(),
        }
    }

    fn without(keys: &[&str]) -> Metadata {
        let mut metadata = origin().metadata();
        metadata.retain(|key, _| !keys.contains(&key.as_str()));
        metadata
    }

    #[test]
    fn what_was_written_is_current_until_any_part_changes() {
        let record = Record::from_metadata(&origin().metadata()).unwrap();
        let place = name("anywhere");
        assert!(record.is_current(&place, &origin()));
        for other in [
            Origin {
                bucket: BucketName::parse("c").unwrap(),
                ..origin()
            },
            Origin {
                name: name("1.jpg"),
                ..origin()
            },
            Origin {
                generation: Generation::new(8).unwrap(),
                ..origin()
            },
            Origin {
                recipe: Target::default(),
                ..origin()
            },
        ] {
            assert!(!record.is_current(&place, &other), "{other:?}");
        }
    }

    #[test]
    fn what_was_written_before_is_the_default_rendition_of_what_its_name_tells() {
        let record = Record::from_metadata(&without(&[SOURCE_NAME, RENDITION])).unwrap();
        let origin = Origin {
            recipe: Target::default(),
            ..origin()
        };
        assert!(record.is_current(&name("thumbnails/ä/1.jpg"), &origin));
        assert!(!record.is_current(&name("thumbnails/ä/2.jpg"), &origin));
    }

    #[test]
    fn metadata_without_the_marker_or_with_a_broken_part_is_no_record() {
        for key in [MARKER, SOURCE_BUCKET, SOURCE_GENERATION] {
            assert_eq!(Record::from_metadata(&without(&[key])), None, "{key}");
        }
        for (key, value) in [
            (SOURCE_BUCKET, "x/y"),
            (SOURCE_GENERATION, "seven"),
            (SOURCE_NAME, ""),
        ] {
            let mut metadata = origin().metadata();
            metadata.insert(key.to_owned(), value.to_owned());
            assert_eq!(Record::from_metadata(&metadata), None, "{key}");
        }
    }

    #[test]
    fn the_marker_is_known_in_any_case() {
        let marked = |key: &str| is_marked(&[(key.to_owned(), String::new())].into());
        assert!(marked("gcs-thumbnailer") && marked("Gcs-Thumbnailer"));
        assert!(!marked("gcs-thumbnail"));
    }

    #[test]
    fn metadata_stays_within_8_kib_for_the_longest_names() {
        for letter in ["n", "ß", "写", "😀"] {
            let upload = upload(&letter.repeat(1024 / letter.len()));
            let metadata = upload.metadata();
            let lengths = metadata.iter().map(|(key, value)| key.len() + value.len());
            let bytes: usize = lengths.sum();
            assert!(metadata.len() == 10 && bytes < 8 << 10, "{bytes}");
        }
    }
}
