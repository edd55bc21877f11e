//! The names of Cloud Storage, parsed once at the border.
//!
//! Rules: <https://cloud.google.com/storage/docs/buckets#naming> and
//! <https://cloud.google.com/storage/docs/objects#naming>.

use std::fmt;
use std::num::NonZeroI64;

/// The longest object name that Cloud Storage takes, in bytes of UTF-8.
pub const MAX_OBJECT_NAME_BYTES: usize = 1024;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The text is no bucket's name.
    #[error(
        "a bucket name has 1 to 222 letters, digits, dots, dashes and underscores, starts and ends with a letter or digit and has no two dots in a row"
    )]
    Bucket,
    /// The text is no object's name.
    #[error(
        "an object name has 1 to 1024 bytes, no carriage return or line feed, and is neither . nor .."
    )]
    Object,
    /// The text is no thumbnail prefix.
    #[error("a thumbnail prefix has 1 to 1000 bytes and no carriage return or line feed")]
    Prefix,
    /// The text is no topic.
    #[error("a topic is named projects/PROJECT/topics/TOPIC")]
    Topic,
    /// The text is no generation.
    #[error("a generation is a whole number above 0")]
    Generation,
}

/// A bucket's name.
///
/// It goes into request paths unescaped, so nothing that could leave the path segment passes. Capitals pass, as old
/// buckets have them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName(String);

impl BucketName {
    /// Checks a text against the naming rules.
    ///
    /// # Errors
    /// [`InvalidName::Bucket`] where it breaks one.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let sound = text.len() <= 222
            && text.chars().all(legal)
            && ends_well(text.chars().next())
            && ends_well(text.chars().next_back())
            && !text.contains("..");
        if sound {
            Ok(Self(text))
        } else {
            Err(InvalidName::Bucket)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An object's name: opaque text that may look like a path, a query or worse.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName(String);

impl ObjectName {
    /// Checks a text against the naming rules.
    ///
    /// # Errors
    /// [`InvalidName::Object`] where it breaks one.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let sound = !text.is_empty()
            && text.len() <= MAX_OBJECT_NAME_BYTES
            && !text.contains(['\r', '\n'])
            && !matches!(text.as_str(), "." | "..");
        if sound {
            Ok(Self(text))
        } else {
            Err(InvalidName::Object)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last dot of the last path segment, if there is a dot.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        let segment = self.0.rsplit('/').next().unwrap_or_default();
        segment.rsplit_once('.').map(|(_, extension)| extension)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number that Cloud Storage gives to one version of an object.
///
/// Unique per object name, without a promised order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(NonZeroI64);

impl Generation {
    /// Takes the number that a server gave.
    ///
    /// # Errors
    /// [`InvalidName::Generation`] unless it is greater than zero.
    pub fn new(number: i64) -> Result<Self, InvalidName> {
        NonZeroI64::new(number)
            .filter(|number| number.get() > 0)
            .map(Self)
            .ok_or(InvalidName::Generation)
    }

    /// The number itself, always greater than zero.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0.get()
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What thumbnails' names begin with in the target bucket.
///
/// Never empty: in a shared bucket an empty prefix would write a thumbnail over its own source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Checks a text.
    ///
    /// # Errors
    /// [`InvalidName::Prefix`] where it is empty, overlong or has a line break.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let sound = !text.is_empty() && text.len() <= 1000 && !text.contains(['\r', '\n']);
        if sound {
            Ok(Self(text))
        } else {
            Err(InvalidName::Prefix)
        }
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an object's name lies under this prefix.
    #[must_use]
    pub fn covers(&self, name: &ObjectName) -> bool {
        name.as_str().starts_with(&self.0)
    }

    /// The name of a source's thumbnail, `None` where it would pass [`MAX_OBJECT_NAME_BYTES`].
    #[must_use]
    pub fn thumbnail_of(&self, source: &ObjectName) -> Option<ObjectName> {
        ObjectName::parse(format!("{}{}", self.0, source.as_str())).ok()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The full name of a Pub/Sub topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicName(String);

impl TopicName {
    /// Checks a text for the form `projects/PROJECT/topics/TOPIC`.
    ///
    /// Rules: <https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names>.
    ///
    /// # Errors
    /// [`InvalidName::Topic`] where it has another.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let parts: Vec<_> = text.split('/').collect();
        // A project may belong to a domain, as in example.com:project.
        let legal = |part: &str| {
            let is_legal = |c: char| c.is_ascii_alphanumeric() || "-_.~+%:".contains(c);
            !part.is_empty() && part.chars().all(is_legal)
        };
        match parts[..] {
            ["projects", project, "topics", topic] if legal(project) && legal(topic) => {
                Ok(Self(text))
            }
            _ => Err(InvalidName::Topic),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_named_in_full() {
        for sound in [
            "projects/p/topics/new-pictures",
            "projects/example.com:p/topics/t.1",
        ] {
            assert!(TopicName::parse(sound).is_ok(), "{sound}");
        }
        for broken in [
            "",
            "new-pictures",
            "projects/p/topics/",
            "projects//topics/t",
            "projects/p/subscriptions/s",
            "projects/p/topics/t/x",
            "projects/p/topics/a b",
        ] {
            assert_eq!(
                TopicName::parse(broken),
                Err(InvalidName::Topic),
                "{broken}"
            );
        }
    }

    #[test]
    fn bucket_names_cannot_leave_their_path_segment() {
        for sound in ["b", "my-bucket", "a.b_c", "Old_Bucket", "1"] {
            assert!(BucketName::parse(sound).is_ok(), "{sound}");
        }
        for hostile in [
            "", ".", "..", "x/../y", "x/y", "a..b", "-a", "a-", "a b", "é", "a?b", "a#b", "a%2fb",
            "a\nb",
        ] {
            assert_eq!(
                BucketName::parse(hostile),
                Err(InvalidName::Bucket),
                "{hostile}"
            );
        }
        assert!(BucketName::parse("a".repeat(223)).is_err());
    }

    #[test]
    fn object_names_are_opaque() {
        for sound in [
            "n.jpg",
            "a/../b.jpg",
            "a b#c?d%2F.png",
            "Été/☃.jpg",
            "/",
            "...",
        ] {
            assert!(ObjectName::parse(sound).is_ok(), "{sound}");
        }
        for broken in ["", ".", "..", "a\nb", "a\rb"] {
            assert_eq!(
                ObjectName::parse(broken),
                Err(InvalidName::Object),
                "{broken:?}"
            );
        }
        assert!(ObjectName::parse("é".repeat(512)).is_ok());
        assert!(ObjectName::parse("é".repeat(513)).is_err());
    }

    #[test]
    fn an_extension_is_what_follows_the_last_dot_of_the_last_segment() {
        let extension = |name: &str| {
            ObjectName::parse(name)
                .unwrap()
                .extension()
                .map(str::to_owned)
        };
        assert_eq!(extension("a/b.tar.JPG").as_deref(), Some("JPG"));
        assert_eq!(extension("a.jpg/b"), None);
        assert_eq!(extension(".jpg").as_deref(), Some("jpg"));
        assert_eq!(extension("photo."), Some(String::new()));
    }

    #[test]
    fn a_prefix_is_never_empty_and_a_thumbnail_name_never_overlong() {
        assert_eq!(Prefix::parse(""), Err(InvalidName::Prefix));
        let prefix = Prefix::parse("thumbnails/").unwrap();
        let fits = ObjectName::parse("n".repeat(1024 - 11)).unwrap();
        assert_eq!(prefix.thumbnail_of(&fits).unwrap().as_str().len(), 1024);
        let overlong = ObjectName::parse("n".repeat(1024 - 10)).unwrap();
        assert_eq!(prefix.thumbnail_of(&overlong), None);
    }

    #[test]
    fn generations_are_greater_than_zero() {
        assert_eq!(Generation::new(7).unwrap().get(), 7);
        assert!(Generation::new(0).is_err());
        assert!(Generation::new(-1).is_err());
    }
}
