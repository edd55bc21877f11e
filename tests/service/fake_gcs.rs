//! fake-gcs-server on a port of its own: an in-memory Cloud Storage.

use std::collections::BTreeMap;
use std::process::Command;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::http::{Answer, Client, encode};
use crate::provision;
use crate::pubsub::Pubsub;
use crate::server::Server;

/// A running server; dropping it ends it and all that it stored.
pub struct FakeGcs {
    endpoint: String,
    client: Client,
    _server: Server,
}

/// One stored object, as one answer of the server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Bytes,
    pub content_type: String,
    pub cache_control: String,
    /// Custom metadata; Cloud Storage's headers don't keep the case of a key.
    pub metadata: BTreeMap<String, String>,
    pub generation: i64,
}

impl Stored {
    /// The generation of its source that a thumbnail records.
    pub fn source_generation(&self) -> Option<i64> {
        self.metadata.get("source-generation")?.parse().ok()
    }
}

impl FakeGcs {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts an empty server that publishes each upload to the topic, as a bucket's notification
    /// configuration does.
    pub async fn start_publishing(pubsub: &Pubsub, topic: &str) -> Self {
        Self::start_with(|command| {
            command.env("PUBSUB_EMULATOR_HOST", pubsub.host());
            command.args(["-event.pubsub-project-id", Pubsub::PROJECT]);
            command.args(["-event.pubsub-topic", topic, "-event.list", "finalize"]);
        })
        .await
    }

    async fn start_with(add: impl Fn(&mut Command)) -> Self {
        let executable = tokio::task::spawn_blocking(provision::fake_gcs_server).await;
        let executable = executable.expect("fake-gcs-server is at hand");
        let command = |port: u16| {
            let mut command = Command::new(&executable);
            command.args([
                "-scheme",
                "http",
                "-backend",
                "memory",
                "-host",
                "127.0.0.1",
            ]);
            command.args(["-port", &port.to_string()]);
            add(&mut command);
            command
        };
        let (server, port) = Server::start(command, "server started").await;
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            client: Client::new(),
            _server: server,
        }
    }

    /// `http://127.0.0.1:PORT`, what `STORAGE_EMULATOR_HOST` takes.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub async fn create_bucket(&self, bucket: &str) {
        self.create(bucket, &json!({ "name": bucket })).await;
    }

    /// Creates a bucket that keeps replaced versions readable by their generation.
    pub async fn create_versioned_bucket(&self, bucket: &str) {
        let versioning = json!({ "enabled": true });
        self.create(bucket, &json!({ "name": bucket, "versioning": versioning }))
            .await;
    }

    async fn create(&self, bucket: &str, resource: &Value) {
        let body = resource.to_string();
        let json = [("content-type", "application/json")];
        let answer = self
            .call("POST", "/storage/v1/b?project=p", &json, body)
            .await;
        assert_eq!(
            answer.status,
            200,
            "create bucket {bucket}: {}",
            answer.text()
        );
    }

    /// Uploads an object and returns its generation.
    pub async fn put(
        &self,
        bucket: &str,
        name: &str,
        bytes: &[u8],
        content_type: &str,
        metadata: &[(&str, &str)],
    ) -> i64 {
        let metadata: BTreeMap<_, _> = metadata.iter().copied().collect();
        let object = json!({ "name": name, "contentType": content_type, "metadata": metadata });
        self.insert(bucket, &object, bytes).await
    }

    /// Uploads a gzip file as the object's `Content-Encoding: gzip` form.
    pub async fn put_gzip(&self, bucket: &str, name: &str, gzip: &[u8], content_type: &str) -> i64 {
        let object =
            json!({ "name": name, "contentType": content_type, "contentEncoding": "gzip" });
        self.insert(bucket, &object, gzip).await
    }

    /// Uploads an object with this resource and returns its generation.
    pub async fn insert(&self, bucket: &str, object: &Value, bytes: &[u8]) -> i64 {
        const BOUNDARY: &str = "f1d0a1b7-part-of-an-upload";
        // The server stores the part's content type, not the resource's.
        let content_type = object["contentType"].as_str().unwrap_or_default();
        let resource = format!("content-type: application/json\r\n\r\n{object}");
        let media = format!("content-type: {content_type}\r\n\r\n");
        let before = format!("--{BOUNDARY}\r\n{resource}\r\n--{BOUNDARY}\r\n{media}");
        let after = format!("\r\n--{BOUNDARY}--\r\n");
        let body = [before.as_bytes(), bytes, after.as_bytes()].concat();
        let path = format!("/upload/storage/v1/b/{bucket}/o?uploadType=multipart");
        let multipart = format!("multipart/related; boundary={BOUNDARY}");
        let answer = self
            .call("POST", &path, &[("content-type", &multipart)], body)
            .await;
        assert_eq!(answer.status, 200, "put {object}: {}", answer.text());
        let stored: Value = serde_json::from_slice(&answer.body).expect("an object resource");
        let generation = stored["generation"]
            .as_str()
            .and_then(|text| text.parse().ok());
        generation.expect("a stored object has a generation")
    }

    /// The resource of a live object, as its notification would hold it.
    pub async fn resource(&self, bucket: &str, name: &str) -> Value {
        let path = format!("/storage/v1/b/{bucket}/o/{}", encode(name));
        let answer = self.call("GET", &path, &[], "").await;
        assert_eq!(answer.status, 200, "{bucket}/{name}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("an object resource")
    }

    /// The live object with its metadata, or none.
    pub async fn get(&self, bucket: &str, name: &str) -> Option<Stored> {
        let path = format!("/storage/v1/b/{bucket}/o/{}?alt=media", encode(name));
        // Asking for gzip keeps the server from unpacking an object that is stored packed.
        let raw = [("accept-encoding", "gzip")];
        let answer = self.call("GET", &path, &raw, "").await;
        if answer.status == 404 {
            return None;
        }
        assert_eq!(answer.status, 200, "get {bucket}/{name}: {}", answer.text());
        let custom = answer.headers.iter().filter_map(|(key, value)| {
            let key = key.as_str().strip_prefix("x-goog-meta-")?;
            Some((
                key.to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            ))
        });
        Some(Stored {
            content_type: answer.header("content-type"),
            cache_control: answer.header("cache-control"),
            metadata: custom.collect(),
            generation: answer
                .header("x-goog-generation")
                .parse()
                .expect("a generation"),
            bytes: answer.body,
        })
    }

    /// The default output of a picture, or none.
    pub async fn thumbnail(&self, source: &str) -> Option<Stored> {
        self.get("thumbs", &format!("thumbnails/{source}")).await
    }

    /// Deletes the object, which must exist.
    pub async fn delete(&self, bucket: &str, name: &str) {
        let path = format!("/storage/v1/b/{bucket}/o/{}", encode(name));
        let answer = self.call("DELETE", &path, &[], "").await;
        let done = answer.status == 200 || answer.status == 204;
        assert!(
            done,
            "delete {bucket}/{name}: {} {}",
            answer.status,
            answer.text()
        );
    }

    /// The names in a bucket, in order.
    pub async fn list(&self, bucket: &str) -> Vec<String> {
        let path = format!("/storage/v1/b/{bucket}/o?maxResults=100000");
        let answer = self.call("GET", &path, &[], "").await;
        assert_eq!(answer.status, 200, "list {bucket}: {}", answer.text());
        let listing: Value = serde_json::from_slice(&answer.body).expect("a listing");
        assert!(
            listing["nextPageToken"].is_null(),
            "one page holds the whole bucket"
        );
        let items = listing["items"].as_array().cloned().unwrap_or_default();
        let names = items.iter().filter_map(|item| item["name"].as_str());
        names.map(str::to_owned).collect()
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let url = format!("{}{path}", self.endpoint);
        let answer = self.client.send(method, &url, headers, body).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}
