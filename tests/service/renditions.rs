//! Several renditions of one source: one read, one write each, one log line, and each independent of the others.

use image::ImageFormat;
use serde_json::{Value, json};

use crate::app::{App, envelope};
use crate::deployment::{Deployment, assert_line};
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::{Call, Fault};
use crate::randomised::Store;
use crate::reconcile;

/// One of each format, fit and kind of pattern.
const FOUR: &str = "thumbnails/{name}?size=128x128
    large/{name}?size=400x400&format=jpeg
    {dir}small/{stem}_60x60{.webp}?size=60x60&fit=cover&format=webp
    {dir}same/{stem}{.ext}?size=x50&format=source";

fn photo(version: usize) -> Vec<u8> {
    plain(640, 480, colour(version), ImageFormat::Jpeg)
}

async fn deployment(renditions: &str) -> Deployment {
    Deployment::start(&[("RENDITIONS", renditions)]).await
}

/// Delivers an event as a redelivery of Pub/Sub's.
async fn push_again(cloud: &Deployment, name: &str, generation: i64) -> u16 {
    let mut body = envelope("photos", name, generation);
    body["deliveryAttempt"] = 2.into();
    let json = [("content-type", "application/json")];
    cloud.app.post("/", &json, body.to_string()).await.0
}

/// Each rendition's name, with a field of its report.
fn renditions_by<'l>(line: &'l Value, key: &str) -> Vec<(&'l str, &'l str)> {
    let renditions = line["renditions"].as_array().expect("a list");
    let mut fields: Vec<_> = renditions
        .iter()
        .map(|rendition| {
            let text = |key: &str| rendition[key].as_str().unwrap_or_default();
            (text("name"), text(key))
        })
        .collect();
    fields.sort_unstable();
    fields
}

#[tokio::test]
async fn one_event_reads_once_and_writes_each_rendition_once() {
    let cloud = deployment(FOUR).await;
    let (generation, answer) = cloud.upload("a/cat.JPG", &photo(1)).await;
    assert_eq!(answer, 204);
    assert_eq!(cloud.proxy.requests_of(Call::Open).len(), 1);
    assert_eq!(cloud.proxy.requests_of(Call::Write).len(), 4);
    assert_eq!(cloud.proxy.requests().len(), 5);
    for (name, size, media_type, recipe) in [
        (
            "thumbnails/a/cat.JPG",
            (128, 96),
            "image/png",
            "size=128x128&fit=inside&format=png",
        ),
        (
            "large/a/cat.JPG",
            (400, 300),
            "image/jpeg",
            "size=400x400&fit=inside&format=jpeg&quality=80&background=FFFFFF",
        ),
        (
            "a/small/cat_60x60.webp",
            (60, 60),
            "image/webp",
            "size=60x60&fit=cover&format=webp&quality=80",
        ),
        (
            "a/same/cat.JPG",
            (67, 50),
            "image/jpeg",
            "size=x50&fit=inside&format=source&quality=80&background=FFFFFF",
        ),
    ] {
        let stored = cloud.gcs.get("thumbs", name).await;
        let stored = stored.unwrap_or_else(|| panic!("no {name}"));
        let metadata = |key: &str| stored.metadata[key].clone();
        assert_eq!(metadata("rendition"), recipe);
        assert_eq!(metadata("source-name"), "a/cat.JPG");
        assert_eq!(stored.source_generation(), Some(generation));
        assert_eq!(
            (metadata("width"), metadata("height")),
            (size.0.to_string(), size.1.to_string())
        );
        let (width, height) = if media_type == "image/webp" {
            let bytes = std::io::Cursor::new(&stored.bytes);
            let decoder = image_webp::WebPDecoder::new(bytes).expect("a WebP");
            decoder.dimensions()
        } else {
            let format = ImageFormat::from_mime_type(media_type).expect("a known format");
            let picture = image::load_from_memory_with_format(&stored.bytes, format);
            let picture = picture.unwrap_or_else(|error| panic!("{name}: {error}"));
            (picture.width(), picture.height())
        };
        assert_eq!((width, height), size, "{name}");
        // fake-gcs-server loses the content type, so it is checked on the wire.
        let writes = cloud.proxy.requests_of(Call::Write);
        let body = |text: &str| {
            writes.iter().any(|write| {
                let body = String::from_utf8_lossy(&write.body);
                body.contains(recipe) && body.contains(text)
            })
        };
        assert!(body(&format!(r#""contentType":"{media_type}""#)), "{name}");
    }
    let line = cloud.line("a/cat.JPG", 0).await;
    assert_line(&line, "INFO", "created", None);
    assert_eq!(
        renditions_by(&line, "outcome"),
        [
            ("a/same/cat.JPG", "created"),
            ("a/small/cat_60x60.webp", "created"),
            ("large/a/cat.JPG", "created"),
            ("thumbnails/a/cat.JPG", "created"),
        ]
    );
    for rendition in line["renditions"].as_array().expect("a list") {
        for field in ["width", "height", "bytes", "ms"] {
            assert!(rendition[field].is_number(), "{field}: {line}");
        }
    }
}

#[tokio::test]
async fn what_fails_alone_is_made_alone_by_the_next_delivery() {
    let cloud = deployment(FOUR).await;
    for aim in ["thumbnails", "large", "small", "same"] {
        let name = format!("{aim}-fails.jpg");
        cloud.proxy.aim_at(aim);
        cloud
            .proxy
            .inject(Call::Write, Fault::Status(503), usize::MAX);
        let generation = cloud
            .gcs
            .put("photos", &name, &photo(2), "image/jpeg", &[])
            .await;
        // The source's name must not match what faults are aimed at.
        assert_eq!(cloud.app.push("photos", &name, generation).await, 503);
        cloud.proxy.clear();
        cloud.proxy.aim_at("");
        let line = cloud.line(&name, 0).await;
        assert_line(&line, "WARNING", "failed", Some("storage_unavailable"));
        let before = cloud.proxy.requests_of(Call::Write).len();
        let failed = renditions_by(&line, "outcome");
        let failed = failed
            .iter()
            .filter(|(_, outcome)| *outcome == "failed")
            .count();
        assert_eq!(push_again(&cloud, &name, generation).await, 204);
        let written = cloud.proxy.requests_of(Call::Write).len() - before;
        assert_eq!(written, failed, "{aim}");
        let line = cloud.line(&name, 1).await;
        let created = renditions_by(&line, "outcome");
        let created = created
            .iter()
            .filter(|(_, outcome)| *outcome == "created")
            .count();
        assert_eq!(created, failed, "{line}");
    }
}

#[tokio::test]
async fn a_redelivery_of_what_is_done_reads_and_writes_nothing() {
    let cloud = deployment(FOUR).await;
    let (generation, _) = cloud.upload("n.jpg", &photo(1)).await;
    let before = cloud.proxy.requests().len();
    assert_eq!(push_again(&cloud, "n.jpg", generation).await, 204);
    let requests = cloud.proxy.requests();
    let is_look = |call| matches!(call, Some(Call::LookAtSource | Call::LookAtThumbnail));
    assert!(
        requests
            .iter()
            .skip(before)
            .all(|request| is_look(request.call))
    );
    assert_line(
        &cloud.line("n.jpg", 1).await,
        "INFO",
        "skipped",
        Some("current"),
    );
}

#[tokio::test]
async fn a_name_too_long_for_one_rendition_leaves_out_that_one() {
    let cloud = deployment("t/{name}?size=1x1 a-longer-prefix/{name}?size=2x2").await;
    let name = format!("{}.jpg", "n".repeat(1010));
    let (_, answer) = cloud.upload(&name, &photo(1)).await;
    assert_eq!(answer, 204);
    assert!(
        cloud
            .gcs
            .get("thumbs", &format!("t/{name}"))
            .await
            .is_some()
    );
    let line = cloud.line(&name, 0).await;
    let left_out = line["renditions"].as_array().and_then(|list| {
        list.iter()
            .find(|rendition| rendition["name"] == "a-longer-prefix/{name}")
    });
    assert_eq!(left_out.expect("it is told")["reason"], "name_too_long");
}

#[tokio::test]
async fn no_output_replaces_a_source() {
    let cloud = Deployment::start(&[
        ("RENDITIONS", "{dir}{stem}.jpg?size=9x9&format=jpeg"),
        ("TARGET_BUCKET", "photos"),
    ])
    .await;
    let original = photo(1);
    cloud
        .gcs
        .put("photos", "n.jpg", &original, "image/jpeg", &[])
        .await;
    let png = plain(40, 30, colour(2), ImageFormat::Png);
    let (_, answer) = cloud.upload("n.png", &png).await;
    assert_eq!(answer, 204);
    assert_line(
        &cloud.line("n.png", 0).await,
        "WARNING",
        "skipped",
        Some("other_source"),
    );
    let (generation, answer) = cloud.upload("n.jpg", &original).await;
    assert_eq!(answer, 204);
    assert_line(
        &cloud.line("n.jpg", 0).await,
        "WARNING",
        "skipped",
        Some("source_itself"),
    );
    let stored = cloud
        .gcs
        .get("photos", "n.jpg")
        .await
        .expect("the original");
    assert_eq!(
        (stored.generation, &stored.bytes[..]),
        (generation, &original[..])
    );
    // By its metadata, another tool's output in the place is no source.
    let resized = [("resizedImage", "true")];
    cloud
        .gcs
        .put("photos", "m.jpg", b"resized", "image/jpeg", &resized)
        .await;
    assert_eq!(cloud.upload("m.png", &png).await.1, 204);
    assert_line(
        &cloud.line("m.png", 0).await,
        "INFO",
        "replaced",
        Some("unmarked"),
    );
}

#[tokio::test]
async fn two_sources_of_one_stem_are_a_conflict() {
    let cloud = deployment("{dir}small/{stem}.png?size=9x9").await;
    cloud.upload("a.jpg", &photo(1)).await;
    let png = plain(40, 30, colour(2), ImageFormat::Png);
    cloud.upload("a.png", &png).await;
    assert_line(
        &cloud.line("a.png", 0).await,
        "WARNING",
        "replaced",
        Some("name_conflict"),
    );
}

#[tokio::test]
async fn another_recipe_replaces_what_shows_the_same_version() {
    let cloud = deployment("t/{name}?size=50x50").await;
    let (generation, _) = cloud.upload("n.jpg", &photo(1)).await;
    let other = App::start(&[
        ("STORAGE_EMULATOR_HOST", cloud.proxy.endpoint()),
        ("TARGET_BUCKET", "thumbs"),
        ("RENDITIONS", "t/{name}?size=40x40"),
    ])
    .await;
    assert_eq!(other.push("photos", "n.jpg", generation).await, 204);
    let line = other.wait_for_line(|line| line["name"] == "n.jpg").await;
    assert_line(&line, "INFO", "replaced", Some("other_recipe"));
    let stored = cloud.gcs.get("thumbs", "t/n.jpg").await.expect("an output");
    assert_eq!(stored.metadata["width"], json!("40"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_recipes_under_load_ends_with_the_newest_of_both() {
    const OLD: &str = "t/{name}?size=30x30 {dir}s/{stem}.png?size=20x20";
    const NEW: &str = "t/{name}?size=16x16 {dir}s/{stem}.png?size=10x10";
    const NAMES: usize = 20;
    let store = Store(tempfile::tempdir().expect("a temporary folder"));
    let environment = |renditions| {
        [
            ("STORAGE_DIR", store.root()),
            ("TARGET_BUCKET", "thumbs"),
            ("RENDITIONS", renditions),
        ]
    };
    // Both revisions serve, as during a rollout.
    let revisions = [
        App::start(&environment(OLD)).await,
        App::start(&environment(NEW)).await,
    ];
    let object = |name: usize| format!("a/{name}.png");
    let picture =
        |name: usize, version: usize| plain(64, 48, colour(name * 4 + version), ImageFormat::Png);
    let load = (0..NAMES).map(async |name| {
        for version in 0..4 {
            let generation = store.put(&object(name), &picture(name, version));
            let revision = &revisions[(name + version) % 2];
            assert_eq!(
                revision.push("photos", &object(name), generation).await,
                204
            );
        }
    });
    let new = environment(NEW);
    let reconciled = reconcile::run(&["photos"], &new);
    let (_, early) = tokio::join!(futures_util::future::join_all(load), reconciled);
    assert_eq!(early.code, Some(0), "{}", early.errors);
    let dry = reconcile::run(&["photos", "--dry-run"], &environment(NEW)).await;
    assert!(dry.count("stale") > 0, "{}", dry.summary());
    let ended = reconcile::run(&["photos"], &environment(NEW)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let again = reconcile::run(&["photos", "--dry-run"], &environment(NEW)).await;
    let names = u64::try_from(NAMES).expect("few");
    assert_eq!(again.count("current"), names, "{}", again.summary());
    for name in 0..NAMES {
        for (output, size) in [
            (format!("t/a/{name}.png"), (16, 12)),
            (format!("a/s/{name}.png"), (10, 8)),
        ] {
            let file = std::fs::read(store.path(&format!("thumbs/{output}"))).expect("an output");
            assert_eq!(assert_plain(&file, colour(name * 4 + 3), &output), size);
        }
    }
}

#[tokio::test]
async fn orphans_of_any_pattern_are_told_and_pruned() {
    let store = Store(tempfile::tempdir().expect("a temporary folder"));
    let environment = [
        ("STORAGE_DIR", store.root()),
        ("TARGET_BUCKET", "thumbs"),
        ("RENDITIONS", "{dir}s/{stem}_9{.png}?size=9x9"),
    ];
    for name in ["a/kept.png", "a/gone.png"] {
        store.put(name, &plain(40, 30, colour(1), ImageFormat::Png));
    }
    let made = reconcile::run(&["photos"], &environment).await;
    assert_eq!((made.count("missing"), made.count("made")), (2, 2));
    std::fs::remove_file(store.path("photos/a/gone.png")).expect("it was put there");
    let dry = reconcile::run(&["photos", "--dry-run", "--prune"], &environment).await;
    assert_eq!(
        (dry.count("orphans"), dry.count("pruned")),
        (1, 0),
        "{}",
        dry.summary()
    );
    let pruned = reconcile::run(&["photos", "--prune"], &environment).await;
    assert_eq!(
        (pruned.count("orphans"), pruned.count("pruned")),
        (1, 1),
        "{}",
        pruned.summary()
    );
    assert!(store.path("thumbs/a/s/kept_9.png").exists());
    assert!(!store.path("thumbs/a/s/gone_9.png").exists());
}
