//! Google's Pub/Sub emulator, which comes with the gcloud command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::Client;
use crate::server::Server;

/// A running emulator; dropping it ends its Java machine.
pub struct Pubsub {
    host: String,
    client: Client,
    _server: Server,
}

/// The dead-letter topic of messages that failed `attempts` times (5 to 100).
pub struct DeadLetter<'a> {
    pub topic: &'a str,
    pub attempts: u32,
}

impl Pubsub {
    /// The project of every topic and subscription.
    pub const PROJECT: &'static str = "test-project";

    /// Starts the emulator, without topics.
    ///
    /// Java is called directly, not through gcloud's wrapper scripts: so there is one process to kill, and no
    /// grandchild outlives the test.
    pub async fn start() -> Self {
        let jar = emulator_jar();
        let command = |port: u16| {
            let mut command = Command::new("java");
            command.arg("-jar").arg(&jar).arg("--host=127.0.0.1");
            command.arg(format!("--port={port}"));
            command
        };
        let (server, port) = Server::start(command, "Server started, listening on").await;
        Self {
            host: format!("127.0.0.1:{port}"),
            client: Client::new(),
            _server: server,
        }
    }

    /// `127.0.0.1:PORT`, what `PUBSUB_EMULATOR_HOST` takes.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Creates a topic; its name has three characters or more.
    pub async fn create_topic(&self, topic: &str) {
        self.call("PUT", &format!("topics/{topic}"), &json!({}))
            .await;
    }

    /// Creates a subscription that posts each message to `endpoint`.
    ///
    /// There is no retry policy on purpose: with one, the emulator gives up after 2-3 attempts.
    pub async fn create_push_subscription(
        &self,
        name: &str,
        topic: &str,
        endpoint: &str,
        ack_deadline_seconds: u32,
        dead_letter: Option<DeadLetter<'_>>,
    ) {
        let mut subscription = json!({
            "topic": resource("topics", topic),
            "pushConfig": { "pushEndpoint": endpoint },
            "ackDeadlineSeconds": ack_deadline_seconds,
        });
        if let Some(DeadLetter { topic, attempts }) = dead_letter {
            subscription["deadLetterPolicy"] = json!({
                "deadLetterTopic": resource("topics", topic),
                "maxDeliveryAttempts": attempts,
            });
        }
        self.call("PUT", &format!("subscriptions/{name}"), &subscription)
            .await;
    }

    /// Creates a subscription whose messages [`Self::pull`] takes.
    pub async fn create_pull_subscription(&self, name: &str, topic: &str) {
        let subscription = json!({ "topic": resource("topics", topic) });
        self.call("PUT", &format!("subscriptions/{name}"), &subscription)
            .await;
    }

    /// Pulls and acknowledges the present messages, without waiting for others.
    pub async fn pull(&self, subscription: &str) -> Vec<Value> {
        let path = format!("subscriptions/{subscription}");
        let most = json!({ "maxMessages": 1000, "returnImmediately": true });
        let answer = self.call("POST", &format!("{path}:pull"), &most).await;
        let Some(received) = answer["receivedMessages"].as_array() else {
            return Vec::new();
        };
        let ids: Vec<_> = received.iter().map(|message| &message["ackId"]).collect();
        let ids = json!({ "ackIds": ids });
        self.call("POST", &format!("{path}:acknowledge"), &ids)
            .await;
        let messages = received.iter().map(|message| message["message"].clone());
        messages.collect()
    }

    /// Publishes one message and returns its id.
    pub async fn publish(&self, topic: &str, payload: &[u8], attributes: &Value) -> String {
        let message = json!({ "data": STANDARD.encode(payload), "attributes": attributes });
        let body = json!({ "messages": [message] });
        let answer = self
            .call("POST", &format!("topics/{topic}:publish"), &body)
            .await;
        let id = answer["messageIds"][0].as_str();
        id.expect("a published message has an id").to_owned()
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("http://{}/v1/projects/{}/{path}", self.host, Self::PROJECT);
        let headers = [("content-type", "application/json")];
        let answer = self
            .client
            .send(method, &url, &headers, body.to_string())
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("the emulator answers JSON")
    }
}

fn resource(kind: &str, name: &str) -> String {
    format!("projects/{}/{kind}/{name}", Pubsub::PROJECT)
}

/// The emulator's archive below the root of the SDK that the `gcloud` command belongs to.
fn emulator_jar() -> PathBuf {
    let gcloud = on_path("gcloud").expect(
        "the gcloud command isn't on the PATH: install the Google Cloud SDK with its Pub/Sub \
         emulator (component pubsub-emulator)",
    );
    assert!(
        on_path("java").is_some(),
        "java isn't on the PATH: the Pub/Sub emulator needs it"
    );
    let gcloud = gcloud
        .canonicalize()
        .expect("gcloud's link leads to a file");
    let mut roots = gcloud.ancestors();
    let jar = roots.find_map(|root| jar_in(&root.join("platform/pubsub-emulator/lib")));
    jar.unwrap_or_else(|| {
        let gcloud = gcloud.display();
        panic!("the SDK of {gcloud} has no Pub/Sub emulator: install its component pubsub-emulator")
    })
}

fn jar_in(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let mut jars =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "jar"));
    jars.next()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join(program));
    files.find(|file| file.is_file())
}
