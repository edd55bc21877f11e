//! Cloud Storage through Google's client.
//!
//! The client retries what the storage docs call retryable, but not for long: Pub/Sub is the long retry. The client
//! is built at the first call rather than at start, as its credentials may need the network.

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
/// A body that brings nothing for so long is given up; it may be slow, but not silent.
const SILENCE: Duration = Duration::from_secs(15);
/// The most that is reserved ahead of a body whose size is only claimed.
const MAX_PREALLOCATION: u64 = 16 << 20;

/// Cloud Storage, or an emulator of it.
pub struct Gcs {
    options: GcsOptions,
    client: OnceCell<Box<Storage>>,
    objects: Box<Objects>,
    control: Control,
}

/// How Cloud Storage is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcsOptions {
    /// An emulator's address, as `STORAGE_EMULATOR_HOST` gives it: `host:port` or a URL. Calls are anonymous then.
    pub emulator: Option<String>,
    /// Where listing and deleting are called, which speak gRPC, if not at the emulator's address.
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
        let told = object.checksums.unwrap_or_default();
        let response = match (told.crc32c, told.md5_hash.is_empty()) {
            (Some(_), _) => response,
            // The client looks at the first line of checksums alone, and counts no MD5 unless it is told to before.
            (None, false) => {
                let generation = Some(generation_of(object.generation)?);
                self.read(bucket, name, generation, Check::Md5).await?
            }
            (None, true) => return Err(StoreError::Checksum("none is told".into())),
        };
        let object = response.object();
        Ok(Source {
            generation: generation_of(object.generation)?,
            // The client says zero where the server sends no stored length.
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
        let is_mute = error.status().is_none();
        match (error.http_status_code(), error.into()) {
            // The answer to a failed download has no machine-readable reason, so it is asked for.
            (Some(400 | 401 | 403), error) if is_mute => {
                Err(self.objects.explain(bucket, name, error).await)
            }
            // A read demands nothing, so this is a policy or a proxy that speaks.
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
            // Only reading takes the key of what is there.
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

/// The checksum that a body is held against.
enum Check {
    /// What Cloud Storage has of every object, and the client counts by itself.
    Crc32c,
    /// What is left where nothing else is told; it takes several times as long.
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

/// A response whose body is still on its way.
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

    /// The client checks the checksum behind the last chunk, so only the end of the loop makes the bytes usable.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let next = tokio::time::timeout(SILENCE, self.0.next())
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
            // Only gRPC leaves the HTTP status out; its code says as much.
            None if error.status().is_some() => by_code(error),
            None if is_checksum_mismatch(&error) => Self::Checksum(error.into()),
            None if error.is_timeout() => Self::Timeout,
            None if is_on_the_way(&error) => Self::Unavailable(error.into()),
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
        // The code type is open, so this question can't be answered exhaustively.
        Some(_) | None => StoreError::Unknown(error.into()),
    }
}

fn is_on_the_way(error: &Error) -> bool {
    error.is_io()
        || error.is_connect()
        || error.is_transport()
        || error.is_transient_and_before_rpc()
        || is_broken_off(error)
}

/// The client calls an answer that breaks off undecodable, as it does one that is no JSON.
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
