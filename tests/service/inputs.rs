//! Every format of notification, as recorded from the Pub/Sub emulator and as documented.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::app::App;
use crate::deployment::Deployment;

/// A file added to `tests/service/requests` is a case: headers, body, and the log line expected of it.
#[tokio::test]
async fn every_recorded_request_is_understood() {
    let cloud = Deployment::start(&[]).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/requests");
    let mut cases = 0;
    for entry in fs::read_dir(folder).expect("the recorded requests are there") {
        let path = entry.expect("a folder's entry is readable").path();
        let case = fs::read_to_string(&path).expect("a recorded request is readable");
        let case: Value = serde_json::from_str(&case).expect("a recorded request is JSON");
        check(&cloud.app, &path.display().to_string(), &case).await;
        cases += 1;
    }
    assert!(cases >= 11, "{cases} recorded requests");
}

async fn check(app: &App, path: &str, case: &Value) {
    let headers = case["headers"].as_object().expect("headers");
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("text")))
        .collect();
    let before = app.log_lines().len();
    let (status, words) = app
        .post(
            "/",
            &headers,
            case["body"].as_str().expect("text").to_owned(),
        )
        .await;
    assert_eq!(status, case["expect"]["status"], "{path}: {words}");
    let mut position = 0;
    let nth = |_: &Value| {
        position += 1;
        position > before
    };
    let line = app.wait_for_line(nth).await;
    for (field, expected) in case["expect"].as_object().expect("expectations") {
        if field != "status" {
            assert_eq!(&line[field], expected, "{path}: {field}: {line}");
        }
    }
}

/// The README's first curl, byte for byte, against the store that its first command serves.
#[tokio::test]
async fn the_first_curl_of_the_readme_makes_a_thumbnail() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let curl = readme.split("curl ").nth(1).expect("the README has a curl");
    let body = curl.split('\'').nth(1).expect("the curl quotes its body");
    let store = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(store.path().join("b")).expect("a bucket");
    fs::copy(
        root.join("tests/photos/launch.jpg"),
        store.path().join("b/n.jpg"),
    )
    .expect("the sample photo");
    let folder = store.path().to_str().expect("a plain path");
    let app = App::start(&[("STORAGE_DIR", folder), ("TARGET_BUCKET", "thumbs")]).await;
    let (status, words) = app.post("/", &[], body.to_owned()).await;
    assert_eq!(status, 204, "{words}");
    let thumbnail = fs::read(store.path().join("thumbs/thumbnails/n.jpg")).expect("the thumbnail");
    let thumbnail =
        image::load_from_memory_with_format(&thumbnail, image::ImageFormat::Png).expect("a PNG");
    assert_eq!((thumbnail.width(), thumbnail.height()), (128, 85));
}
