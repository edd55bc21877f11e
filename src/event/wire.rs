//! Reads every format of push request into one set of [`Facts`].

mod body;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use self::body::{Attributes, Body, JsonObject, Lenient, Message, Number};
use super::{Event, EventKind, Malformed};
use crate::names::{BucketName, Generation, InvalidName, ObjectName};
use crate::object::Details;

const AUDIT_LOG: &str = "google.cloud.audit.log.v1.written";

/// The fields that any of the formats may have, not yet validated.
#[derive(Default)]
pub(super) struct Facts {
    kind: Option<EventKind>,
    bucket: Option<String>,
    name: Option<String>,
    generation: Option<Number>,
    size: Option<Number>,
    details: Option<Details>,
    message_id: Option<String>,
    delivery_attempt: Option<Number>,
    is_audit_log: bool,
}

/// Reads a request in any of the formats.
pub(super) fn read<'h>(
    header: impl Fn(&str) -> Option<&'h [u8]>,
    body: &[u8],
) -> Result<Facts, Malformed> {
    let text = |name: &str| header(name).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
    let attributes = Attributes {
        event_type: text("eventtype"),
        bucket_id: text("bucketid"),
        object_id: text("objectid"),
        object_generation: text("objectgeneration").map(Number::Text),
        overwritten_by_generation: text("overwrittenbygeneration").map(Number::Text),
    };
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Malformed::Batch);
    }
    let body = if body.is_empty() {
        Body::default()
    } else {
        json(body)?
    };
    let cloud_event_type = text("ce-type");
    let mut facts = Facts {
        message_id: text("x-goog-pubsub-message-id").or_else(|| text("ce-id")),
        delivery_attempt: text("x-goog-pubsub-delivery-attempt").map(Number::Text),
        is_audit_log: cloud_event_type.as_deref() == Some(AUDIT_LOG),
        ..Facts::default()
    };
    facts.add_attributes(attributes);
    facts.kind = facts
        .kind
        .or_else(|| cloud_event_type.as_deref().map(cloud_event_kind));
    facts.add_body(body)?;
    Ok(facts)
}

impl Facts {
    fn add_attributes(&mut self, attributes: Attributes) {
        let overwritten = attributes.overwritten_by_generation.is_some();
        self.kind = attributes
            .event_type
            .map(|name| notification_kind(&name, overwritten))
            .or(self.kind);
        self.bucket = attributes.bucket_id.or(self.bucket.take());
        self.name = attributes.object_id.or(self.name.take());
        self.generation = attributes.object_generation.or(self.generation.take());
    }

    fn add_body(&mut self, mut body: Body) -> Result<(), Malformed> {
        if let Some(JsonObject(message)) = body.message {
            return self.add_message(message, body.delivery_attempt);
        }
        if let Lenient::Value(JsonObject(context)) = std::mem::take(&mut body.context)
            && let Some(data) = body.data.take()
        {
            let event_type = context.event_type.value();
            self.kind = self
                .kind
                .or_else(|| event_type.as_deref().map(background_kind));
            self.message_id = self.message_id.take().or(context.event_id.value());
            self.add_resource(data.0);
            return Ok(());
        }
        if matches!(body.specversion, Lenient::Other(_)) {
            self.add_resource(body);
            return Ok(());
        }
        let event_type = body.event_type.value();
        self.is_audit_log |= event_type.as_deref() == Some(AUDIT_LOG);
        self.kind = self
            .kind
            .or_else(|| event_type.as_deref().map(cloud_event_kind));
        self.message_id = self.message_id.take().or(body.id.value());
        match (body.data, body.data_base64) {
            (Some(nested), _) => self.add_nested(nested.0),
            (None, Some(text)) => self.add_nested(json(&decode_base64(&text)?)?),
            (None, None) => Ok(()),
        }
    }

    fn add_nested(&mut self, nested: Body) -> Result<(), Malformed> {
        if let Some(JsonObject(message)) = nested.message {
            return self.add_message(message, nested.delivery_attempt);
        }
        self.add_resource(nested);
        Ok(())
    }

    fn add_message(
        &mut self,
        message: Message,
        delivery_attempt: Option<Number>,
    ) -> Result<(), Malformed> {
        self.kind = None;
        self.message_id = message
            .message_id
            .or(message.message_id_snake)
            .or(self.message_id.take());
        self.delivery_attempt = delivery_attempt.or(self.delivery_attempt.take());
        if let Some(JsonObject(attributes)) = message.attributes {
            self.add_attributes(attributes);
        }
        let payload = decode_base64(message.data.as_deref().unwrap_or_default())?;
        if !payload.is_empty() {
            self.add_resource(json(&payload)?);
        }
        Ok(())
    }

    fn add_resource(&mut self, resource: Body) {
        self.bucket = self.bucket.take().or(resource.bucket);
        self.name = self.name.take().or(resource.name);
        self.generation = self.generation.take().or(resource.generation);
        self.is_audit_log |= resource.proto_payload.value().is_some();
        self.size = resource.size.value();
        let metadata = resource.metadata.value();
        // Cloud Storage always sends `timeCreated`; a hand-written notification hardly ever has it.
        let is_whole = resource.time_created.value().is_some() || metadata.is_some();
        self.details = is_whole.then(|| Details {
            content_type: resource.content_type.value(),
            content_language: resource.content_language.value(),
            cache_control: resource.cache_control.value(),
            metadata: metadata.unwrap_or_default().0,
        });
    }

    pub(super) fn into_event(self) -> Result<Event, Malformed> {
        if self.is_audit_log && self.bucket.is_none() {
            return Err(Malformed::AuditLog);
        }
        Ok(Event {
            kind: self.kind.unwrap_or(EventKind::Finalized),
            bucket: BucketName::parse(self.bucket.ok_or(Malformed::NoBucket)?)?,
            name: ObjectName::parse(self.name.ok_or(Malformed::NoName)?)?,
            generation: self.generation.as_ref().map_or(Ok(None), generation)?,
            size: self.size.and_then(|size| size.parse()),
            details: self.details,
            message_id: self.message_id,
            delivery_attempt: self.delivery_attempt.and_then(|attempt| attempt.parse()),
        })
    }
}

/// Some senders write zero for no generation.
fn generation(number: &Number) -> Result<Option<Generation>, InvalidName> {
    match number.parse::<i64>() {
        Some(0) => Ok(None),
        Some(number) => Generation::new(number).map(Some),
        None => Err(InvalidName::Generation),
    }
}

fn notification_kind(event_type: &str, overwritten: bool) -> EventKind {
    match event_type {
        "OBJECT_FINALIZE" => EventKind::Finalized,
        "OBJECT_DELETE" => EventKind::Deleted { overwritten },
        "OBJECT_ARCHIVE" => EventKind::Archived { overwritten },
        _ => EventKind::Other,
    }
}

/// Cloud Storage's `CloudEvents` don't say whether a deleted version was overwritten: it is taken as overwritten, as
/// that deletes nothing.
fn cloud_event_kind(event_type: &str) -> EventKind {
    match event_type {
        "google.cloud.storage.object.v1.finalized" => EventKind::Finalized,
        "google.cloud.storage.object.v1.deleted" => EventKind::Deleted { overwritten: true },
        "google.cloud.storage.object.v1.archived" => EventKind::Archived { overwritten: true },
        _ => EventKind::Other,
    }
}

/// First-generation background functions don't get whether a deleted version was overwritten, either.
///
/// <https://cloud.google.com/functions/1stgendocs/calling/storage>
fn background_kind(event_type: &str) -> EventKind {
    match event_type {
        "google.storage.object.finalize" => EventKind::Finalized,
        "google.storage.object.delete" => EventKind::Deleted { overwritten: true },
        "google.storage.object.archive" => EventKind::Archived { overwritten: true },
        _ => EventKind::Other,
    }
}

fn json<'d, T: Deserialize<'d>>(bytes: &'d [u8]) -> Result<T, Malformed> {
    // The message quotes the input, which may be long.
    serde_json::from_slice(bytes)
        .map(|JsonObject(value)| value)
        .map_err(|error| Malformed::Json(error.to_string().chars().take(200).collect()))
}

fn decode_base64(text: &str) -> Result<Vec<u8>, Malformed> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    GeneralPurpose::new(alphabet, LENIENT)
        .decode(text)
        .map_err(|_| Malformed::Base64)
}
