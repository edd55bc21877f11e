//! The whole chain of upload, notification, Pub/Sub, push and thumbnail, with an outage and a crash.

use image::{DynamicImage, ImageFormat};
use serde_json::json;

use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour};
use crate::proxy::{Call, Fault, Proxy};
use crate::pubsub::{DeadLetter, Pubsub};
use crate::rng::Rng;
use crate::until::until;

/// Names that could be misread in a path, a query, a log line or a file system.
const NAMES: [&str; 36] = [
    "plain.jpg",
    "UPPER.JPEG",
    "two words.png",
    " leading and trailing .jpg",
    "Été 2026/café & co #1+%.jpg",
    "写真/日本語.png",
    "Москва.jpeg",
    "عربي.png",
    "emoji 🌄.jpg",
    "e\u{301} combining.png",
    "%2F.jpg",
    "a%2Fb%2f..%2F.png",
    "%00%0d%0a.jpg",
    "100%.png",
    "#hash.jpg",
    "?alt=media&generation=1.png",
    "../outside.jpg",
    "a/../../b.png",
    "a/./b.jpg",
    "....png",
    "dots..jpg",
    "/absolute.png",
    "//double//slash.jpg",
    "a//b.png",
    ".jpg",
    "folder/.png",
    "quote\"s and 'apostrophes'.jpg",
    "back\\slash.png",
    "tab\there.jpg",
    "[brackets]*{braces}.png",
    "<script>alert(1)</script>.jpg",
    "semi;colon,comma=equals+plus.png",
    "~tilde`tick^caret|pipe.jpg",
    "thumbnails/nested.png",
    "archive.tar.png.jpg",
    "user@host:80!$.png",
];
const COUNT: usize = 56;
const WAVES: usize = 3;

struct Chain {
    pubsub: Pubsub,
    gcs: FakeGcs,
    proxy: Proxy,
    names: Vec<String>,
    /// The generations of each name's versions.
    uploaded: Vec<Vec<i64>>,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs gcloud's Pub/Sub emulator"]
async fn every_upload_becomes_the_thumbnail_of_the_newest_picture() {
    let mut rng = Rng::from_environment("chain");
    let mut chain = Chain::start().await;
    let app = chain.serve("0").await;
    let port = app
        .address()
        .rsplit_once(':')
        .expect("an address has a port")
        .1
        .to_owned();
    let dead = Some(DeadLetter {
        topic: "dead-letters",
        attempts: 100,
    });
    chain
        .pubsub
        .create_push_subscription("push", "uploads", &app.url(), 60, dead)
        .await;

    // The first wave, of which one write is held up until the next version's thumbnail is there.
    chain.proxy.inject(Call::Write, Fault::HeldUntilCleared, 1);
    chain.upload(&mut rng).await;
    chain
        .until("a held write", async |chain| chain.held().is_some())
        .await;
    let held = chain.held().expect("it was waited for");
    chain.upload(&mut rng).await;
    chain
        .until("the held write's successor", async |chain| {
            chain.is_newest(held).await
        })
        .await;
    chain.proxy.clear();
    let old = chain.uploaded[held][0];
    chain
        .until("the end of the held write", async |_| is_done(&app, old))
        .await;
    assert!(
        chain.is_newest(held).await,
        "the held write brought the old picture back"
    );

    // An outage: events are answered 503 and redelivered.
    for call in Call::ALL {
        chain.proxy.inject(call, Fault::Status(503), usize::MAX);
    }
    chain.duplicate(&mut rng).await;
    chain
        .until("a redelivery of a redelivery", async |_| {
            most_refusals(&app) > 2
        })
        .await;
    chain.proxy.clear();

    // The service is killed in the middle of the third wave, and restarted.
    chain.upload(&mut rng).await;
    let some = async |chain: &Chain| chain.newest().await > 5;
    chain.until("some of the third wave", some).await;
    app.kill();
    let next = chain.serve(&port).await;
    chain.duplicate(&mut rng).await;

    let last = chain
        .pubsub
        .publish("uploads", b"", &json!({ "eventType": "OBJECT_DELETE" }))
        .await;
    let last: u64 = last.parse().expect("the emulator counts its messages");
    chain
        .until("an acknowledgement of each message", async |_| {
            let acknowledged = &app.acknowledged() | &next.acknowledged();
            (1..last).all(|id| acknowledged.contains(&id))
        })
        .await;
    chain.assert_newest().await;
    println!(
        "chain: {last} messages, {} thumbnails",
        chain.gcs.list("thumbs").await.len()
    );
}

impl Chain {
    async fn start() -> Self {
        let pubsub = Pubsub::start().await;
        pubsub.create_topic("uploads").await;
        pubsub.create_topic("dead-letters").await;
        let gcs = FakeGcs::start_publishing(&pubsub, "uploads").await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let proxy = Proxy::start(gcs.endpoint()).await;
        let mut names: Vec<String> = NAMES.map(str::to_owned).into();
        names.push(format!("{}.jpg", "long".repeat(249)));
        names.push(format!("{}.png", "é".repeat(498)));
        for number in names.len()..COUNT {
            names.push(format!("album/{number}.{}", ["jpg", "png"][number % 2]));
        }
        assert!(names.iter().filter(|name| name.len() == 1000).count() >= 2);
        let uploaded = vec![Vec::new(); COUNT];
        Self {
            pubsub,
            gcs,
            proxy,
            names,
            uploaded,
        }
    }

    async fn serve(&self, port: &str) -> App {
        let storage = self.proxy.endpoint();
        let environment = [
            ("TARGET_BUCKET", "thumbs"),
            ("STORAGE_EMULATOR_HOST", storage),
        ];
        App::start(&[environment[0], environment[1], ("PORT", port)]).await
    }

    /// Uploads the next version of every name, in a random order.
    async fn upload(&mut self, rng: &mut Rng) {
        let mut order: Vec<usize> = (0..COUNT).collect();
        rng.shuffle(&mut order);
        for number in order {
            let name = &self.names[number];
            let picture = picture(number, self.uploaded[number].len());
            let put = self
                .gcs
                .put("photos", name, &picture, "application/octet-stream", &[]);
            self.uploaded[number].push(put.await);
        }
    }

    /// Publishes the notification of every upload so far once more, in a random order.
    async fn duplicate(&self, rng: &mut Rng) {
        let mut again: Vec<(&String, i64)> = Vec::new();
        for (name, generations) in self.names.iter().zip(&self.uploaded) {
            again.extend(generations.iter().map(|generation| (name, *generation)));
        }
        rng.shuffle(&mut again);
        for (name, generation) in again {
            let attributes = json!({
                "eventType": "OBJECT_FINALIZE",
                "payloadFormat": "NONE",
                "bucketId": "photos",
                "objectId": name,
                "objectGeneration": generation.to_string(),
            });
            self.pubsub.publish("uploads", b"", &attributes).await;
        }
    }

    /// The number of the name whose first version's write is held up in the proxy.
    fn held(&self) -> Option<usize> {
        let mut writes = self.proxy.requests_of(Call::Write).into_iter();
        let held = writes.find(|write| write.fault == Some(Fault::HeldUntilCleared))?;
        let body = String::from_utf8_lossy(&held.body).into_owned();
        self.uploaded
            .iter()
            .position(|versions| body.contains(&versions[0].to_string()))
    }

    async fn is_newest(&self, number: usize) -> bool {
        let name = format!("thumbnails/{}", self.names[number]);
        let thumbnail = self.gcs.get("thumbs", &name).await;
        let newest = self.uploaded[number].last().copied();
        thumbnail.is_some_and(|stored| stored.source_generation() == newest)
    }

    /// How many names have the thumbnail of their newest picture.
    async fn newest(&self) -> usize {
        let mut count = 0;
        for number in 0..COUNT {
            count += usize::from(self.is_newest(number).await);
        }
        count
    }

    async fn assert_newest(&self) {
        for (number, name) in self.names.iter().enumerate() {
            let thumbnail = self.gcs.thumbnail(name).await;
            let thumbnail = thumbnail.unwrap_or_else(|| panic!("{name} has no thumbnail"));
            assert_eq!(self.uploaded[number].len(), WAVES);
            assert_plain(&thumbnail.bytes, colour_of(number, WAVES - 1), name);
            assert_eq!(
                thumbnail.source_generation(),
                self.uploaded[number].last().copied()
            );
        }
        assert_eq!(self.gcs.list("thumbs").await.len(), COUNT);
    }

    async fn until(&self, what: &str, met: impl AsyncFn(&Self) -> bool) {
        until(what, async || met(self).await).await;
    }
}

/// Whether the event of this generation was answered with 204.
fn is_done(app: &App, generation: i64) -> bool {
    let generation = generation.to_string();
    let lines = app.log_lines();
    let mut done = lines.iter().filter(|line| line["outcome"] != "failed");
    done.any(|line| line["generation"] == *generation)
}

/// The most failed deliveries of one message.
pub fn most_refusals(app: &App) -> usize {
    let lines = app.log_lines();
    let refused = lines.iter().filter(|line| line["outcome"] == "failed");
    let mut ids: Vec<String> = refused.map(|line| line["message_id"].to_string()).collect();
    ids.sort();
    ids.chunk_by(|a, b| a == b)
        .map(<[String]>::len)
        .max()
        .unwrap_or_default()
}

/// A picture in one of the encoders' formats and colour types.
fn picture(number: usize, version: usize) -> Vec<u8> {
    let (width, height) = (40 + 9 * u32::try_from(number).expect("it is small"), 150);
    let pixel = image::Rgb(colour_of(number, version));
    let picture = DynamicImage::from(image::RgbImage::from_pixel(width, height, pixel));
    let (picture, format) = match number % KINDS {
        0 => (picture, ImageFormat::Jpeg),
        1 => (DynamicImage::from(picture.to_luma8()), ImageFormat::Jpeg),
        2 => (picture, ImageFormat::Png),
        3 => (DynamicImage::from(picture.to_rgba8()), ImageFormat::Png),
        4 => (DynamicImage::from(picture.to_luma8()), ImageFormat::Png),
        5 => (
            DynamicImage::from(picture.to_luma_alpha8()),
            ImageFormat::Png,
        ),
        6 => (DynamicImage::from(picture.to_rgb16()), ImageFormat::Png),
        _ => (DynamicImage::from(picture.to_rgba16()), ImageFormat::Png),
    };
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, format)
        .expect("a picture can be written to memory");
    file.into_inner()
}

const KINDS: usize = 8;

/// The picture's colour; grey where its kind has none.
fn colour_of(number: usize, version: usize) -> [u8; 3] {
    if matches!(number % KINDS, 1 | 4 | 5) {
        // The blue channel alone differs from version to version.
        let [_, _, blue] = colour((number + version * 3) % 8 * 64);
        return [blue; 3];
    }
    colour(number * WAVES + version)
}
