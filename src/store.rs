//! The object store: Cloud Storage, or a local folder that behaves like it.
//!
//! One conformance suite (`tests/service/conformance.rs`) runs against both. Every call ends within [`CALL_TIMEOUT`];
//! reading a body ends when no bytes come, or at the event's deadline.

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

/// The time limit of one call, in-process retries included; [`Source::read`] has the event's deadline.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// An object store.
pub enum Store {
    /// Google Cloud Storage, or an emulator of it.
    Gcs(Gcs),
    /// A local folder.
    Directory(Directory),
}

/// One version of an object, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The version's generation.
    pub generation: Generation,
    /// The size of the stored bytes, if the store reports it.
    pub size: Option<u64>,
    /// The headers and custom metadata.
    pub details: Details,
}

impl Version {
    /// Whether the object carries [our marker](crate::stored::MARKER).
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.details.is_marked()
    }

    /// The source that the object shows, if it is an output of ours.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        Record::from_metadata(&self.details.metadata)
    }
}

/// An object opened for reading: its headers were received, its body was not.
///
/// The headers lack custom metadata, which Cloud Storage promises in answers to [`Store::look`] only.
pub struct Source {
    /// The generation that is read.
    pub generation: Generation,
    /// The size of the stored bytes, if the store reports it.
    pub size: Option<u64>,
    /// Whether the stored bytes are gzip by Content-Encoding.
    pub gzipped: bool,
    body: Body,
}

enum Body {
    Gcs(gcs::Body),
    Directory(directory::Body),
}

/// The precondition of a write on the object that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// There is no live version.
    Absent,
    /// The live version is this one.
    Is(Generation),
}

/// Why a call of a store failed, by what that means to us.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object, version or bucket does not exist.
    #[error("not found")]
    NotFound,
    /// The object does not meet the call's precondition.
    #[error("the object is not as the call demands")]
    PreconditionFailed(#[source] Cause),
    /// The object is encrypted with a key that only its uploader has.
    #[error("the object is under a customer-supplied encryption key")]
    CustomerKey(#[source] Cause),
    /// A setting of the bucket, its project or its organization forbids the call.
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
    /// The received bytes are not the stored ones.
    #[error("the checksum does not match")]
    Checksum(#[source] Cause),
    /// The body is longer than the caller's limit.
    #[error("the object is larger than {limit} bytes")]
    TooLarge {
        /// The caller's limit, in bytes.
        limit: u64,
    },
    /// This store can't hold an object of that name.
    #[error("a folder can't hold an object of that name: {0}")]
    Unstorable(&'static str),
    /// Anything that no other variant describes.
    #[error("the store failed in a way that is not known")]
    Unknown(#[source] Cause),
}

/// A setting of a bucket, its project or its organization that forbids a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The requester pays, and no project was named to pay.
    RequesterPays,
    /// The Cloud KMS key of the object or the bucket can't be used.
    EncryptionKey,
    /// The project's account is disabled or in arrears.
    Billing,
    /// The existing object is under retention or a hold.
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

    /// Whether it forbids every other call as well.
    #[must_use]
    pub(crate) fn is_general(self) -> bool {
        match self {
            Self::RequesterPays | Self::Billing => true,
            Self::EncryptionKey | Self::Retention | Self::OrgPolicy => false,
        }
    }
}

/// The underlying error of a library, the operating system or a server.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

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

    /// Looks up an object's live version without its bytes; `None` where there is none.
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

    /// Stores an output, if the precondition holds.
    ///
    /// # Errors
    /// [`StoreError::PreconditionFailed`] where it doesn't, [`StoreError::NotFound`] where the bucket is missing.
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

    /// Deletes an object, if its live version has this generation.
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

    /// Prepares credentials and connections for the first call.
    ///
    /// A failure is ignored: the first call tries again and reports.
    pub fn warm_up(&self) -> BoxFuture<'_, ()> {
        match self {
            Self::Gcs(gcs) => Box::pin(gcs.warm_up()),
            Self::Directory(_) => Box::pin(ready(())),
        }
    }
}

impl Source {
    /// Reads the body, at most `limit` bytes of it, and checks it against the store's checksum and size.
    ///
    /// Where the store doesn't report the size, room is made for `announced` bytes at first.
    ///
    /// # Errors
    /// A body that is cut off, longer than `limit` or not what was stored is an error, never a shorter result.
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

/// Bounds a call by [`CALL_TIMEOUT`].
///
/// Boxed so that they are compiled here and not wherever they are polled; and once more, as the client's futures are
/// some 50 KB, which would be copied into that box and again into the timeout.
fn in_time<'c, T: 'c>(
    call: impl Future<Output = Result<T, StoreError>> + Send + 'c,
) -> BoxFuture<'c, Result<T, StoreError>> {
    let call = Box::pin(call);
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

/// Whether a content coding is gzip, also as x-gzip (RFC 9110 section 8.4.1.3).
fn is_gzip(content_encoding: &str) -> bool {
    let coding = content_encoding.trim();
    coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
}
