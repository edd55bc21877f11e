//! Publishes objects to a Pub/Sub topic, in the format of Cloud Storage's notifications.
//!
//! Attributes: <https://cloud.google.com/storage/docs/pubsub-notifications#attributes>. There is no payload, and no
//! `notificationConfig`, as the message comes from no bucket's notification configuration.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use google_cloud_gax::retry_policy::RetryPolicyExt as _;
use google_cloud_pubsub::client::Publisher;
use google_cloud_pubsub::error::PublishError;
use google_cloud_pubsub::model::Message;
use google_cloud_pubsub::retry_policy::RetryableErrors;

use crate::google::{backoff, credentials, endpoint};
use crate::names::TopicName;
use crate::object::Object;

/// The messages at which a batch is sent; otherwise it is sent after [`BATCH_DELAY`].
const BATCH: u32 = 500;
const BATCH_DELAY: Duration = Duration::from_millis(20);
/// In-process attempts of one batch; without a limit a dead endpoint is tried for ever.
const ATTEMPTS: u32 = 5;
/// The time limit of a message, attempts and connecting included.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A Pub/Sub topic to publish to.
pub struct Topic(Publisher);

/// Why an object could not be announced.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishFailed {
    /// The client failed: no credentials, no connection, or an error of Pub/Sub's.
    #[error("can't publish")]
    Client(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// Pub/Sub did not answer in time.
    #[error("Pub/Sub did not answer in {} s", TIMEOUT.as_secs())]
    Timeout,
}

impl Topic {
    /// Builds the client; nothing is published yet.
    ///
    /// `emulator` is an emulator's address, which is called without credentials.
    ///
    /// # Errors
    /// [`PublishFailed`] where there are no credentials.
    #[must_use]
    pub fn open<'c>(
        name: &'c TopicName,
        emulator: Option<&'c str>,
    ) -> BoxFuture<'c, Result<Self, PublishFailed>> {
        Box::pin(Self::connect(name, emulator))
    }

    async fn connect(name: &TopicName, emulator: Option<&str>) -> Result<Self, PublishFailed> {
        let builder = Publisher::builder(name.as_str())
            .set_message_count_threshold(BATCH)
            .set_delay_threshold(BATCH_DELAY)
            .with_retry_policy(RetryableErrors.with_attempt_limit(ATTEMPTS))
            .with_backoff_policy(backoff(Duration::from_secs(4)))
            .with_credentials(credentials(emulator.is_some()).map_err(client_error)?);
        let builder = match emulator {
            Some(address) => builder.with_endpoint(endpoint(address)),
            None => builder,
        };
        let built = tokio::time::timeout(TIMEOUT, Box::pin(builder.build())).await;
        built
            .map_err(|_| PublishFailed::Timeout)?
            .map(Self)
            .map_err(client_error)
    }

    /// Announces an object as just finalized, and waits until Pub/Sub has the message.
    ///
    /// # Errors
    /// [`PublishFailed`], within a bounded time.
    pub async fn announce(&self, object: &Object) -> Result<(), PublishFailed> {
        let message = Message::new().set_attributes(attributes(object, SystemTime::now()));
        match tokio::time::timeout(TIMEOUT, self.0.publish(message)).await {
            Ok(Ok(_)) => Ok(()),
            // One failed call fails a whole batch of messages, so they share the error.
            Ok(Err(PublishError::Rpc(error))) => Err(PublishFailed::Client(error)),
            Ok(Err(error)) => Err(client_error(error)),
            Err(_) => Err(PublishFailed::Timeout),
        }
    }
}

fn client_error(error: impl std::error::Error + Send + Sync + 'static) -> PublishFailed {
    PublishFailed::Client(Arc::new(error))
}

fn attributes(object: &Object, now: SystemTime) -> Vec<(&'static str, String)> {
    let generation = object.generation.map(|generation| generation.to_string());
    let mut attributes = vec![
        ("eventType", "OBJECT_FINALIZE".to_owned()),
        ("payloadFormat", "NONE".to_owned()),
        ("bucketId", object.bucket.to_string()),
        ("objectId", object.name.to_string()),
        (
            "eventTime",
            humantime::format_rfc3339_micros(now).to_string(),
        ),
    ];
    attributes.extend(generation.map(|generation| ("objectGeneration", generation)));
    attributes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Event, EventKind};
    use crate::names::{BucketName, Generation, ObjectName};

    #[test]
    fn the_service_reads_an_announcement_as_the_notification_it_stands_for() {
        let object = Object {
            bucket: BucketName::parse("photos").unwrap(),
            name: ObjectName::parse("a b/ü#?.jpg").unwrap(),
            generation: Generation::new(7).ok(),
            size: None,
            details: None,
        };
        let attributes: serde_json::Map<_, _> = attributes(&object, SystemTime::UNIX_EPOCH)
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect();
        assert_eq!(attributes["eventTime"], "1970-01-01T00:00:00.000000Z");
        let envelope = json!({ "message": { "attributes": attributes, "messageId": "1" } });
        let event = Event::parse(|_| None, envelope.to_string().as_bytes()).unwrap();
        assert_eq!(event.kind, EventKind::Finalized);
        assert_eq!(event.bucket, object.bucket);
        assert_eq!(event.name, object.name);
        assert_eq!(event.generation, object.generation);
    }
}
