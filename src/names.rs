//! Validated names and generations of Cloud Storage.
//!
//! Rules: <https://cloud.google.com/storage/docs/buckets#naming> and
//! <https://cloud.google.com/storage/docs/objects#naming>.

use std::fmt;
use std::num::NonZeroI64;

/// The longest object name that Cloud Storage takes, in bytes of UTF-8.
pub(crate) const MAX_OBJECT_NAME_BYTES: usize = 1024;

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

/// The number of one version of an object.
///
/// Unique per object name, without a promised order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(NonZeroI64);

impl Generation {
    /// Checks a number that a server sent.
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

/// The prefix of thumbnails' names in the target bucket.
///
/// Never empty: in a shared bucket an empty prefix would write a thumbnail over its own source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix(String);

impl Prefix {
    /// Checks a text.
    ///
    /// # Errors
    /// [`InvalidName::Prefix`] where it is empty, overlong or has a line break.
    pub(crate) fn parse(text: impl Into<String>) -> Result<Self, InvalidName> {
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
    pub(crate) fn as_str(&self) -> &str {
        &self.0
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
mod tests;
