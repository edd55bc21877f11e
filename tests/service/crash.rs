//! Kills or terminates the service under load: nothing acknowledged is lost, nothing is torn.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use image::ImageFormat;
use tokio::task::JoinSet;

use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::{Call, Fault, Proxy};
use crate::rng::Rng;
use crate::three;

const PICTURES: usize = 120;
const WORKERS: usize = 8;

/// The pending events: each picture's number and its generation.
type Pending = BTreeMap<usize, i64>;

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_under_load_loses_and_tears_nothing() {
    let mut rng = Rng::from_environment("crash");
    let (gcs, mut pending) = uploaded().await;
    let mut kills = 0;
    while !pending.is_empty() {
        let app = Arc::new(start(gcs.endpoint()).await);
        let last = 1 + rng.below(PICTURES / 8);
        let acknowledged = deliver(&app, &pending, last, App::kill).await;
        kills += 1;
        for number in acknowledged {
            let generation = pending.remove(&number);
            assert_stored(&gcs, number, generation).await;
        }
    }
    println!("crash: killed {kills} times");
    assert!(kills >= 5, "{PICTURES} pictures outlast 5 kills");
    assert_eq!(gcs.list("thumbs").await.len(), 3 * PICTURES);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_finishes_what_was_begun() {
    let mut rng = Rng::from_environment("sigterm");
    let (gcs, pending) = uploaded().await;
    let app = Arc::new(start(gcs.endpoint()).await);
    let last = 1 + rng.below(PICTURES / 2);
    let acknowledged = deliver(&app, &pending, last, App::sigterm).await;
    assert!(app.wait().await.success(), "the exit after SIGTERM");
    println!(
        "sigterm: {} of {PICTURES} were acknowledged",
        acknowledged.len()
    );
    for number in acknowledged {
        assert_stored(&gcs, number, pending.get(&number).copied()).await;
    }
    // Events that weren't acknowledged are redelivered to the next instance.
    let next = Arc::new(start(gcs.endpoint()).await);
    let acknowledged = deliver(&next, &pending, usize::MAX, |_| {}).await;
    assert_eq!(acknowledged.len(), PICTURES);
    for (number, generation) in pending {
        assert_stored(&gcs, number, Some(generation)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_503_for_what_storage_holds_up() {
    let (gcs, pending) = uploaded().await;
    let proxy = Proxy::start(gcs.endpoint()).await;
    proxy.inject(Call::Write, Fault::StallAtHeaders, usize::MAX);
    let app = Arc::new(start(proxy.endpoint()).await);
    let push = {
        let app = Arc::clone(&app);
        let generation = pending[&0];
        tokio::spawn(async move { app.push("photos", &object(0), generation).await })
    };
    proxy.until_hit(Call::Write, Fault::StallAtHeaders, 0).await;
    let told = Instant::now();
    app.sigterm();
    assert!(app.wait().await.success(), "the exit after SIGTERM");
    // Cloud Run kills after 10 s: this limit is the platform's, not a measurement.
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "{:?} until the exit",
        told.elapsed()
    );
    assert_eq!(push.await.expect("the push is answered"), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_waits_for_no_thread_that_hangs() {
    let store = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(store.path().join("photos")).expect("a bucket");
    // A pipe without a writer hangs its reader, like a file server that is gone.
    let pipe = store.path().join("photos/pipe.jpg");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("there is mkfifo").success());
    let folder = store.path().to_str().expect("a plain path");
    let app = App::start(&[
        ("TARGET_BUCKET", "thumbs"),
        ("STORAGE_DIR", folder),
        ("EVENT_TIMEOUT", "1s"),
    ])
    .await;
    assert_eq!(app.push("photos", "pipe.jpg", 0).await, 503);
    app.sigterm();
    assert!(app.wait().await.success(), "the exit after SIGTERM");
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_leaves_no_torn_file_in_a_folder() {
    let mut rng = Rng::from_environment("folder");
    let store = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir_all(store.path().join("photos/album")).expect("a bucket");
    let mut pending = Pending::new();
    for number in 0..PICTURES {
        let picture = plain(160, 120, colour(number), ImageFormat::Jpeg);
        let file = store.path().join("photos").join(object(number));
        std::fs::write(file, picture).expect("a picture dropped in by hand");
        // No generation is announced, which means the live one.
        pending.insert(number, 0);
    }
    let folder = store.path().to_str().expect("a plain path");
    let thumbnails = store.path().join("thumbs/thumbnails");
    while !pending.is_empty() {
        let app = App::start(&[("TARGET_BUCKET", "thumbs"), ("STORAGE_DIR", folder)]).await;
        let last = 1 + rng.below(PICTURES / 8);
        for number in deliver(&Arc::new(app), &pending, last, App::kill).await {
            pending.remove(&number);
            assert!(
                thumbnails.join(object(number)).is_file(),
                "{number} was acknowledged"
            );
        }
        // A thumbnail is whole, acknowledged or not.
        for number in 0..PICTURES {
            if let Ok(file) = std::fs::read(thumbnails.join(object(number))) {
                assert_plain(&file, colour(number), &object(number));
            }
        }
    }
    let files = std::fs::read_dir(thumbnails.join("album")).expect("the folder of thumbnails");
    assert_eq!(files.count(), PICTURES);
}

/// Delivers every pending event, `WORKERS` at once, and calls `end` when the `last`-th is acknowledged; returns the
/// acknowledged ones.
async fn deliver(
    app: &Arc<App>,
    pending: &Pending,
    last: usize,
    end: impl Fn(&App) + Send + Sync + 'static,
) -> Vec<usize> {
    let queue = Arc::new(Mutex::new(pending.clone()));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let end = Arc::new(end);
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (app, queue) = (Arc::clone(app), Arc::clone(&queue));
        let (acknowledged, end) = (Arc::clone(&acknowledged), Arc::clone(&end));
        workers.spawn(async move {
            loop {
                let Some((number, generation)) = queue.lock().unwrap().pop_first() else {
                    return;
                };
                match app.try_push("photos", &object(number), generation).await {
                    Ok(204) => {}
                    // The instance is gone: the rest is for the next one.
                    Ok(503) | Err(_) => continue,
                    Ok(status) => panic!("the push of a good event was answered {status}"),
                }
                let mut acknowledged = acknowledged.lock().unwrap();
                acknowledged.push(number);
                if acknowledged.len() == last {
                    end(&app);
                }
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.expect("no worker fails");
    }
    let mut acknowledged = acknowledged.lock().unwrap();
    if acknowledged.len() < last && last != usize::MAX {
        end(app);
    }
    std::mem::take(&mut *acknowledged)
}

async fn uploaded() -> (FakeGcs, Pending) {
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    gcs.create_bucket("thumbs").await;
    let mut pending = Pending::new();
    for number in 0..PICTURES {
        let picture = plain(160, 120, colour(number), ImageFormat::Jpeg);
        let object = object(number);
        let put = gcs.put("photos", &object, &picture, "image/jpeg", &[]);
        pending.insert(number, put.await);
    }
    (gcs, pending)
}

async fn assert_stored(gcs: &FakeGcs, number: usize, generation: Option<i64>) {
    let object = object(number);
    three::assert_generation(gcs, &object, generation).await;
    let thumbnail = gcs.thumbnail(&object).await;
    let thumbnail =
        thumbnail.unwrap_or_else(|| panic!("{object} was acknowledged without a thumbnail"));
    assert_eq!(
        assert_plain(&thumbnail.bytes, colour(number), &object),
        (128, 96)
    );
    assert_eq!(thumbnail.source_generation(), generation, "{object}");
}

async fn start(storage: &str) -> App {
    App::start(&[
        ("TARGET_BUCKET", "thumbs"),
        ("RENDITIONS", three::RENDITIONS),
        ("STORAGE_EMULATOR_HOST", storage),
    ])
    .await
}

fn object(number: usize) -> String {
    format!("album/{number}.jpg")
}
