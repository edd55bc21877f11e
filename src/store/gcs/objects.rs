//! An object's metadata, by the JSON API's [`objects.get`].
//!
//! Custom metadata is promised there, and not in the headers of a download. Google's client has it over gRPC alone,
//! which no emulator of the JSON API speaks.
//!
//! [`objects.get`]: https://cloud.google.com/storage/docs/json_api/v1/objects/get

use std::time::Duration;

use google_cloud_auth::credentials::{CacheableResource, Credentials};
use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::backoff_policy::BackoffPolicy as _;
use google_cloud_gax::exponential_backoff::ExponentialBackoff;
use google_cloud_gax::retry_state::RetryState;
use http::Extensions;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Response, StatusCode, redirect};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::OnceCell;

use super::{ATTEMPTS, StoreError, Version, generation_of, meaning};
use crate::google::{backoff, credentials, endpoint};
use crate::names::{BucketName, ObjectName};
use crate::object::Details;
use crate::stored::Metadata;

const FIELDS: &str =
    "generation,size,contentType,contentLanguage,cacheControl,metadata,customerEncryption";
const ENDPOINT: &str = "https://storage.googleapis.com";
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(6);
/// The largest answer that is read; custom metadata has at most 8 KiB.
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// The client, built at the first call.
pub(super) struct Objects {
    emulator: Option<String>,
    client: OnceCell<Box<Connected>>,
}

struct Connected {
    endpoint: String,
    credentials: Credentials,
    http: Client,
    backoff: ExponentialBackoff,
}

impl Objects {
    pub(super) fn new(emulator: Option<String>) -> Self {
        Self {
            emulator,
            client: OnceCell::new(),
        }
    }

    pub(super) async fn get(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
    ) -> Result<Version, StoreError> {
        self.resource(bucket, name).await?.version()
    }

    /// Finds out why an object can't be read; `given` if the answer doesn't say.
    pub(super) async fn explain(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        given: StoreError,
    ) -> StoreError {
        match self.resource(bucket, name).await {
            Ok(resource) if resource.customer_encryption.is_some() => {
                StoreError::CustomerKey(Box::new(given))
            }
            Err(better @ StoreError::Setting(..)) => better,
            Ok(_) | Err(_) => given,
        }
    }

    async fn resource(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
    ) -> Result<Resource, StoreError> {
        let client = self.client().await?;
        let mut attempts = RetryState::new(true);
        loop {
            let got = client.get(bucket, name).await;
            attempts.attempt_count += 1;
            match got {
                Err(StoreError::Unavailable(_) | StoreError::Timeout)
                    if attempts.attempt_count < ATTEMPTS =>
                {
                    tokio::time::sleep(client.backoff.on_failure(&attempts)).await;
                }
                ended => return ended,
            }
        }
    }

    async fn client(&self) -> Result<&Connected, StoreError> {
        let connect = async || Connected::new(self.emulator.as_deref()).map(Box::new);
        Ok(self.client.get_or_try_init(connect).await?)
    }
}

impl Connected {
    fn new(emulator: Option<&str>) -> Result<Self, StoreError> {
        let credentials =
            credentials(emulator.is_some()).map_err(|error| StoreError::Denied(error.into()))?;
        let http = Client::builder()
            .timeout(ATTEMPT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| StoreError::Unknown(error.into()))?;
        Ok(Self {
            endpoint: emulator.map_or_else(|| ENDPOINT.to_owned(), endpoint),
            credentials,
            http,
            backoff: backoff(Duration::from_secs(2)),
        })
    }

    async fn get(&self, bucket: &BucketName, name: &ObjectName) -> Result<Resource, StoreError> {
        let url = format!(
            "{}/storage/v1/b/{bucket}/o/{}?fields={FIELDS}",
            self.endpoint,
            utf8_percent_encode(name.as_str(), NON_ALPHANUMERIC)
        );
        let headers = self.credentials.headers(Extensions::new()).await;
        let headers = match headers.map_err(unauthenticated)? {
            CacheableResource::New { data, .. } => data,
            // Only for requests with an entity tag, which this one hasn't.
            CacheableResource::NotModified => http::HeaderMap::new(),
        };
        let answer = self.http.get(url).headers(headers).send().await;
        let answer = answer.map_err(transport_error)?;
        let status = answer.status();
        let body = bounded(answer).await?;
        if status != StatusCode::OK {
            return Err(error_of(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| StoreError::Unknown(error.into()))
    }
}

async fn bounded(mut answer: Response) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(transport_error)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            let fault = format!("an answer of over {MAX_ANSWER_BYTES} bytes");
            return Err(StoreError::Unknown(fault.into()));
        }
    }
    Ok(body)
}

fn unauthenticated(error: CredentialsError) -> StoreError {
    if error.is_transient() {
        StoreError::Unavailable(error.into())
    } else {
        StoreError::Denied(error.into())
    }
}

fn transport_error(error: reqwest::Error) -> StoreError {
    if error.is_timeout() {
        StoreError::Timeout
    } else {
        StoreError::Unavailable(error.into())
    }
}

/// Classifies an answer that is not 200.
fn error_of(status: StatusCode, body: &[u8]) -> StoreError {
    let words: String = String::from_utf8_lossy(body).chars().take(500).collect();
    // A proxy's answer gives no reasons.
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let reasons = body.error.errors.into_iter().map(|item| item.reason);
    let reasons: Vec<_> = reasons.collect();
    let cause = format!("{status}: {words}").into();
    match meaning::of(status.as_u16(), &reasons, cause) {
        // A look has no precondition, and needs no key.
        StoreError::PreconditionFailed(cause) | StoreError::CustomerKey(cause) => {
            StoreError::Unknown(cause)
        }
        error => error,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: Errors,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Errors {
    errors: Vec<ErrorItem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorItem {
    reason: String,
}

/// The requested fields of an object's resource.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    generation: String,
    size: Option<String>,
    content_type: Option<String>,
    content_language: Option<String>,
    cache_control: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    /// Present if the object is encrypted with a customer-supplied key.
    customer_encryption: Option<IgnoredAny>,
}

impl Resource {
    fn version(self) -> Result<Version, StoreError> {
        let generation = self.generation.parse().map_err(|_| {
            StoreError::Unknown(format!("the generation {:?}", self.generation).into())
        })?;
        Ok(Version {
            generation: generation_of(generation)?,
            size: self.size.and_then(|size| size.parse().ok()),
            details: Details {
                content_type: self.content_type,
                content_language: self.content_language,
                cache_control: self.cache_control,
                metadata: self.metadata,
            },
        })
    }
}
