//! A picture that takes more memory than there is: it fails permanently if the operator set the budget, and is retried
//! for a larger container if the container did.

use std::fs::File;

use image::ImageFormat;
use serde_json::{Value, json};

use crate::app::App;
use crate::deployment::assert_line;
use crate::pictures::{colour, plain};
use crate::reconcile::{Ended, run};

/// More than any machine's memory; every file system takes a file with such a hole.
const HOLE: u64 = 1 << 42;
const LARGEST: (&str, &str) = ("MAX_SOURCE_BYTES", "8192GiB");

fn store() -> tempfile::TempDir {
    let store = tempfile::tempdir().expect("a temporary folder");
    let photos = store.path().join("photos");
    std::fs::create_dir(&photos).expect("a folder");
    let small = plain(64, 48, colour(1), ImageFormat::Jpeg);
    std::fs::write(photos.join("a.jpg"), small).expect("a picture");
    let huge = File::create(photos.join("huge.jpg")).expect("a file");
    huge.set_len(HOLE).expect("a file with a hole");
    store
}

async fn push_huge(environment: &[(&str, &str)]) -> (u16, Value) {
    let app = App::start(environment).await;
    let body = json!({ "bucket": "photos", "name": "huge.jpg" }).to_string();
    let (status, _) = app.post("/", &[], body).await;
    let line = app.wait_for_line(|line| line["name"] == "huge.jpg").await;
    (status, line)
}

fn line_of<'a>(ended: &'a Ended, name: &str) -> &'a Value {
    let line = ended.log.iter().rev().find(|line| line["name"] == name);
    line.unwrap_or_else(|| panic!("no line of {name}: {:#?}", ended.log))
}

#[tokio::test]
async fn what_this_container_has_no_memory_for_comes_again() {
    let store = store();
    let folder = ("STORAGE_DIR", store.path().to_str().expect("a plain path"));
    let environment = [folder, ("TARGET_BUCKET", "thumbs"), LARGEST];
    let (status, line) = push_huge(&environment).await;
    assert_eq!(status, 503);
    assert_line(&line, "ERROR", "failed", Some("over_budget"));
    let message = line["message"].as_str().unwrap_or_default();
    assert!(message.contains("container's memory limit"), "{message}");

    let ended = run(&["photos"], &environment).await;
    let line = line_of(&ended, "huge.jpg");
    assert_line(line, "ERROR", "failed", Some("over_budget"));
    assert_eq!(ended.code, Some(1));
    assert_eq!((ended.count("made"), ended.count("failed")), (1, 1));
    assert_eq!(ended.start_after(), Some("a.jpg"));
}

#[tokio::test]
async fn what_a_configured_budget_has_no_memory_for_is_refused_until_it_is_raised() {
    let store = store();
    let folder = ("STORAGE_DIR", store.path().to_str().expect("a plain path"));
    let bucket = ("TARGET_BUCKET", "thumbs");
    let small = [folder, bucket, LARGEST, ("MEMORY_BUDGET", "64MiB")];
    let (status, line) = push_huge(&small).await;
    assert_eq!(status, 204);
    assert_line(&line, "WARNING", "refused", Some("over_budget"));

    let ended = run(&["photos"], &small).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!((ended.count("made"), ended.count("refused")), (1, 1));
    // A reconcile finds it again, and it fits now.
    let picture = plain(640, 480, colour(2), ImageFormat::Jpeg);
    std::fs::write(store.path().join("photos/huge.jpg"), picture).expect("a picture");
    let tiny = [folder, bucket, ("MEMORY_BUDGET", "2100KiB")];
    let ended = run(&["photos"], &tiny).await;
    assert_line(
        line_of(&ended, "huge.jpg"),
        "WARNING",
        "refused",
        Some("over_budget"),
    );
    let ended = run(&["photos"], &small).await;
    assert_eq!((ended.count("missing"), ended.count("made")), (1, 1));
}
