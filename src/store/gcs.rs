//! Cloud Storage through Google's client.
//!
//! The client retries what the storage docs call retryable, but not for long, as Pub/Sub redelivers. It is built at the
//! first call rather than at start, as its credentials may need the network.

mod control;
mod meaning;
mod objects;

use std::time::Duration;

use bytes::Bytes;
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::retry_policy::RetryPolicyExt as _;
use google_cloud_storage::client::Storage;
use google_cloud_storage::error::{ReadError, WriteError};
use google_cloud_storage::read_object::ReadObjectResponse;
use google_cloud_storage::read_resume_policy::{ReadResumePolicyExt as _, Recommended};
use google_cloud_storage::retry_policy::RetryableErrors;
use tokio::sync::OnceCell;

use self::control::Control;
use self::objects::Objects;
use super::listing::{Page, Span};
use super::{Precondition, Source, StoreError, Version, is_gzip};
use crate::google::{backoff, credentials, endpoint};
use crate::names::{BucketName, Generation, ObjectName};
use crate::stored::Upload;

/// In-process attempts of one call.
const ATTEMPTS: u32 = 3;
/// How long a body may bring no bytes; it may be slow, but not stall.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// The most that is allocated ahead for a body whose size is only claimed.
const MAX_PREALLOCATION: u64 = 16 << 20;

/// Cloud Storage, or an emulator of it.
pub struct Gcs {
    options: GcsOptions,
    client: OnceCell<Box<Storage>>,
    objects: Box<Objects>,
    control: Control,
}

/// The addresses of Cloud Storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcsOptions {
    /// An emulator's address as in `STORAGE_EMULATOR_HOST`, `host:port` or a URL; it is called anonymously.
    pub emulator: Option<String>,
    /// The address for listing and deleting over gRPC, if not the emulator's.
    pub control: Option<String>,
}

impl Gcs {
    /// Prepares a store; nothing is sent before the first call.
    #[must_use]
    pub fn new(options: GcsOptions) -> Self {
        Self {
            objects: Box::new(Objects::new(options.emulator.clone())),
            control: Control::new(options.control.clone().or(options.emulator.clone())),
            options,
            client: OnceCell::new(),
        }
    }

    pub(super) async fn warm_up(&self) {
        let _ = self.client().await;
    }

    pub(super) async fn open(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Option<Generation>,
    ) -> Result<Source, StoreError> {
        let response = self.read(bucket, name, generation, Check::Crc32c).await?;
        let object = response.object();
        let checksums = object.checksums.unwrap_or_default();
        let response = match (checksums.crc32c, checksums.md5_hash.is_empty()) {
            (Some(_), _) => response,
            // The client reads only the first line of checksums, and computes an MD5 only if asked before the read.
            (None, false) => {
                let generation = Some(generation_of(object.generation)?);
                self.read(bucket, name, generation, Check::Md5).await?
            }
            (None, true) => return Err(StoreError::Checksum("none is told".into())),
        };
        let object = response.object();
        Ok(Source {
            generation: generation_of(object.generation)?,
            // The client reports zero if the server sends no stored length.
            size: u64::try_from(object.size).ok().filter(|size| *size > 0),
            gzipped: is_gzip(&object.content_encoding),
            body: super::Body::Gcs(Body(response)),
        })
    }

    async fn read(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Option<Generation>,
        check: Check,
    ) -> Result<ReadObjectResponse, StoreError> {
        let read = self
            .client()
            .await?
            .read_object(path_of(bucket), name.as_str());
        let read = match generation {
            Some(generation) => read.set_generation(generation.get()),
            None => read,
        };
        let read = match check {
            Check::Crc32c => read,
            Check::Md5 => read.compute_md5(),
        };
        let error = match read.send().await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let has_no_reason = error.status().is_none();
        match (error.http_status_code(), error.into()) {
            // A failed download has no machine-readable reason, so the object's metadata is asked for one.
            (Some(400 | 401 | 403), error) if has_no_reason => {
                Err(self.objects.explain(bucket, name, error).await)
            }
            // A read has no precondition, so this comes from a policy or a proxy.
            (_, StoreError::PreconditionFailed(cause)) => Err(StoreError::Unknown(cause)),
            (_, error) => Err(error),
        }
    }

    pub(super) async fn look(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
    ) -> Result<Version, StoreError> {
        self.objects.get(bucket, name).await
    }

    pub(super) async fn write(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        upload: &Upload,
        precondition: Precondition,
    ) -> Result<Generation, StoreError> {
        let expected = match precondition {
            Precondition::Absent => 0,
            Precondition::Is(generation) => generation.get(),
        };
        let write = self
            .client()
            .await?
            .write_object(path_of(bucket), name.as_str(), upload.bytes.clone())
            .set_content_type(upload.content_type)
            .set_metadata(upload.metadata())
            .set_if_generation_match(expected);
        let write = match &upload.cache_control {
            Some(rule) => write.set_cache_control(rule),
            None => write,
        };
        let write = match &upload.content_language {
            Some(language) => write.set_content_language(language),
            None => write,
        };
        let written = Box::pin(write.send_buffered()).await;
        let object = written.map_err(|error| match error.into() {
            // Only a read needs the key of the existing object.
            StoreError::CustomerKey(cause) => StoreError::Unknown(cause),
            error => error,
        })?;
        generation_of(object.generation)
    }

    pub(super) async fn list(
        &self,
        bucket: &BucketName,
        span: &Span,
        token: &str,
    ) -> Result<Page, StoreError> {
        self.control.list(bucket, span, token).await
    }

    pub(super) async fn delete(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) -> Result<(), StoreError> {
        self.control.delete(bucket, name, generation).await
    }

    async fn client(&self) -> Result<&Storage, StoreError> {
        let client = self
            .client
            .get_or_try_init(|| connect(&self.options))
            .await?;
        Ok(client)
    }
}

/// The checksum that a body is verified by.
enum Check {
    /// Stored with every object, and computed by the client anyway.
    Crc32c,
    /// Used where no CRC32C is sent; it takes several times as long.
    Md5,
}

async fn connect(options: &GcsOptions) -> Result<Box<Storage>, StoreError> {
    let builder = Storage::builder()
        .with_retry_policy(RetryableErrors.with_attempt_limit(ATTEMPTS))
        .with_backoff_policy(backoff(Duration::from_secs(2)))
        .with_read_resume_policy(Recommended.with_attempt_limit(ATTEMPTS));
    let builder = match &options.emulator {
        Some(address) => builder.with_endpoint(endpoint(address)),
        None => builder,
    };
    let credentials = credentials(options.emulator.is_some())
        .map_err(|error| StoreError::Denied(error.into()))?;
    let builder = builder.with_credentials(credentials);
    let client = Box::pin(builder.build()).await;
    client
        .map(Box::new)
        .map_err(|error| StoreError::Unavailable(error.into()))
}

fn path_of(bucket: &BucketName) -> String {
    format!("projects/_/buckets/{bucket}")
}

fn generation_of(number: i64) -> Result<Generation, StoreError> {
    Generation::new(number).map_err(|error| StoreError::Unknown(error.into()))
}

/// A response whose body is not yet read.
pub(super) struct Body(ReadObjectResponse);

impl Body {
    pub(super) async fn read(
        mut self,
        limit: u64,
        expected: Option<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let ahead = expected.unwrap_or(0).min(limit).min(MAX_PREALLOCATION);
        let mut bytes = Vec::with_capacity(usize::try_from(ahead).unwrap_or(0));
        while let Some(chunk) = self.next().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > limit {
                return Err(StoreError::TooLarge { limit });
            }
        }
        Ok(bytes)
    }

    /// Returns the next chunk; the client verifies the checksum after the last one, so earlier bytes are unverified.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let next = tokio::time::timeout(IDLE_TIMEOUT, self.0.next())
            .await
            .map_err(|_| StoreError::Timeout)?;
        next.transpose().map_err(StoreError::from)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error.http_status_code() {
            Some(status) => {
                let reasons = meaning::reasons(&error);
                meaning::of(status, &reasons, error.into())
            }
            // Only errors of gRPC have no HTTP status, but a code.
            None if error.status().is_some() => by_code(error),
            None if is_checksum_mismatch(&error) => Self::Checksum(error.into()),
            None if error.is_timeout() => Self::Timeout,
            None if is_transport_error(&error) => Self::Unavailable(error.into()),
            None if error.is_authentication() => Self::Denied(error.into()),
            None => Self::Unknown(error.into()),
        }
    }
}

fn by_code(error: Error) -> StoreError {
    match error.status().map(|status| status.code) {
        Some(Code::NotFound) => StoreError::NotFound,
        Some(Code::FailedPrecondition) => StoreError::PreconditionFailed(error.into()),
        Some(Code::PermissionDenied | Code::Unauthenticated) => StoreError::Denied(error.into()),
        Some(
            Code::Unavailable
            | Code::ResourceExhausted
            | Code::Internal
            | Code::DeadlineExceeded
            | Code::Aborted,
        ) => StoreError::Unavailable(error.into()),
        // The code type is non-exhaustive.
        Some(_) | None => StoreError::Unknown(error.into()),
    }
}

fn is_transport_error(error: &Error) -> bool {
    error.is_io()
        || error.is_connect()
        || error.is_transport()
        || error.is_transient_and_before_rpc()
        || is_broken_off(error)
}

/// Whether an answer broke off; the client calls it undecodable, as it does one that is no JSON.
fn is_broken_off(error: &Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let (mut of_http, mut of_json) = (false, false);
    for cause in causes {
        of_http |= cause.is::<reqwest::Error>();
        of_json |= cause.is::<serde_json::Error>();
    }
    of_http && !of_json
}

fn is_checksum_mismatch(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let read = source.and_then(|source| source.downcast_ref::<ReadError>());
    let written = source.and_then(|source| source.downcast_ref::<WriteError>());
    matches!(read, Some(ReadError::ChecksumMismatch(_)))
        || matches!(written, Some(WriteError::ChecksumMismatch { .. }))
}
