//! `reconcile` against Cloud Storage's two APIs: JSON by fake-gcs-server, gRPC by our own server.

use std::collections::{BTreeMap, HashMap};

use tonic::Code;

use super::{Ended, picture, run};
use crate::fake_gcs::FakeGcs;
use crate::storage_control::{Object, StorageControl};

async fn storage() -> (FakeGcs, StorageControl) {
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    gcs.create_bucket("thumbs").await;
    let control = StorageControl::over(&gcs).await;
    (gcs, control)
}

async fn reconcile(gcs: &FakeGcs, control: &StorageControl, arguments: &[&str]) -> Ended {
    let environment = [
        ("STORAGE_EMULATOR_HOST", gcs.endpoint()),
        ("STORAGE_CONTROL_ENDPOINT", control.endpoint()),
        ("TARGET_BUCKET", "thumbs"),
    ];
    run(arguments, &environment).await
}

async fn put(gcs: &FakeGcs, name: &str, version: usize) -> i64 {
    gcs.put("photos", name, &picture(version), "image/png", &[])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_source_in_the_cloud_gets_its_thumbnail_whatever_the_pages_are() {
    let (gcs, control) = storage().await;
    control.page_size(3);
    control.empty_pages();
    let names = [
        "a-b.png",
        "a/b.png",
        "b.png",
        "c.png",
        "d.png",
        "\u{ff5e}.png",
        "\u{1f600}.png",
    ];
    for name in names {
        put(&gcs, name, 1).await;
    }
    let first = reconcile(&gcs, &control, &["photos"]).await;
    assert_eq!(first.code, Some(0), "{:#?}", first.log);
    assert_eq!((first.count("scanned"), first.count("made")), (7, 7));
    let stored = gcs.list("thumbs").await;
    assert_eq!(stored, names.map(|name| format!("thumbnails/{name}")));

    let newer = put(&gcs, "b.png", 2).await;
    gcs.delete("photos", "c.png").await;
    let second = reconcile(&gcs, &control, &["photos", "--prune"]).await;
    assert_eq!((second.count("stale"), second.count("made")), (1, 1));
    assert_eq!((second.count("current"), second.count("pruned")), (5, 1));
    let thumbnail = gcs.thumbnail("b.png").await.expect("it stays");
    assert_eq!(thumbnail.metadata["source-generation"], newer.to_string());
    assert_eq!(gcs.thumbnail("c.png").await, None);

    let third = reconcile(&gcs, &control, &["photos", "--start-after=b.png"]).await;
    assert_eq!((third.count("scanned"), third.count("current")), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_middle_of_a_listing_is_tried_again() {
    let (gcs, control) = storage().await;
    control.page_size(2);
    for number in 0..7 {
        put(&gcs, &format!("{number}.png"), 1).await;
    }
    control.fail_lists(3, Code::Unavailable, 2);
    let ended = reconcile(&gcs, &control, &["photos"]).await;
    assert_eq!(control.faults_hit(), 2);
    assert_eq!((ended.code, ended.count("made")), (Some(0), 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_can_t_go_on_ends_the_run_where_it_was() {
    let (gcs, control) = storage().await;
    control.page_size(2);
    for number in 0..7 {
        put(&gcs, &format!("{number}.png"), 1).await;
    }
    control.fail_lists(2, Code::PermissionDenied, usize::MAX);
    let ended = reconcile(&gcs, &control, &["photos"]).await;
    assert_eq!((ended.code, ended.count("made")), (Some(1), 2));
    assert_eq!(ended.start_after(), Some("1.png"));
    let broken = ended.log.iter().find(|line| line["severity"] == "ERROR");
    let message = broken.expect("an error is logged")["message"].to_string();
    assert!(message.contains("permission denied"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_came_back_since_it_was_listed_keeps_its_thumbnail() {
    let (gcs, _) = storage().await;
    put(&gcs, "n.png", 1).await;
    let mine = HashMap::from(
        [
            ("gcs-thumbnailer", "1"),
            ("source-bucket", "photos"),
            ("source-generation", "7"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let thumbnail = Object {
        name: "thumbnails/n.png".to_owned(),
        generation: 3,
        metadata: mine,
        ..Object::default()
    };
    // The listing of the sources is older than a later look.
    let control = StorageControl::with(BTreeMap::from([
        ("photos".to_owned(), Vec::new()),
        ("thumbs".to_owned(), vec![thumbnail]),
    ]))
    .await;
    let ended = reconcile(&gcs, &control, &["photos", "--prune"]).await;
    assert_eq!((ended.code, ended.count("orphans")), (Some(0), 1));
    assert_eq!((ended.count("pruned"), ended.count("settled")), (0, 1));
    gcs.delete("photos", "n.png").await;
    let ended = reconcile(&gcs, &control, &["photos", "--prune"]).await;
    assert_eq!((ended.count("orphans"), ended.count("pruned")), (1, 1));
}

/// A server with so many current pictures and their outputs.
async fn listed(count: usize) -> StorageControl {
    let object = |name: String, metadata: &[(&str, &str)]| Object {
        name,
        generation: 7,
        size: 1000,
        content_type: "image/jpeg".to_owned(),
        metadata: metadata
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..Object::default()
    };
    let origin = [
        ("gcs-thumbnailer", "1"),
        ("source-bucket", "photos"),
        ("source-generation", "7"),
    ];
    let name = |number| format!("albums/{:03}/{number:07}.jpg", number / 1000);
    let photos = (0..count).map(|number| object(name(number), &[]));
    let thumbs = (0..count).map(|number| object(format!("thumbnails/{}", name(number)), &origin));
    StorageControl::with(BTreeMap::from([
        ("photos".to_owned(), photos.collect()),
        ("thumbs".to_owned(), thumbs.collect()),
    ]))
    .await
}

/// Runs over so many current pictures, and returns the run's peak memory in bytes.
async fn most_memory(count: usize) -> u64 {
    let control = listed(count).await;
    let environment = [
        ("STORAGE_EMULATOR_HOST", control.endpoint()),
        ("TARGET_BUCKET", "thumbs"),
    ];
    let child = super::spawn(&["photos"], &environment);
    let status = format!("/proc/{}/status", child.id());
    let ended = tokio::spawn(super::wait(child));
    let mut most = 0;
    while !ended.is_finished() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(kib.unwrap_or_default() << 10);
        tokio::task::yield_now().await;
    }
    let ended = ended.await.expect("the run ended");
    assert_eq!(
        ended.count("current"),
        u64::try_from(count).expect("a number")
    );
    println!(
        "{count} objects in {} s, {} MiB at most, {} pages",
        ended.summary()["seconds"],
        most >> 20,
        control.lists()
    );
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_objects_take_no_more_memory_than_ten_thousand() {
    let (few, many) = (most_memory(10_000).await, most_memory(100_000).await);
    assert!(few > 1 << 20, "the figure is one of a process: {few}");
    assert!(many < few + (8 << 20), "{few} bytes, then {many}");
}
