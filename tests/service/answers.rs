//! The table of answers: what is stored, skipped, refused or failed, and how it is reported.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::ImageFormat;
use serde_json::json;
use tokio::task::JoinSet;

use crate::app::App;
use crate::deployment::{Deployment, assert_line};
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::{Call, Fault};

fn photo(version: usize) -> Vec<u8> {
    plain(640, 480, colour(version), ImageFormat::Jpeg)
}

#[tokio::test]
async fn a_new_picture_is_stored_as_png_with_its_origin() {
    let cloud = Deployment::start(&[("CACHE_CONTROL", "public, max-age=60")]).await;
    let (generation, answer) = cloud.upload("a/photo.JPG", &photo(1)).await;
    assert_eq!(answer, 204);
    let stored = cloud
        .gcs
        .thumbnail("a/photo.JPG")
        .await
        .expect("a thumbnail");
    assert_eq!(
        assert_plain(&stored.bytes, colour(1), "thumbnail"),
        (128, 96)
    );
    let hash = &stored.metadata["thumbhash"];
    assert!(hash.len() >= 20, "{hash}");
    let metadata: Vec<_> = stored
        .metadata
        .iter()
        .filter(|(key, _)| *key != "thumbhash")
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let number = generation.to_string();
    assert_eq!(
        metadata,
        [
            ("gcs-thumbnailer", "1"),
            ("height", "96"),
            ("rendition", "size=128x128&fit=inside&format=png"),
            ("source-bucket", "photos"),
            ("source-generation", &number),
            ("source-height", "480"),
            ("source-name", "a/photo.JPG"),
            ("source-width", "640"),
            ("width", "128"),
        ]
    );
    // fake-gcs-server doesn't keep all of it, so it is checked on the wire.
    let write = &cloud.proxy.requests_of(Call::Write)[0];
    assert!(write.path.contains("ifGenerationMatch=0"), "{}", write.path);
    assert_eq!(write.method, "POST");
    let form = write.header("content-type").unwrap_or_default();
    assert!(form.starts_with("multipart/related"), "{form}");
    let body = String::from_utf8_lossy(&write.body);
    assert!(body.contains(r#""contentType":"image/png""#), "{body}");
    assert!(
        body.contains(r#""cacheControl":"public, max-age=60""#),
        "{body}"
    );
    let line = cloud.line("a/photo.JPG", 0).await;
    assert_line(&line, "INFO", "created", None);
    assert_eq!(line["generation"], number);
    assert_eq!(
        (&line["source_width"], &line["source_height"]),
        (&json!(640), &json!(480))
    );
    assert_eq!(
        (&line["thumbnail_width"], &line["thumbnail_height"]),
        (&json!(128), &json!(96))
    );
    assert_eq!(line["thumbnail_bytes"], stored.bytes.len());
    assert_eq!(line["source_bytes"], photo(1).len());
    for stage in [
        "open_ms",
        "admit_ms",
        "read_ms",
        "queue_ms",
        "render_ms",
        "write_ms",
        "total_ms",
    ] {
        assert!(line[stage].is_f64(), "{stage}: {line}");
    }
}

#[tokio::test]
async fn the_common_case_takes_one_read_and_one_write() {
    let cloud = Deployment::start(&[]).await;
    cloud.upload("n.jpg", &photo(1)).await;
    let calls: Vec<_> = cloud
        .proxy
        .requests()
        .iter()
        .map(|request| request.call)
        .collect();
    assert_eq!(calls, [Some(Call::Open), Some(Call::Write)]);
}

#[tokio::test]
async fn a_duplicate_finds_its_thumbnail_current() {
    let cloud = Deployment::start(&[]).await;
    let (generation, _) = cloud.upload("n.jpg", &photo(1)).await;
    let before = cloud.gcs.thumbnail("n.jpg").await;
    assert_eq!(cloud.app.push("photos", "n.jpg", generation).await, 204);
    assert_eq!(cloud.gcs.thumbnail("n.jpg").await, before);
    assert_line(
        &cloud.line("n.jpg", 1).await,
        "INFO",
        "skipped",
        Some("current"),
    );
}

#[tokio::test]
async fn a_new_version_replaces_the_thumbnail_of_the_old_one() {
    let cloud = Deployment::start(&[]).await;
    let (old, _) = cloud.upload("n.jpg", &photo(1)).await;
    let (_, answer) = cloud.upload("n.jpg", &photo(2)).await;
    assert_eq!(answer, 204);
    let stored = cloud.gcs.thumbnail("n.jpg").await.expect("a thumbnail");
    assert_plain(&stored.bytes, colour(2), "thumbnail");
    assert_line(
        &cloud.line("n.jpg", 1).await,
        "INFO",
        "replaced",
        Some("other_version"),
    );
    assert_eq!(cloud.app.push("photos", "n.jpg", old).await, 204);
    assert_line(&cloud.line("n.jpg", 2).await, "INFO", "gone", Some("gone"));
    assert_eq!(cloud.gcs.thumbnail("n.jpg").await, Some(stored));
}

#[tokio::test]
async fn an_old_version_that_can_still_be_read_never_replaces_a_newer_one() {
    let cloud = Deployment::start(&[("SOURCE_BUCKETS", "versioned")]).await;
    cloud.gcs.create_versioned_bucket("versioned").await;
    let put = async |version| {
        cloud
            .gcs
            .put("versioned", "n.jpg", &photo(version), "image/jpeg", &[])
            .await
    };
    let (old, new) = (put(1).await, put(2).await);
    for (generation, expected) in [(new, "created"), (old, "skipped"), (new, "skipped")] {
        assert_eq!(
            cloud.app.push("versioned", "n.jpg", generation).await,
            204,
            "{expected}"
        );
    }
    assert_line(
        &cloud.line("n.jpg", 1).await,
        "INFO",
        "skipped",
        Some("superseded"),
    );
    let stored = cloud.gcs.thumbnail("n.jpg").await.expect("a thumbnail");
    assert_plain(&stored.bytes, colour(2), "thumbnail");
}

#[tokio::test]
async fn a_foreign_object_in_the_thumbnail_s_place_is_replaced() {
    let cloud = Deployment::start(&[]).await;
    for (name, foreign) in [("n.jpg", &b"by another tool"[..]), ("empty.jpg", b"")] {
        cloud
            .gcs
            .put(
                "thumbs",
                &format!("thumbnails/{name}"),
                foreign,
                "image/png",
                &[],
            )
            .await;
        assert_eq!(cloud.upload(name, &photo(1)).await.1, 204);
        assert_line(
            &cloud.line(name, 0).await,
            "INFO",
            "replaced",
            Some("unmarked"),
        );
        let stored = cloud.gcs.thumbnail(name).await.expect("a thumbnail");
        assert_plain(&stored.bytes, colour(1), name);
    }
}

#[tokio::test]
async fn two_sources_of_one_name_are_a_conflict_to_be_warned_of() {
    let cloud = Deployment::start(&[]).await;
    cloud.gcs.create_bucket("scans").await;
    cloud.upload("n.jpg", &photo(1)).await;
    let generation = cloud
        .gcs
        .put("scans", "n.jpg", &photo(2), "image/jpeg", &[])
        .await;
    assert_eq!(cloud.app.push("scans", "n.jpg", generation).await, 204);
    assert_line(
        &cloud.line("n.jpg", 1).await,
        "WARNING",
        "replaced",
        Some("name_conflict"),
    );
    let stored = cloud.gcs.thumbnail("n.jpg").await.expect("a thumbnail");
    assert_plain(&stored.bytes, colour(2), "thumbnail");
}

#[tokio::test]
async fn one_shared_bucket_never_loops() {
    let cloud = Deployment::start(&[]).await;
    let generation = cloud
        .gcs
        .put("thumbs", "n.jpg", &photo(1), "image/jpeg", &[])
        .await;
    assert_eq!(cloud.app.push("thumbs", "n.jpg", generation).await, 204);
    let thumbnail = cloud.gcs.thumbnail("n.jpg").await.expect("a thumbnail");
    assert_eq!(
        cloud
            .app
            .push("thumbs", "thumbnails/n.jpg", thumbnail.generation)
            .await,
        204
    );
    assert_line(
        &cloud.line("thumbnails/n.jpg", 0).await,
        "INFO",
        "skipped",
        Some("own_object"),
    );
    // A copy under another name still carries the marker.
    let copy = cloud
        .gcs
        .put(
            "thumbs",
            "copy.png",
            &thumbnail.bytes,
            "image/png",
            &[("gcs-thumbnailer", "1")],
        )
        .await;
    // A notification without a payload has the service ask for the metadata.
    assert_eq!(cloud.app.push_bare("thumbs", "copy.png", copy).await, 204);
    assert_line(
        &cloud.line("copy.png", 0).await,
        "INFO",
        "skipped",
        Some("own_object"),
    );
    assert_eq!(
        cloud.gcs.list("thumbs").await,
        ["copy.png", "n.jpg", "thumbnails/n.jpg"]
    );
}

#[tokio::test]
async fn a_source_whose_metadata_no_header_can_carry_is_read_all_the_same() {
    let cloud = Deployment::start(&[]).await;
    let metadata = [("a key\n", "a\r\nvalue"), ("schlüssel", "☃"), ("empty", "")];
    let picture = photo(1);
    let generation = cloud
        .gcs
        .put("photos", "n.jpg", &picture, "image/jpeg", &metadata)
        .await;
    assert_eq!(cloud.app.push("photos", "n.jpg", generation).await, 204);
    assert_line(&cloud.line("n.jpg", 0).await, "INFO", "created", None);
    assert_eq!(
        cloud.app.push_bare("photos", "n.jpg", generation).await,
        204
    );
    assert_line(
        &cloud.line("n.jpg", 1).await,
        "INFO",
        "skipped",
        Some("current"),
    );
}

#[tokio::test]
async fn an_object_is_asked_about_before_it_is_read_only_where_its_event_doesn_t_tell() {
    let cloud = Deployment::start(&[]).await;
    let marked = [("gcs-thumbnailer", "1")];
    let generation = cloud
        .gcs
        .put("photos", "n.jpg", &photo(1), "image/jpeg", &marked)
        .await;
    assert_eq!(
        cloud.app.push_bare("photos", "n.jpg", generation).await,
        204
    );
    assert_line(
        &cloud.line("n.jpg", 0).await,
        "INFO",
        "skipped",
        Some("own_object"),
    );
    let calls: Vec<_> = cloud
        .proxy
        .requests()
        .into_iter()
        .map(|request| request.call)
        .collect();
    assert_eq!(calls, [Some(Call::LookAtSource)]);
}

#[tokio::test]
async fn a_write_that_is_refused_by_policy_is_an_error_and_comes_again() {
    let cloud = Deployment::start(&[]).await;
    cloud
        .proxy
        .inject(Call::Write, Fault::Status(412), usize::MAX);
    let (_, answer) = cloud.upload("n.jpg", &photo(1)).await;
    assert_eq!(answer, 503);
    assert_line(
        &cloud.line("n.jpg", 0).await,
        "ERROR",
        "failed",
        Some("unknown"),
    );
    assert_eq!(cloud.proxy.requests_of(Call::Write).len(), 3);
}

#[tokio::test]
async fn what_is_not_work_is_acknowledged_with_its_reason() {
    let cloud = Deployment::start(&[("SOURCE_BUCKETS", "photos")]).await;
    let long = format!("{}.jpg", "n".repeat(1015));
    let cases = [
        ("photos", "n.gif", "extension"),
        ("photos", "noext", "no_extension"),
        ("photos", "dir.jpg/", "folder"),
        ("photos", long.as_str(), "name_too_long"),
        ("scans", "n.jpg", "source_not_allowed"),
    ];
    for (bucket, name, reason) in cases {
        assert_eq!(cloud.app.push(bucket, name, 7).await, 204, "{reason}");
        let severity = if reason == "name_too_long" {
            "WARNING"
        } else {
            "INFO"
        };
        assert_line(
            &cloud.line(name, 0).await,
            severity,
            "skipped",
            Some(reason),
        );
    }
    cloud.upload("empty.jpg", b"").await;
    assert_line(
        &cloud.line("empty.jpg", 0).await,
        "INFO",
        "skipped",
        Some("empty"),
    );
    assert_eq!(cloud.app.push("photos", "never-was.jpg", 7).await, 204);
    assert_line(
        &cloud.line("never-was.jpg", 0).await,
        "INFO",
        "gone",
        Some("gone"),
    );
    let update = json!({ "message": { "attributes": {
        "eventType": "OBJECT_METADATA_UPDATE", "bucketId": "photos", "objectId": "updated.jpg" } } });
    assert_eq!(cloud.app.post("/", &[], update.to_string()).await.0, 204);
    assert_line(
        &cloud.line("updated.jpg", 0).await,
        "INFO",
        "skipped",
        Some("not_finalize"),
    );
    assert!(cloud.gcs.list("thumbs").await.is_empty());
}

#[tokio::test]
async fn what_can_never_be_a_thumbnail_is_refused_once_and_for_all() {
    let cloud = Deployment::start(&[
        ("MAX_SOURCE_BYTES", "64KiB"),
        ("MAX_SOURCE_PIXELS", "1000000"),
    ])
    .await;
    let whole = photo(1);
    let cases = [
        ("text.jpg", b"not a picture".to_vec(), "not_an_image"),
        ("cut.jpg", whole[..whole.len() / 2].to_vec(), "truncated"),
        (
            "moving.png",
            b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec(),
            "unsupported",
        ),
        (
            "wide.png",
            plain(2000, 1000, colour(1), ImageFormat::Png),
            "too_many_pixels",
        ),
        ("heavy.jpg", vec![0; (64 << 10) + 1], "too_large"),
    ];
    for (name, bytes, reason) in cases {
        assert_eq!(cloud.upload(name, &bytes).await.1, 204, "{name}");
        assert_line(
            &cloud.line(name, 0).await,
            "WARNING",
            "refused",
            Some(reason),
        );
    }
    let line = cloud.line("heavy.jpg", 0).await;
    let message = line["message"].as_str().unwrap_or_default();
    assert!(message.contains("65536 (MAX_SOURCE_BYTES)"), "{message}");
    assert!(cloud.gcs.list("thumbs").await.is_empty());
}

#[tokio::test]
async fn what_is_ours_to_fix_is_an_error_and_comes_again() {
    let cloud = Deployment::start(&[]).await;
    for (call, status) in [(Call::Open, 401), (Call::Open, 403), (Call::Write, 403)] {
        let name = format!("{call:?}-{status}.jpg");
        cloud.proxy.inject(call, Fault::Status(status), usize::MAX);
        let (generation, answer) = cloud.upload(&name, &photo(1)).await;
        assert_eq!(answer, 503, "{name}");
        assert_line(
            &cloud.line(&name, 0).await,
            "ERROR",
            "failed",
            Some("permission_denied"),
        );
        cloud.proxy.clear();
        assert_eq!(
            cloud.app.push("photos", &name, generation).await,
            204,
            "{name}"
        );
    }
    cloud
        .proxy
        .inject(Call::Open, Fault::Status(418), usize::MAX);
    assert_eq!(cloud.upload("teapot.jpg", &photo(1)).await.1, 503);
    assert_line(
        &cloud.line("teapot.jpg", 0).await,
        "ERROR",
        "failed",
        Some("unknown"),
    );
}

#[tokio::test]
async fn a_missing_target_bucket_is_an_error_until_it_is_made() {
    let cloud = Deployment::start(&[("TARGET_BUCKET", "later")]).await;
    let (generation, answer) = cloud.upload("n.jpg", &photo(1)).await;
    assert_eq!(answer, 503);
    assert_line(
        &cloud.line("n.jpg", 0).await,
        "ERROR",
        "failed",
        Some("target_missing"),
    );
    cloud.gcs.create_bucket("later").await;
    assert_eq!(cloud.app.push("photos", "n.jpg", generation).await, 204);
}

#[tokio::test]
async fn a_request_that_is_no_notification_is_refused_in_one_line() {
    let cloud = Deployment::start(&[]).await;
    let app = &cloud.app;
    let large = vec![b' '; (1 << 20) + 1];
    let cases: [(&str, &[u8], u16); 6] = [
        ("/", b"nonsense", 400),
        ("/", br#"{"message":{"data":"*"}}"#, 400),
        ("/", br#"{"bucket":"b"}"#, 400),
        ("/", br#"{"bucket":"x/../y","name":"n.jpg"}"#, 400),
        ("/", &large, 413),
        ("/push", b"{}", 404),
    ];
    for (path, body, expected) in cases {
        let (status, reason) = app.post(path, &[], body.to_vec()).await;
        assert_eq!(status, expected, "{reason}");
        assert_eq!(reason.lines().count(), 1, "{reason}");
    }
    let get = crate::http::Client::new()
        .send("GET", &app.url(), &[], "")
        .await
        .expect("an answer");
    assert_eq!(get.status, 405);
    let malformed =
        |line: &serde_json::Value| line["outcome"] == "malformed" && line["severity"] == "WARNING";
    app.wait_for_line(|line| malformed(line) && line["status"] == 405)
        .await;
    assert_eq!(
        app.log_lines()
            .iter()
            .filter(|line| malformed(line))
            .count(),
        7
    );
}

#[tokio::test]
async fn an_object_stored_as_gzip_is_unpacked_under_the_cap() {
    let cloud = Deployment::start(&[("MAX_SOURCE_BYTES", "1MiB")]).await;
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    };
    let bomb = gzip(&vec![0; 64 << 20]);
    for (name, packed, outcome, reason) in [
        ("n.jpg", gzip(&photo(1)), "created", None),
        ("bomb.jpg", bomb, "refused", Some("too_large")),
        (
            "cut.jpg",
            gzip(&photo(1))[..100].to_vec(),
            "refused",
            Some("corrupt"),
        ),
    ] {
        let generation = cloud
            .gcs
            .put_gzip("photos", name, &packed, "image/jpeg")
            .await;
        assert_eq!(
            cloud.app.push("photos", name, generation).await,
            204,
            "{name}"
        );
        let line = cloud.line(name, 0).await;
        assert_eq!(
            (line["outcome"].as_str(), line["reason"].as_str()),
            (Some(outcome), reason),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_service_listens_before_it_reaches_any_network() {
    // Nothing answers there, and to start the service needs no answer.
    let environment = [
        ("STORAGE_EMULATOR_HOST", "127.0.0.1:1"),
        ("TARGET_BUCKET", "thumbs"),
        ("EVENT_TIMEOUT", "2s"),
    ];
    let app = App::start(&environment).await;
    assert_eq!(app.push("photos", "n.jpg", 7).await, 503);
    app.wait_for_line(|line| {
        line["reason"] == "storage_unavailable" || line["reason"] == "timeout"
    })
    .await;
    assert_eq!(app.health().await.status, 200);
}

#[tokio::test]
async fn a_picture_that_alone_exceeds_the_memory_is_over_a_configured_limit() {
    let cloud =
        Deployment::start(&[("MAX_SOURCE_BYTES", "64KiB"), ("MEMORY_BUDGET", "2120KiB")]).await;
    assert_eq!(cloud.upload("n.jpg", &photo(1)).await.1, 204);
    let line = cloud.line("n.jpg", 0).await;
    assert_line(&line, "WARNING", "refused", Some("over_budget"));
    let message = line["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("over the budget of 2170880 (MEMORY_BUDGET)"),
        "{message}"
    );
}

#[tokio::test]
async fn a_picture_that_is_larger_than_announced_is_read_all_the_same() {
    let cloud = Deployment::start(&[("MEMORY_BUDGET", "128MiB")]).await;
    // Bytes after a picture's end are ignored.
    let long = [photo(1), vec![0; 12 << 20]].concat();
    let generation = cloud
        .gcs
        .put("photos", "n.jpg", &long, "image/jpeg", &[])
        .await;
    let generation = generation.to_string();
    let body =
        json!({ "bucket": "photos", "name": "n.jpg", "generation": generation, "size": "1" });
    assert_eq!(cloud.app.post("/", &[], body.to_string()).await.0, 204);
    assert_line(&cloud.line("n.jpg", 0).await, "INFO", "created", None);
}

/// A burst waits for its turn; only events that wait in vain are answered 503.
#[tokio::test]
async fn a_burst_over_the_memory_waits_and_loses_nothing() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let photos = store.path().join("photos");
    std::fs::create_dir(&photos).expect("a folder");
    for index in 0..60 {
        std::fs::write(photos.join(format!("{index}.jpg")), photo(index)).expect("a picture");
    }
    let folder = store.path().to_str().expect("a plain path");
    let environment = [
        ("STORAGE_DIR", folder),
        ("TARGET_BUCKET", "thumbs"),
        ("MEMORY_BUDGET", "24MiB"),
    ];
    let app = Arc::new(App::start(&environment).await);
    let mut pushes = JoinSet::new();
    for index in 0..60 {
        let (app, body) = (
            Arc::clone(&app),
            json!({ "bucket": "photos", "name": format!("{index}.jpg") }),
        );
        pushes.spawn(async move { app.post("/", &[], body.to_string()).await.0 });
    }
    assert_eq!(pushes.join_all().await, [204; 60]);
}
