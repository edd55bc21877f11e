//! Parses push requests of any format into one [`Event`].
//!
//! Six formats arrive at `POST /`:
//!
//! | format | where the fields are |
//! | --- | --- |
//! | Pub/Sub push envelope | `message.attributes`, then the object resource in `message.data` |
//! | the same as a `CloudEvent` `google.cloud.pubsub.topic.v1.messagePublished` | the envelope is the body (binary mode) or its `data` (structured mode) |
//! | `CloudEvent` `google.cloud.storage.object.v1.*`, binary mode | type in `ce-type`, the object resource is the body |
//! | the same in structured mode (`application/cloudevents+json`) | type in `type`, the object resource in `data` |
//! | unwrapped push | attributes as plain headers, the object resource is the body, which may be empty |
//! | call of a first-generation background function | type in `context.eventType`, the object resource in `data` |
//!
//! Sources: <https://cloud.google.com/storage/docs/pubsub-notifications>, <https://cloud.google.com/pubsub/docs/push>,
//! <https://cloud.google.com/pubsub/docs/payload-unwrapping>,
//! <https://cloud.google.com/functions/1stgendocs/calling/storage> and `CloudEvents` 1.0.2 (HTTP protocol binding, JSON
//! event format).

mod wire;

use crate::names::{BucketName, Generation, InvalidName, ObjectName};
use crate::object::{Details, Object};

/// A change to one object, as its notification reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind of change.
    pub kind: EventKind,
    /// The object's bucket.
    pub bucket: BucketName,
    /// The object's name.
    pub name: ObjectName,
    /// The version that changed; `None` means the live one.
    pub generation: Option<Generation>,
    /// The object's size in bytes, if the notification has it.
    pub size: Option<u64>,
    /// The object's headers and metadata, if the notification carries its whole resource.
    pub details: Option<Details>,
    /// Pub/Sub's id of the message, for the log.
    pub message_id: Option<String>,
    /// How often Pub/Sub has tried to deliver the message, for the log; only with a dead-letter policy.
    pub delivery_attempt: Option<u64>,
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A version was written.
    Finalized,
    /// A version was deleted, or replaced where `overwritten` says so.
    Deleted {
        /// Whether a new version took the object's place.
        overwritten: bool,
    },
    /// A live version of a versioned bucket became noncurrent.
    Archived {
        /// Whether a new version took the object's place.
        overwritten: bool,
    },
    /// Any other kind.
    Other,
}

/// Why a request could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is not the JSON that its format requires.
    #[error("the body is no JSON of a notification: {0}")]
    Json(String),
    /// The body is an array, perhaps a batch of `CloudEvents`.
    #[error(
        "the body is an array, as of a batch; send each event by itself, as application/cloudevents+json or in binary mode"
    )]
    Batch,
    /// The body is an entry of Cloud Audit Logs, which has no generation and doesn't say whether the write succeeded.
    #[error(
        "the body is a Cloud Audit Logs entry; have events of the type google.cloud.storage.object.v1.finalized sent instead"
    )]
    AuditLog,
    /// The message's data is not base64.
    #[error("the message's data is not base64")]
    Base64,
    /// Neither attributes nor payload name a bucket.
    #[error("the notification names no bucket")]
    NoBucket,
    /// Neither attributes nor payload name an object.
    #[error("the notification names no object")]
    NoName,
    /// A name breaks Cloud Storage's rules.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl Event {
    /// The object that the event is about.
    #[must_use]
    pub fn object(&self) -> Object {
        Object {
            bucket: self.bucket.clone(),
            name: self.name.clone(),
            generation: self.generation,
            size: self.size,
            details: self.details.clone(),
        }
    }

    /// Parses one request.
    ///
    /// `header` looks a header's raw bytes up by its lower-case name. Lenient where the standards are: unknown fields
    /// are ignored, numbers may be strings, base64 may be url-safe and unpadded. Where attributes and payload
    /// disagree, attributes win. A missing event type means [`EventKind::Finalized`].
    ///
    /// # Errors
    /// A [`Malformed`], which says in one line what is missing or broken.
    pub fn parse<'h>(
        header: impl Fn(&str) -> Option<&'h [u8]>,
        body: &[u8],
    ) -> Result<Self, Malformed> {
        wire::read(header, body)?.into_event()
    }
}

#[cfg(test)]
mod tests;
