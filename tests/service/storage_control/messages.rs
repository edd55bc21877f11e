//! The messages of `google.storage.v2` that listing and deleting need, with the numbers of Google's published
//! definition, `google/storage/v2/storage.proto`; a field that isn't here is passed over.

use std::collections::HashMap;

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListObjectsRequest {
    /// `projects/_/buckets/BUCKET`.
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(int32, tag = "2")]
    pub page_size: i32,
    #[prost(string, tag = "3")]
    pub page_token: String,
    #[prost(string, tag = "6")]
    pub prefix: String,
    #[prost(message, optional, tag = "8")]
    pub read_mask: Option<FieldMask>,
    /// The first name of the listing, taken in.
    #[prost(string, tag = "10")]
    pub lexicographic_start: String,
}

/// `google.protobuf.FieldMask`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldMask {
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListObjectsResponse {
    #[prost(message, repeated, tag = "1")]
    pub objects: Vec<Object>,
    #[prost(string, tag = "3")]
    pub next_page_token: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct DeleteObjectRequest {
    #[prost(string, tag = "1")]
    pub bucket: String,
    #[prost(string, tag = "2")]
    pub object: String,
    #[prost(int64, optional, tag = "5")]
    pub if_generation_match: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Object {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub bucket: String,
    #[prost(int64, tag = "3")]
    pub generation: i64,
    #[prost(int64, tag = "6")]
    pub size: i64,
    #[prost(string, tag = "7")]
    pub content_encoding: String,
    #[prost(string, tag = "13")]
    pub content_type: String,
    #[prost(map = "string, string", tag = "22")]
    pub metadata: HashMap<String, String>,
}

impl Object {
    /// Leaves out what the mask doesn't ask for.
    pub fn masked(mut self, mask: &FieldMask) -> Self {
        let asked = |field: &str| mask.paths.iter().any(|path| path == field);
        let whole = self.clone();
        self = Self::default();
        if asked("name") {
            self.name = whole.name;
        }
        if asked("generation") {
            self.generation = whole.generation;
        }
        if asked("size") {
            self.size = whole.size;
        }
        if asked("content_encoding") {
            self.content_encoding = whole.content_encoding;
        }
        if asked("metadata") {
            self.metadata = whole.metadata;
        }
        self
    }
}
