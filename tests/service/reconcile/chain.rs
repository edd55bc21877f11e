//! The whole chain: old objects, announced by `reconcile` to Pub/Sub, and made by the service.

use std::collections::BTreeMap;

use super::{Ended, picture, run, spawn, wait};
use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour};
use crate::pubsub::Pubsub;
use crate::storage_control::StorageControl;
use crate::until::until;

const COUNT: usize = 300;
const OVERWRITTEN: usize = 50;
const DELETED: usize = 20;

struct Chain {
    pubsub: Pubsub,
    gcs: FakeGcs,
    control: StorageControl,
    /// Each source's live generation and version.
    sources: BTreeMap<String, (i64, usize)>,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs gcloud's Pub/Sub emulator"]
async fn reconcile_brings_sources_and_thumbnails_to_an_exact_match() {
    let mut chain = Chain::start().await;
    for number in 0..COUNT {
        chain.put(number, 1).await;
    }
    let app = chain.serve().await;

    let first = chain.reconcile().await;
    assert_eq!(
        (first.code, first.count("announced")),
        (Some(0), 300),
        "{:#?}",
        first.log
    );
    chain.wait_for_match().await;
    let second = chain.reconcile().await;
    assert_eq!(
        (second.count("announced"), second.count("current")),
        (0, 300)
    );

    // Changes during a run are found by this run or by the next.
    let running = chain.spawn();
    for number in 0..OVERWRITTEN {
        chain.put(number * 3, 2).await;
    }
    for number in 0..DELETED {
        chain.delete(number * 5 + 151).await;
    }
    let running = wait(running).await;
    assert_eq!(running.code, Some(0), "{:#?}", running.log);
    // If a picture is deleted while its event is in flight, its thumbnail may be written after the third run has
    // looked, and only a later run would delete it.
    let announced = first.count("announced") + running.count("announced");
    until("an acknowledgement of each message", async || {
        app.acknowledged().len() as u64 >= announced
    })
    .await;
    let third = chain.reconcile().await;
    assert_eq!(third.code, Some(0), "{:#?}", third.log);
    chain.wait_for_match().await;
    let last = chain.reconcile().await;
    assert_eq!((last.count("announced"), last.count("pruned")), (0, 0));
    assert_eq!(last.count("current"), 280);
    drop(app);
}

const ARGUMENTS: [&str; 3] = [
    "photos",
    "--prune",
    "--topic=projects/test-project/topics/new-pictures",
];

impl Chain {
    async fn start() -> Self {
        let pubsub = Pubsub::start().await;
        pubsub.create_topic("new-pictures").await;
        let gcs = FakeGcs::start().await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let control = StorageControl::over(&gcs).await;
        control.page_size(32);
        Self {
            pubsub,
            gcs,
            control,
            sources: BTreeMap::new(),
        }
    }

    async fn serve(&self) -> App {
        let app = App::start(&[
            ("STORAGE_EMULATOR_HOST", self.gcs.endpoint()),
            ("TARGET_BUCKET", "thumbs"),
        ])
        .await;
        self.pubsub
            .create_push_subscription("push", "new-pictures", &app.url(), 60, None)
            .await;
        app
    }

    async fn put(&mut self, number: usize, version: usize) {
        let name = format!("{}/{number}.png", number % 7);
        let generation = self
            .gcs
            .put("photos", &name, &picture(version), "image/png", &[])
            .await;
        self.sources.insert(name, (generation, version));
    }

    async fn delete(&mut self, number: usize) {
        let name = format!("{}/{number}.png", number % 7);
        self.gcs.delete("photos", &name).await;
        self.sources.remove(&name);
    }

    fn environment(&self) -> [(&str, &str); 4] {
        [
            ("STORAGE_EMULATOR_HOST", self.gcs.endpoint()),
            ("STORAGE_CONTROL_ENDPOINT", self.control.endpoint()),
            ("PUBSUB_EMULATOR_HOST", self.pubsub.host()),
            ("TARGET_BUCKET", "thumbs"),
        ]
    }

    fn spawn(&self) -> std::process::Child {
        spawn(&ARGUMENTS, &self.environment())
    }

    async fn reconcile(&self) -> Ended {
        run(&ARGUMENTS, &self.environment()).await
    }

    /// Waits until each source has the thumbnail of its live version and there is no other thumbnail.
    async fn wait_for_match(&self) {
        let wanted: Vec<_> = self
            .sources
            .keys()
            .map(|name| format!("thumbnails/{name}"))
            .collect();
        until("an exact match", async || {
            self.gcs.list("thumbs").await == wanted && self.all_current().await
        })
        .await;
        for (name, (_, version)) in &self.sources {
            let stored = self.gcs.thumbnail(name).await;
            let bytes = stored.expect("it was listed").bytes;
            assert_plain(&bytes, colour(*version), name);
        }
    }

    async fn all_current(&self) -> bool {
        for (name, (generation, _)) in &self.sources {
            let stored = self.gcs.thumbnail(name).await;
            let shown = stored.and_then(|stored| stored.metadata.get("source-generation").cloned());
            if shown != Some(generation.to_string()) {
                return false;
            }
        }
        true
    }
}
