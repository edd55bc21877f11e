//! Listing and deleting over gRPC, as Google's client has no other way.

use std::time::Duration;

use google_cloud_gax::options::RequestOptionsBuilder as _;
use google_cloud_gax::retry_policy::RetryPolicyExt as _;
use google_cloud_storage::client::StorageControl;
use google_cloud_storage::model::Object;
use google_cloud_storage::retry_policy::RetryableErrors;
use google_cloud_wkt::FieldMask;
use tokio::sync::OnceCell;

use super::{StoreError, Version, generation_of, path_of};
use crate::google::{backoff, credentials, endpoint};
use crate::names::{BucketName, Generation, ObjectName};
use crate::object::Details;
use crate::store::listing::{Listed, Page, Span};

const ATTEMPTS: u32 = 5;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);
/// The objects in one page, the most that Cloud Storage gives.
const PAGE: i32 = 1000;
const FIELDS: [&str; 7] = [
    "name",
    "generation",
    "size",
    "content_type",
    "content_language",
    "cache_control",
    "metadata",
];

/// The client, built at the first call.
pub(super) struct Control {
    emulator: Option<String>,
    client: OnceCell<Box<StorageControl>>,
}

impl Control {
    pub(super) fn new(emulator: Option<String>) -> Self {
        Self {
            emulator,
            client: OnceCell::new(),
        }
    }

    pub(super) async fn list(
        &self,
        bucket: &BucketName,
        span: &Span,
        token: &str,
    ) -> Result<Page, StoreError> {
        let after = span.after.as_deref().unwrap_or_default();
        let listed = self
            .client()
            .await?
            .list_objects()
            .set_parent(path_of(bucket))
            .set_page_size(PAGE)
            .set_page_token(token)
            .set_prefix(span.prefix.as_str())
            .set_lexicographic_start(after)
            .set_read_mask(FieldMask::default().set_paths(FIELDS))
            .send()
            .await?;
        let mut page = Page {
            next_token: listed.next_page_token,
            ..Page::default()
        };
        for object in listed.objects {
            match ObjectName::parse(object.name.as_str()) {
                // The service includes the start, we don't.
                Ok(name) if span.after.as_deref() == Some(name.as_str()) => {}
                Ok(name) => page.objects.push(Listed {
                    version: version_of(object)?,
                    name,
                }),
                Err(_) => page.unnameable += 1,
            }
        }
        Ok(page)
    }

    pub(super) async fn delete(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) -> Result<(), StoreError> {
        self.client()
            .await?
            .delete_object()
            .set_bucket(path_of(bucket))
            .set_object(name.as_str())
            .set_if_generation_match(generation.get())
            // A retry that finds the object already deleted has succeeded.
            .with_idempotency(true)
            .send()
            .await
            .map_err(StoreError::from)
    }

    async fn client(&self) -> Result<&StorageControl, StoreError> {
        let client = self
            .client
            .get_or_try_init(|| connect(self.emulator.as_deref()))
            .await?;
        Ok(client)
    }
}

async fn connect(emulator: Option<&str>) -> Result<Box<StorageControl>, StoreError> {
    let builder = StorageControl::builder()
        .with_retry_policy(RetryableErrors.with_attempt_limit(ATTEMPTS))
        .with_backoff_policy(backoff(Duration::from_secs(2)))
        .with_attempt_timeout(ATTEMPT_TIMEOUT);
    let builder = match emulator {
        Some(address) => builder.with_endpoint(endpoint(address)),
        None => builder,
    };
    let credentials =
        credentials(emulator.is_some()).map_err(|error| StoreError::Denied(error.into()))?;
    let client = Box::pin(builder.with_credentials(credentials).build()).await;
    client
        .map(Box::new)
        .map_err(|error| StoreError::Unavailable(error.into()))
}

fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn version_of(object: Object) -> Result<Version, StoreError> {
    Ok(Version {
        generation: generation_of(object.generation)?,
        size: u64::try_from(object.size).ok(),
        details: Details {
            content_type: non_empty(object.content_type),
            content_language: non_empty(object.content_language),
            cache_control: non_empty(object.cache_control),
            metadata: object.metadata,
        },
    })
}
