//! Which objects are sources: `SOURCE_TYPES`, `INCLUDE` and `EXCLUDE`, each decided before a body is read.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image::ImageFormat;
use serde_json::{Value, json};

use crate::app::envelope;
use crate::deployment::{Deployment, assert_line};
use crate::pictures::{colour, plain};
use crate::proxy::Call;
use crate::reconcile;
use crate::storage_control::StorageControl;

/// The formats that are read where `SOURCE_TYPES` names them: extension, content type and a picture.
const FORMATS: [(&str, &str, &str); 4] = [
    ("webp", "image/webp", "webp/rgb-0.webp"),
    ("gif", "image/gif", "gif/colours-16.gif"),
    ("bmp", "image/bmp", "bmp/rgb-24.bmp"),
    ("tif", "image/tiff", "tiff/rgb-lzw.tif"),
];

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::read(folder.join(name)).unwrap()
}

/// Delivers the notification of an object with this content type.
async fn push_typed(cloud: &Deployment, name: &str, generation: i64, content_type: &str) -> u16 {
    let mut body = envelope("photos", name, generation);
    let data = body["message"]["data"].as_str().unwrap();
    let mut resource: Value =
        serde_json::from_slice(&BASE64_STANDARD.decode(data).unwrap()).unwrap();
    resource["contentType"] = content_type.into();
    body["message"]["data"] = BASE64_STANDARD.encode(resource.to_string()).into();
    let json = [("content-type", "application/json")];
    cloud.app.post("/", &json, body.to_string()).await.0
}

async fn upload(cloud: &Deployment, name: &str, content_type: &str, bytes: &[u8]) -> Value {
    let put = cloud.gcs.put("photos", name, bytes, content_type, &[]);
    let answer = push_typed(cloud, name, put.await, content_type).await;
    assert_eq!(answer, 204, "{name}");
    cloud.line(name, 0).await
}

#[tokio::test]
async fn the_default_takes_jpeg_and_png_alone() {
    let cloud = Deployment::start(&[]).await;
    for (extension, content_type, file) in FORMATS {
        let bytes = golden(file);
        let named = upload(&cloud, &format!("n.{extension}"), content_type, &bytes).await;
        assert_line(&named, "INFO", "skipped", Some("extension"));
        let hidden = upload(&cloud, &format!("{extension}.jpg"), content_type, &bytes).await;
        assert_line(&hidden, "WARNING", "refused", Some("unsupported"));
    }
    assert!(cloud.gcs.list("thumbs").await.is_empty());
}

#[tokio::test]
async fn each_format_is_read_where_its_extension_or_content_type_says() {
    let by_name = Deployment::start(&[("SOURCE_TYPES", "webp,gif,bmp,tif")]).await;
    let by_type = Deployment::start(&[("SOURCE_TYPES", "image/*")]).await;
    for (extension, content_type, file) in FORMATS {
        let bytes = golden(file);
        let name = format!("n.{}", extension.to_uppercase());
        let line = upload(&by_name, &name, "text/plain", &bytes).await;
        assert_line(&line, "INFO", "created", None);
        let line = upload(&by_type, &format!("a/{extension}"), content_type, &bytes).await;
        assert_line(&line, "INFO", "created", None);
    }
    let jpeg = plain(40, 30, colour(1), ImageFormat::Jpeg);
    let line = upload(&by_name, "n.jpg", "image/jpeg", &jpeg).await;
    assert_line(&line, "INFO", "skipped", Some("extension"));
    let line = upload(&by_name, "jpeg.webp", "image/webp", &jpeg).await;
    assert_line(&line, "INFO", "created", None);
}

#[tokio::test]
async fn a_content_type_that_the_event_does_not_tell_is_asked_for() {
    let cloud = Deployment::start(&[("SOURCE_TYPES", "jpg,image/webp")]).await;
    let webp = golden("webp/rgb-0.webp");
    for (name, content_type, reason) in [
        ("avatar", "image/webp", None),
        ("notes", "text/plain", Some("content_type")),
    ] {
        let generation = cloud
            .gcs
            .put("photos", name, &webp, content_type, &[])
            .await;
        // With a resource that has no content type, and without a resource.
        assert_eq!(cloud.app.push("photos", name, generation).await, 204);
        assert_eq!(cloud.app.push_bare("photos", name, generation).await, 204);
        let outcome = if reason.is_some() {
            "skipped"
        } else {
            "created"
        };
        assert_line(&cloud.line(name, 0).await, "INFO", outcome, reason);
    }
    let opened = cloud.proxy.requests_of(Call::Open);
    assert!(opened.iter().all(|request| request.path.contains("avatar")));
    assert_eq!(cloud.gcs.list("thumbs").await, ["thumbnails/avatar"]);
}

#[tokio::test]
async fn what_matches_nothing_costs_no_request() {
    let cloud = Deployment::start(&[
        ("SOURCE_TYPES", "jpg,image/webp"),
        ("INCLUDE", "uploads/**"),
        ("EXCLUDE", "uploads/private/, **/draft-*.jpg"),
    ])
    .await;
    let jpeg = plain(40, 30, colour(1), ImageFormat::Jpeg);
    for (name, content_type, reason) in [
        ("n.jpg", "image/jpeg", "not_included"),
        ("uploads/private/7/n.jpg", "image/jpeg", "excluded"),
        ("uploads/7/draft-1.jpg", "image/jpeg", "excluded"),
        ("uploads/n.txt", "text/plain", "content_type"),
        ("uploads/avatar", "image/jpeg", "content_type"),
    ] {
        let line = upload(&cloud, name, content_type, &jpeg).await;
        assert_line(&line, "INFO", "skipped", Some(reason));
    }
    assert!(cloud.proxy.requests().is_empty());
    let line = upload(&cloud, "uploads/7/n.jpg", "image/jpeg", &jpeg).await;
    assert_line(&line, "INFO", "created", None);
}

#[tokio::test]
async fn the_source_s_own_format_may_be_webp() {
    let cloud = Deployment::start(&[
        ("SOURCE_TYPES", "webp,gif"),
        ("RENDITIONS", "same/{name}?size=9x9&format=source"),
    ])
    .await;
    for (name, file, media_type) in [
        ("n.webp", "webp/rgb-0.webp", "image/webp"),
        ("n.gif", "gif/colours-16.gif", "image/png"),
    ] {
        upload(&cloud, name, media_type, &golden(file)).await;
        let stored = cloud.gcs.get("thumbs", &format!("same/{name}")).await;
        assert_eq!(stored.unwrap().content_type, media_type);
    }
}

#[tokio::test]
async fn reconcile_takes_the_same_sources() {
    let environment = [("SOURCE_TYPES", "image/*"), ("EXCLUDE", "private/")];
    let cloud = Deployment::start(&environment).await;
    let control = StorageControl::over(&cloud.gcs).await;
    let webp = golden("webp/rgb-0.webp");
    for (name, content_type) in [
        ("avatar", "image/webp"),
        ("notes", "text/plain"),
        ("private/avatar", "image/webp"),
    ] {
        cloud
            .gcs
            .put("photos", name, &webp, content_type, &[])
            .await;
    }
    let mut all = vec![
        ("STORAGE_EMULATOR_HOST", cloud.gcs.endpoint()),
        ("STORAGE_CONTROL_ENDPOINT", control.endpoint()),
        ("TARGET_BUCKET", "thumbs"),
    ];
    all.extend(environment);
    let ended = reconcile::run(&["photos"], &all).await;
    assert_eq!(ended.count("missing"), 1, "{}", json!(ended.summary()));
    assert_eq!(cloud.gcs.list("thumbs").await, ["thumbnails/avatar"]);
}
