//! Order and duplicates: in whatever order events come, the thumbnail ends up showing the newest picture.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use image::ImageFormat;
use tokio::task::JoinSet;

use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::{Call, Fault, Proxy};
use crate::rng::Rng;
use crate::three;

const NAMES: usize = 50;
const VERSIONS: usize = 4;
const COPIES: usize = 5;
/// Deliveries in flight at once, over both instances.
const WORKERS: usize = 16;

/// The faults of one of the two instances: refusals, lost answers and late writes.
const FAULTS: [(Call, Fault); 5] = [
    (Call::Open, Fault::Status(503)),
    (Call::Write, Fault::AfterCommit),
    (Call::Write, Fault::HeldUntilCleared),
    (Call::LookAtThumbnail, Fault::ResetBefore),
    (Call::LookAtSource, Fault::HeldUntilCleared),
];

#[derive(Clone, Copy)]
struct Delivery {
    name: usize,
    version: usize,
    instance: usize,
}

struct Chain {
    gcs: FakeGcs,
    instances: [App; 2],
    queue: Mutex<VecDeque<Delivery>>,
    /// The generations of each name's uploaded versions.
    uploaded: Vec<tokio::sync::Mutex<Vec<i64>>>,
    refused: Mutex<usize>,
    /// Between one of the instances and the storage.
    proxy: Proxy,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_picture_ends_up_in_the_thumbnail() {
    let mut rng = Rng::from_environment("order");
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    gcs.create_bucket("thumbs").await;
    let proxy = Proxy::start(gcs.endpoint()).await;
    let instances = [start(gcs.endpoint()).await, start(proxy.endpoint()).await];

    let mut deliveries = Vec::new();
    for number in 0..NAMES * VERSIONS * COPIES {
        deliveries.push(Delivery {
            name: number % NAMES,
            version: number / NAMES % VERSIONS,
            instance: rng.below(2),
        });
    }
    rng.shuffle(&mut deliveries);
    assert_eq!(deliveries.len(), 1000);
    let chain = Arc::new(Chain {
        gcs,
        instances,
        queue: Mutex::new(deliveries.into()),
        uploaded: (0..NAMES).map(|_| tokio::sync::Mutex::default()).collect(),
        refused: Mutex::default(),
        proxy,
    });
    let mut workers: JoinSet<()> = (0..WORKERS).map(|_| deliver(Arc::clone(&chain))).collect();
    while let Some(worker) = workers.join_next().await {
        worker.expect("no worker fails");
    }

    println!(
        "order: 1000 events, {} answered 503 and redelivered",
        chain.refused.lock().unwrap()
    );
    for name in 0..NAMES {
        let newest = *chain.uploaded[name]
            .lock()
            .await
            .last()
            .expect("every name was uploaded");
        let object = object(name);
        let thumbnail = chain.gcs.thumbnail(&object).await;
        let thumbnail = thumbnail.unwrap_or_else(|| panic!("{object} has no thumbnail"));
        assert_plain(&thumbnail.bytes, colour_of(name, VERSIONS - 1), &object);
        assert_eq!(thumbnail.source_generation(), Some(newest), "{object}");
        three::assert_generation(&chain.gcs, &object, Some(newest)).await;
    }
    for (call, fault) in FAULTS {
        let hits = chain.proxy.hits(call, fault);
        println!("order: {hits} × {call:?} × {fault:?}");
        assert!(hits > 0, "{call:?} never met {fault:?}");
    }
}

#[tokio::test]
async fn a_write_that_comes_late_does_not_bring_the_old_picture_back() {
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    gcs.create_bucket("thumbs").await;
    let slow = Proxy::start(gcs.endpoint()).await;
    let instances = [start(slow.endpoint()).await, start(gcs.endpoint()).await];
    // The call of the old version's event that is held up, and the number of versions before it.
    for (held, before) in [
        (Call::Open, 0),
        (Call::Write, 0),
        (Call::Write, 1),
        (Call::LookAtThumbnail, 1),
        (Call::LookAtSource, 1),
    ] {
        let object = format!("late/{held:?}-{before}.png");
        // Uploads the version in the way, if any, then the old version and the newest.
        for version in 0..before {
            let generation = put(&gcs, &object, version).await;
            assert_eq!(instances[1].push("photos", &object, generation).await, 204);
        }
        let old = put(&gcs, &object, before).await;
        let hits = slow.hits(held, Fault::HeldUntilCleared);
        slow.inject(held, Fault::HeldUntilCleared, 1);
        let newest = async {
            slow.until_hit(held, Fault::HeldUntilCleared, hits).await;
            let newest = put(&gcs, &object, before + 1).await;
            assert_eq!(instances[1].push("photos", &object, newest).await, 204);
            slow.clear();
            newest
        };
        let (late, newest) = tokio::join!(instances[0].push("photos", &object, old), newest);
        assert_eq!(
            late, 204,
            "{object}: the newest version has made the old one's event moot"
        );
        let thumbnail = gcs.thumbnail(&object).await;
        let thumbnail = thumbnail.unwrap_or_else(|| panic!("{object} has no thumbnail"));
        assert_plain(&thumbnail.bytes, colour(before + 1), &object);
        assert_eq!(thumbnail.source_generation(), Some(newest), "{object}");
        three::assert_generation(&gcs, &object, Some(newest)).await;
    }
}

async fn put(gcs: &FakeGcs, object: &str, version: usize) -> i64 {
    let picture = plain(64, 48, colour(version), ImageFormat::Png);
    gcs.put("photos", object, &picture, "image/png", &[]).await
}

/// Takes deliveries from the queue until there is none, and puts back those that aren't acknowledged.
async fn deliver(chain: Arc<Chain>) {
    loop {
        let delivery = {
            let mut queue = chain.queue.lock().unwrap();
            if queue.len().is_multiple_of(50) {
                // Held requests go on now, late by fifty deliveries.
                chain.proxy.clear();
                for (call, fault) in FAULTS {
                    chain.proxy.inject(call, fault, 3);
                }
            }
            queue.pop_front()
        };
        let Some(delivery) = delivery else {
            // The faults may hold up the others' last deliveries.
            chain.proxy.clear();
            return;
        };
        let generation = chain.upload(delivery).await;
        let instance = &chain.instances[delivery.instance];
        let status = instance
            .push("photos", &object(delivery.name), generation)
            .await;
        if status == 204 {
            continue;
        }
        assert_eq!(status, 503, "the push of a good event");
        chain.queue.lock().unwrap().push_back(delivery);
        let mut refused = chain.refused.lock().unwrap();
        *refused += 1;
        assert!(*refused < 10_000, "redelivery comes to an end");
    }
}

impl Chain {
    /// Uploads a name's versions up to this one, so that no event precedes its upload, and returns this one's
    /// generation.
    async fn upload(&self, Delivery { name, version, .. }: Delivery) -> i64 {
        let mut generations = self.uploaded[name].lock().await;
        while generations.len() <= version {
            let picture = plain(64, 48, colour_of(name, generations.len()), ImageFormat::Png);
            let object = object(name);
            let put = self.gcs.put("photos", &object, &picture, "image/png", &[]);
            generations.push(put.await);
        }
        generations[version]
    }
}

async fn start(storage: &str) -> App {
    App::start(&[
        ("TARGET_BUCKET", "thumbs"),
        ("RENDITIONS", three::RENDITIONS),
        ("STORAGE_EMULATOR_HOST", storage),
    ])
    .await
}

fn object(name: usize) -> String {
    format!("album/{name}.png")
}

fn colour_of(name: usize, version: usize) -> [u8; 3] {
    colour(name * VERSIONS + version)
}
