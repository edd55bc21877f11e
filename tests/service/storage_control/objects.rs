//! The objects to list and delete: a fake Cloud Storage's, or any number in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use prost_types::FieldMask;
use serde_json::Value;

use super::generated::Object;
use crate::http::{Client, encode};

pub enum Objects {
    /// By bucket and name.
    Memory(Mutex<BTreeMap<String, BTreeMap<String, Object>>>),
    /// In the fake Cloud Storage at this address, which has only the JSON API.
    Fake {
        endpoint: String,
        client: Box<Client>,
    },
}

impl Objects {
    /// The first objects of a bucket from this name on, or after it; `None` if there is no bucket.
    pub async fn from(
        &self,
        bucket: &str,
        prefix: &str,
        start: Bound<&str>,
        count: usize,
    ) -> Option<Vec<Object>> {
        let pick = |objects: &BTreeMap<String, Object>| {
            let range = objects.range::<str, _>((start, Bound::Unbounded));
            let matching = range.filter(|(name, _)| name.starts_with(prefix));
            matching
                .map(|(_, object)| object.clone())
                .take(count)
                .collect()
        };
        match self {
            Self::Memory(buckets) => {
                let buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
                buckets.get(bucket).map(pick)
            }
            Self::Fake { endpoint, client } => {
                let listing = get(
                    client,
                    &format!("{endpoint}/storage/v1/b/{bucket}/o?maxResults=100000"),
                )
                .await?;
                let items = listing["items"].as_array().cloned().unwrap_or_default();
                let objects = items.iter().map(object_of);
                Some(pick(
                    &objects
                        .map(|object| (object.name.clone(), object))
                        .collect(),
                ))
            }
        }
    }

    /// The live generation of an object.
    pub async fn generation(&self, bucket: &str, name: &str) -> Option<i64> {
        let found = self.from(bucket, name, Bound::Included(name), 1).await?;
        let object = found.into_iter().find(|object| object.name == name)?;
        Some(object.generation)
    }

    /// Deletes an object that is there.
    pub async fn delete(&self, bucket: &str, name: &str) {
        match self {
            Self::Memory(buckets) => {
                let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(objects) = buckets.get_mut(bucket) {
                    objects.remove(name);
                }
            }
            Self::Fake { endpoint, client } => {
                let url = format!("{endpoint}/storage/v1/b/{bucket}/o/{}", encode(name));
                let answer = client.send("DELETE", &url, &[], "").await;
                let status = answer.map(|answer| answer.status);
                assert!(matches!(status, Ok(200 | 204)), "{url}: {status:?}");
            }
        }
    }
}

impl Object {
    /// Drops the fields that the mask doesn't have.
    pub fn masked(self, mask: &FieldMask) -> Self {
        let asked = |field: &str| mask.paths.iter().any(|path| path == field);
        let mut masked = Self::default();
        if asked("name") {
            masked.name = self.name;
        }
        if asked("generation") {
            masked.generation = self.generation;
        }
        if asked("size") {
            masked.size = self.size;
        }
        if asked("content_encoding") {
            masked.content_encoding = self.content_encoding;
        }
        if asked("content_type") {
            masked.content_type = self.content_type;
        }
        if asked("content_language") {
            masked.content_language = self.content_language;
        }
        if asked("cache_control") {
            masked.cache_control = self.cache_control;
        }
        if asked("metadata") {
            masked.metadata = self.metadata;
        }
        masked
    }
}

async fn get(client: &Client, url: &str) -> Option<Value> {
    let answer = client.send("GET", url, &[], "").await;
    let answer = answer.unwrap_or_else(|error| panic!("{url}: {error}"));
    if answer.status == 404 {
        return None;
    }
    assert_eq!(answer.status, 200, "{url}: {}", answer.text());
    Some(serde_json::from_slice(&answer.body).expect("a listing"))
}

/// Converts a resource of the JSON API, whose 64-bit numbers are strings.
fn object_of(resource: &Value) -> Object {
    let text = |field: &str| resource[field].as_str().unwrap_or_default().to_owned();
    let number = |field: &str| text(field).parse().unwrap_or_default();
    let metadata = resource["metadata"].as_object();
    let metadata = metadata.into_iter().flatten().map(|(key, value)| {
        let value = value.as_str().unwrap_or_default();
        (key.clone(), value.to_owned())
    });
    Object {
        name: text("name"),
        bucket: text("bucket"),
        generation: number("generation"),
        size: number("size"),
        content_encoding: text("contentEncoding"),
        content_type: text("contentType"),
        content_language: text("contentLanguage"),
        cache_control: text("cacheControl"),
        metadata: metadata.collect(),
        ..Object::default()
    }
}
