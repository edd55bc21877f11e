//! The target bucket's own notifications, by which an app gets each rendition's metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ImageFormat;
use serde_json::{Value, json};

use crate::app::App;
use crate::chain::most_refusals;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{colour, plain, size};
use crate::proxy::{Call, Fault, Proxy};
use crate::pubsub::{DeadLetter, Pubsub};
use crate::rng::Rng;
use crate::until::until;

const PICTURES: usize = 50;
const RENDITIONS: &str = "thumbnails/{name}?size=128x128
    {dir}large/{stem}.webp?size=300x&format=webp
    small/{name}.jpg?size=40x40&fit=cover&format=jpeg";

/// The storage server has one topic for uploads and outputs: the service is pushed all of it, and the app takes the
/// messages about the target bucket.
struct Chain {
    pubsub: Pubsub,
    gcs: FakeGcs,
    proxy: Proxy,
    /// The generation of each picture that is uploaded.
    uploaded: Vec<i64>,
    received: Mutex<Vec<Received>>,
}

/// A message as the app receives it.
#[derive(Debug, Clone)]
struct Received {
    name: String,
    generation: i64,
    metadata: BTreeMap<String, String>,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs gcloud's Pub/Sub emulator"]
async fn the_app_is_told_of_each_rendition_with_its_size() {
    let mut rng = Rng::from_environment("results");
    let mut chain = Chain::start().await;
    let app = chain.serve("0").await;
    let (_, port) = app.address().rsplit_once(':').expect("a port");
    let dead = Some(DeadLetter {
        topic: "dead-letters",
        attempts: 100,
    });
    let pubsub = &chain.pubsub;
    pubsub
        .create_push_subscription("push", "events", &app.url(), 60, dead)
        .await;
    pubsub.create_pull_subscription("app", "events").await;

    // No faults, and then every message comes once more.
    chain.upload(20).await;
    until("the first messages", async || {
        chain.has_received_all().await
    })
    .await;
    chain.duplicate(&mut rng).await;

    // An outage of the storage, until a message was answered 503 twice.
    for call in Call::ALL {
        chain.proxy.inject(call, Fault::Status(503), usize::MAX);
    }
    chain.upload(35).await;
    until("a redelivery", async || most_refusals(&app) > 1).await;
    chain.proxy.clear();

    // The service is killed between two renditions of a picture, and restarted.
    chain.proxy.inject(Call::Write, Fault::HeldUntilCleared, 1);
    chain.upload(PICTURES).await;
    let proxy = &chain.proxy;
    proxy
        .until_hit(Call::Write, Fault::HeldUntilCleared, 0)
        .await;
    app.kill();
    chain.proxy.clear();
    let next = chain.serve(port).await;
    chain.duplicate(&mut rng).await;

    let last = json!({ "eventType": "OBJECT_DELETE" });
    let last = chain.pubsub.publish("events", b"", &last).await;
    let last: u64 = last.parse().expect("the emulator counts its messages");
    until("an acknowledgement of each message", async || {
        let acknowledged = &app.acknowledged() | &next.acknowledged();
        (1..last).all(|id| acknowledged.contains(&id))
    })
    .await;
    until("all messages", async || chain.has_received_all().await).await;
    chain.assert_received().await;
}

impl Chain {
    async fn start() -> Self {
        let pubsub = Pubsub::start().await;
        pubsub.create_topic("events").await;
        pubsub.create_topic("dead-letters").await;
        let gcs = FakeGcs::start_publishing(&pubsub, "events").await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let proxy = Proxy::start(gcs.endpoint()).await;
        Self {
            pubsub,
            gcs,
            proxy,
            uploaded: Vec::new(),
            received: Mutex::default(),
        }
    }

    async fn serve(&self, port: &str) -> App {
        App::start(&[
            ("TARGET_BUCKET", "thumbs"),
            ("RENDITIONS", RENDITIONS),
            ("STORAGE_EMULATOR_HOST", self.proxy.endpoint()),
            ("PORT", port),
        ])
        .await
    }

    /// Uploads pictures until there are so many.
    async fn upload(&mut self, count: usize) {
        while self.uploaded.len() < count {
            let number = self.uploaded.len();
            let (width, height) = sides(number);
            let format = [ImageFormat::Jpeg, ImageFormat::Png][number % 2];
            let picture = plain(width, height, colour(number), format);
            let name = name(number);
            let put = self.gcs.put("photos", &name, &picture, "image/any", &[]);
            self.uploaded.push(put.await);
        }
    }

    /// Publishes the notification of every upload so far once more, in a random order.
    async fn duplicate(&self, rng: &mut Rng) {
        let mut again: Vec<_> = self.uploaded.iter().enumerate().collect();
        rng.shuffle(&mut again);
        for (number, generation) in again {
            let attributes = json!({
                "eventType": "OBJECT_FINALIZE",
                "payloadFormat": "NONE",
                "bucketId": "photos",
                "objectId": name(number),
                "objectGeneration": generation.to_string(),
            });
            self.pubsub.publish("events", b"", &attributes).await;
        }
    }

    /// Takes the new messages, and returns whether the app knows the present state of each rendition.
    async fn has_received_all(&self) -> bool {
        let messages = self.pubsub.pull("app").await;
        self.received()
            .extend(messages.iter().filter_map(Received::of));
        let received = self.received().clone();
        let names: BTreeSet<_> = received.iter().map(|received| &received.name).collect();
        let wanted = self.wanted();
        if wanted.keys().any(|name| !names.contains(name)) {
            return false;
        }
        for name in wanted.keys() {
            let stored = self.gcs.get("thumbs", name).await;
            let generation = stored.map(|stored| stored.generation);
            let mut received = received.iter().filter(|received| received.name == *name);
            if !received.any(|received| Some(received.generation) == generation) {
                return false;
            }
        }
        true
    }

    /// The names of all renditions, each with its picture's number.
    fn wanted(&self) -> BTreeMap<String, usize> {
        let names = (0..self.uploaded.len()).flat_map(|number| {
            let name = name(number);
            let (folder, file) = name.rsplit_once('/').expect("it is in a folder");
            let stem = file.split_once('.').expect("it has an extension").0;
            [
                format!("thumbnails/{name}"),
                format!("{folder}/large/{stem}.webp"),
                format!("small/{name}.jpg"),
            ]
            .map(|name| (name, number))
        });
        names.collect()
    }

    async fn assert_received(&self) {
        let wanted = self.wanted();
        assert_eq!(wanted.len(), 3 * PICTURES);
        let names: BTreeSet<_> = self.gcs.list("thumbs").await.into_iter().collect();
        assert_eq!(names, wanted.keys().cloned().collect());
        let mut sizes = BTreeMap::new();
        for name in wanted.keys() {
            let stored = self.gcs.get("thumbs", name).await.expect("it is listed");
            sizes.insert(name, size(&stored.bytes));
        }
        let received = self.received();
        println!(
            "results: {} messages of {} renditions",
            received.len(),
            sizes.len()
        );
        for received in received.iter() {
            let number = wanted[&received.name];
            assert_eq!(
                received.sides("width", "height"),
                sizes[&received.name],
                "{received:?}"
            );
            let source = received.sides("source-width", "source-height");
            assert_eq!(source, sides(number), "{received:?}");
            assert_eq!(received.metadata["source-bucket"], "photos");
            assert_eq!(received.metadata["source-name"], name(number));
            let generation = self.uploaded[number].to_string();
            assert_eq!(received.metadata["source-generation"], generation);
            let recipe = received.metadata["rendition"].starts_with("size=");
            assert!(recipe, "{received:?}");
            let hash = STANDARD.decode(&received.metadata["thumbhash"]);
            assert!(hash.is_ok_and(|hash| hash.len() > 5), "{received:?}");
        }
    }

    fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received
            .lock()
            .expect("nothing panics while it is held")
    }
}

impl Received {
    /// `None` if the message is about another bucket than the app's.
    fn of(message: &Value) -> Option<Self> {
        let attribute = |key: &str| message["attributes"][key].as_str();
        if attribute("bucketId") != Some("thumbs") {
            return None;
        }
        assert_eq!(attribute("eventType"), Some("OBJECT_FINALIZE"));
        let payload = message["data"].as_str().expect("a payload");
        let payload = STANDARD.decode(payload).expect("base64");
        let object: Value = serde_json::from_slice(&payload).expect("JSON");
        let metadata = serde_json::from_value(object["metadata"].clone());
        Some(Self {
            name: attribute("objectId")?.to_owned(),
            generation: attribute("objectGeneration")?.parse().ok()?,
            metadata: metadata.expect("a rendition has metadata"),
        })
    }

    fn sides(&self, width: &str, height: &str) -> (u32, u32) {
        let side = |key| self.metadata[key].parse().expect("a number");
        (side(width), side(height))
    }
}

fn name(number: usize) -> String {
    let extension = ["jpg", "png"][number % 2];
    format!("album {}/été & {number}.{extension}", number % 3)
}

/// Portrait, landscape, and sides longer or smaller than the renditions'.
fn sides(number: usize) -> (u32, u32) {
    let number = u32::try_from(number).expect("it is small");
    (30 + number * 37 % 411, 25 + number * 53 % 397)
}
