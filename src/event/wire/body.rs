//! The JSON bodies of push requests, as serde reads them.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};

use crate::stored::Metadata;

/// A push body: an envelope, a structured `CloudEvent`, a background function's call or an object resource,
/// distinguished by their fields.
///
/// One flat type, as serde's `flatten` would keep a copy of every unknown field.
#[derive(Deserialize, Default)]
pub(super) struct Body {
    pub(super) message: Option<JsonObject<Message>>,
    #[serde(rename = "deliveryAttempt")]
    pub(super) delivery_attempt: Option<Number>,
    #[serde(default)]
    pub(super) specversion: Lenient<String>,
    #[serde(default, rename = "type")]
    pub(super) event_type: Lenient<String>,
    #[serde(default)]
    pub(super) id: Lenient<String>,
    #[serde(default)]
    pub(super) context: Lenient<JsonObject<Context>>,
    pub(super) data: Option<Box<JsonObject<Body>>>,
    pub(super) data_base64: Option<String>,
    pub(super) bucket: Option<String>,
    pub(super) name: Option<String>,
    pub(super) generation: Option<Number>,
    #[serde(default)]
    pub(super) size: Lenient<Number>,
    #[serde(default)]
    pub(super) metadata: Lenient<Entries>,
    #[serde(default, rename = "contentType")]
    pub(super) content_type: Lenient<String>,
    #[serde(default, rename = "contentLanguage")]
    pub(super) content_language: Lenient<String>,
    #[serde(default, rename = "cacheControl")]
    pub(super) cache_control: Lenient<String>,
    #[serde(default, rename = "timeCreated")]
    pub(super) time_created: Lenient<String>,
    /// What a Cloud Audit Logs entry has in place of a resource.
    #[serde(default, rename = "protoPayload")]
    pub(super) proto_payload: Lenient<JsonObject<serde::de::IgnoredAny>>,
}

/// A value that must be a JSON object: serde would also accept an array of a struct's fields in their order.
pub(super) struct JsonObject<T>(pub(super) T);

impl<'d, T: Deserialize<'d>> Deserialize<'d> for JsonObject<T> {
    fn deserialize<D: serde::Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'d, T: Deserialize<'d>> Visitor<'d> for ObjectVisitor<T> {
    type Value = JsonObject<T>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'d>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(JsonObject)
    }
}

/// An optional value, which counts as missing if it isn't of the expected type.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Lenient<T> {
    Value(T),
    Other(serde::de::IgnoredAny),
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self::Other(serde::de::IgnoredAny)
    }
}

impl<T> Lenient<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

/// The `context` of a background function's call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context {
    #[serde(default)]
    pub(super) event_id: Lenient<String>,
    #[serde(default)]
    pub(super) event_type: Lenient<String>,
}

/// A Pub/Sub message; it has both spellings of the id at once, which a serde alias would reject as a duplicate.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
pub(super) struct Message {
    pub(super) data: Option<String>,
    pub(super) attributes: Option<JsonObject<Attributes>>,
    #[serde(rename = "messageId")]
    pub(super) message_id: Option<String>,
    #[serde(rename = "message_id")]
    pub(super) message_id_snake: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attributes {
    pub(super) event_type: Option<String>,
    pub(super) bucket_id: Option<String>,
    pub(super) object_id: Option<String>,
    pub(super) object_generation: Option<Number>,
    pub(super) overwritten_by_generation: Option<Number>,
}

/// An object's custom metadata; a value that is not a string counts as empty, as its key may still be the marker.
#[derive(Default)]
pub(super) struct Entries(pub(super) Metadata);

impl<'d> Deserialize<'d> for Entries {
    fn deserialize<D: serde::Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let entries =
            std::collections::HashMap::<String, Lenient<String>>::deserialize(deserializer)?;
        let entries = entries.into_iter();
        Ok(Self(
            entries
                .map(|(key, value)| (key, value.value().unwrap_or_default()))
                .collect(),
        ))
    }
}

/// An integer, written as a number or as a string.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Signed(i64),
    Unsigned(u64),
    Text(String),
}

impl Number {
    pub(super) fn parse<T: std::str::FromStr + TryFrom<i64> + TryFrom<u64>>(&self) -> Option<T> {
        match self {
            Self::Signed(number) => T::try_from(*number).ok(),
            Self::Unsigned(number) => T::try_from(*number).ok(),
            Self::Text(text) => text.parse().ok(),
        }
    }
}
