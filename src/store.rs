//! The object store: Cloud Storage, or a local folder that behaves like it.
//!
//! A closed set of two; one conformance suite (`tests/service/conformance.rs`) runs against both. Every call ends by
//! itself within [`CALL_TIMEOUT`]; a body is given up when it falls silent, or when the event's time is up.

mod directory;
mod gcs;
mod listing;

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

pub use directory::Directory;
pub use gcs::{Gcs, GcsOptions};
pub use listing::{Listed, Listing, Page, Span};

use crate::names::{BucketName, Generation, ObjectName};
use crate::object::Details;
use crate::stored::{Record, Upload};

/// The longest that one call may take, in-process retries included; [`Source::read`] has the event's deadline.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Where objects live.
pub enum Store {
    /// Google Cloud Storage, or an emulator of it.
    Gcs(Gcs),
    /// A local folder.
    Directory(Directory),
}

/// What a store says about one version of an object beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The version's number.
    pub generation: Generation,
    /// The stored bytes, where the store tells.
    pub size: Option<u64>,
    /// What the store tells beside its bytes.
    pub details: Details,
}

impl Version {
    /// Whether the object carries [our marker](crate::stored::MARKER).
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.details.is_marked()
    }

    /// What the object shows, if it is an output of ours.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        Record::from_metadata(&self.details.metadata)
    }
}

/// An object opened for reading: its headers are here, its body is not.
///
/// They don't tell its custom metadata: Cloud Storage promises that in answers to [`Store::look`] only.
pub struct Source {
    /// The number of the version that is being read.
    pub generation: Generation,
    /// The stored bytes, where the store tells.
    pub size: Option<u64>,
    /// Whether the stored bytes are gzip by Content-Encoding.
    pub gzipped: bool,
    body: Body,
}

enum Body {
    Gcs(gcs::Body),
    Directory(directory::Body),
}

/// The state that a write demands of the object it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// There is no live version.
    Absent,
    /// The live version is this one.
    Is(Generation),
}

/// Why a store did not do as it was told, by what that means to us.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object, version or bucket is not there.
    #[error("not found")]
    NotFound,
    /// The object is not in the state that the call demanded.
    #[error("the object is not as the call demands")]
    PreconditionFailed(#[source] Cause),
    /// The object is under a key that only its uploader has, and that nothing here sends.
    #[error("the object is under a customer-supplied encryption key")]
    CustomerKey(#[source] Cause),
    /// A setting of the bucket, its project or its organization stands against the call.
    #[error("{} stands against it", .0.name())]
    Setting(Setting, #[source] Cause),
    /// The credentials are missing, wrong or lack a role.
    #[error("permission denied")]
    Denied(#[source] Cause),
    /// The store can't do it now, but may later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// The store did not answer in time.
    #[error("the store did not answer in time")]
    Timeout,
    /// The bytes that came are not the bytes that were stored.
    #[error("the checksum does not match")]
    Checksum(#[source] Cause),
    /// The body is longer than the caller takes.
    #[error("the object is larger than {limit} bytes")]
    TooLarge {
        /// The most that the caller takes, in bytes.
        limit: u64,
    },
    /// This store has no way to hold an object of that name.
    #[error("a folder can't hold an object of that name: {0}")]
    Unstorable(&'static str),
    /// Anything that no other variant describes.
    #[error("the store failed in a way that is not known")]
    Unknown(#[source] Cause),
}

/// What a bucket, its project or its organization can be set to that stands against a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The requester pays, and no project was named to pay.
    RequesterPays,
    /// The Cloud KMS key of the object or the bucket can't be used.
    EncryptionKey,
    /// The project's account is disabled or in arrears.
    Billing,
    /// The object in the place is under retention or a hold.
    Retention,
    /// A constraint of the organization.
    OrgPolicy,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::RequesterPays => "that the requester pays",
            Self::EncryptionKey => "a Cloud KMS key that can't be used",
            Self::Billing => "the project's billing",
            Self::Retention => "a retention policy or a hold",
            Self::OrgPolicy => "an organization policy",
        }
    }

    /// Whether it stands against every other call as well.
    #[must_use]
    pub fn is_general(self) -> bool {
        match self {
            Self::RequesterPays | Self::Billing => true,
            Self::EncryptionKey | Self::Retention | Self::OrgPolicy => false,
        }
    }
}

/// An error from outside.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Store {
    /// Opens one version of an object, or the live one, for reading.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the version is gone, also when another took its place.
    pub fn open<'c>(
        &'c self,
        bucket: &'c BucketName,
        name: &'c ObjectName,
        generation: Option<Generation>,
    ) -> BoxFuture<'c, Result<Source, StoreError>> {
        match self {
            Self::Gcs(gcs) => in_time(gcs.open(bucket, name, generation)),
            Self::Directory(directory) => in_time(directory.open(bucket, name, generation)),
        }
    }

    /// Looks at an object's live version without its bytes; `None` where there is none.
    ///
    /// # Errors
    /// Any but [`StoreError::NotFound`].
    pub fn look<'c>(
        &'c self,
        bucket: &'c BucketName,
        name: &'c ObjectName,
    ) -> BoxFuture<'c, Result<Option<Version>, StoreError>> {
        match self {
            Self::Gcs(gcs) => in_time(gcs.look(bucket, name).map(unless_missing)),
            Self::Directory(directory) => in_time(directory.look(bucket, name).map(unless_missing)),
        }
    }

    /// Stores an output, if the object it replaces is as demanded.
    ///
    /// # Errors
    /// [`StoreError::PreconditionFailed`] where it is not, [`StoreError::NotFound`] where the bucket is missing.
    pub fn write<'c>(
        &'c self,
        bucket: &'c BucketName,
        name: &'c ObjectName,
        upload: &'c Upload,
        precondition: Precondition,
    ) -> BoxFuture<'c, Result<Generation, StoreError>> {
        match self {
            Self::Gcs(gcs) => in_time(gcs.write(bucket, name, upload, precondition)),
            Self::Directory(directory) => {
                in_time(directory.write(bucket, name, upload, precondition))
            }
        }
    }

    /// Deletes an object, if its live version is this one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none, [`StoreError::PreconditionFailed`] where it is another.
    pub fn delete<'c>(
        &'c self,
        bucket: &'c BucketName,
        name: &'c ObjectName,
        generation: Generation,
    ) -> BoxFuture<'c, Result<(), StoreError>> {
        match self {
            Self::Gcs(gcs) => in_time(gcs.delete(bucket, name, generation)),
            Self::Directory(directory) => in_time(directory.delete(bucket, name, generation)),
        }
    }

    /// Gets ready for the first call, so that it needn't wait for credentials and connections.
    ///
    /// A failure is not one: the first call tries again and reports.
    pub fn warm_up(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Gcs(gcs) => Box::pin(gcs.warm_up()),
            Self::Directory(_) => Box::pin(ready(())),
        }
    }
}

impl Source {
    /// Takes the body, at most `limit` bytes of it, and checks it against the store's checksum and size.
    ///
    /// Where the store doesn't tell the size, `announced` is about what the body takes.
    ///
    /// # Errors
    /// A body that is cut, longer than `limit` or not what was stored is an error, never a shorter result.
    #[must_use]
    pub fn read(
        self,
        limit: u64,
        announced: Option<u64>,
    ) -> BoxFuture<'static, Result<Vec<u8>, StoreError>> {
        Box::pin(self.read_checked(limit, announced))
    }

    async fn read_checked(self, limit: u64, announced: Option<u64>) -> Result<Vec<u8>, StoreError> {
        let expected = self.size;
        let cap = expected.map_or(limit, |expected| expected.min(limit));
        let bytes = match self.body {
            Body::Gcs(body) => body.read(cap, expected.or(announced)).await,
            Body::Directory(body) => body.read(cap).await,
        };
        match (bytes, expected) {
            (Err(StoreError::TooLarge { .. }), Some(expected)) if expected <= limit => {
                Err(unlike_declared(expected))
            }
            (Ok(bytes), Some(expected)) if bytes.len() as u64 != expected => {
                Err(unlike_declared(expected))
            }
            (bytes, _) => bytes,
        }
    }
}

fn unlike_declared(bytes: u64) -> StoreError {
    StoreError::Unavailable(format!("the body is not {bytes} bytes long, as was declared").into())
}

/// Bounds a call.
///
/// Boxed, as the client's futures are some 50 KB, and so that they are compiled here and not wherever they are polled.
fn in_time<'c, T>(
    call: impl Future<Output = Result<T, StoreError>> + Send + 'c,
) -> BoxFuture<'c, Result<T, StoreError>> {
    Box::pin(async {
        tokio::time::timeout(CALL_TIMEOUT, call)
            .await
            .unwrap_or(Err(StoreError::Timeout))
    })
}

fn unless_missing(looked: Result<Version, StoreError>) -> Result<Option<Version>, StoreError> {
    match looked {
        Ok(version) => Ok(Some(version)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// RFC 9110 section 8.4.1.3 has x-gzip mean the same.
fn is_gzip(content_encoding: &str) -> bool {
    let coding = content_encoding.trim();
    coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
}
