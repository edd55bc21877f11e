//! `COPY_METADATA`: the metadata that apps of Firebase's Resize Images extension read, and the loop with that
//! extension.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image::ImageFormat;
use serde_json::{Value, json};

use crate::app::envelope;
use crate::deployment::Deployment;
use crate::pictures::{colour, plain};

const TOKENS: &str = "firebasestoragedownloadtokens";
const PLACE: &str = "thumbnails/n.png";

fn photo(version: usize) -> Vec<u8> {
    plain(64, 48, colour(version), ImageFormat::Png)
}

/// Delivers the notification of an object with its resource, as the store has it.
async fn push_whole(cloud: &Deployment, bucket: &str, name: &str, generation: i64) -> u16 {
    let resource = cloud.gcs.resource(bucket, name).await;
    let mut body = envelope(bucket, name, generation);
    body["message"]["data"] = BASE64_STANDARD.encode(resource.to_string()).into();
    let json = [("content-type", "application/json")];
    cloud.app.post("/", &json, body.to_string()).await.0
}

async fn put(cloud: &Deployment, version: usize, metadata: &[(&str, &str)]) -> i64 {
    let resource = json!({
        "name": "n.png",
        "contentType": "image/png",
        "contentLanguage": "de",
        "cacheControl": "max-age=7",
        "metadata": metadata.iter().copied().collect::<BTreeMap<_, _>>(),
    });
    cloud.gcs.insert("photos", &resource, &photo(version)).await
}

#[tokio::test]
async fn outputs_take_over_what_their_source_has_however_it_is_told() {
    let cloud = Deployment::start(&[("COPY_METADATA", "true")]).await;
    for (version, whole) in [(1, true), (2, false)] {
        let owner = version.to_string();
        let generation = put(&cloud, version, &[("owner", &owner), ("width", "9")]).await;
        let answer = if whole {
            push_whole(&cloud, "photos", "n.png", generation).await
        } else {
            cloud.app.push_bare("photos", "n.png", generation).await
        };
        assert_eq!(answer, 204);
        let resource = cloud.gcs.resource("thumbs", PLACE).await;
        assert_eq!(resource["metadata"]["owner"], owner);
        assert_eq!(resource["metadata"]["resizedImage"], "true");
        assert_eq!(resource["metadata"]["width"], "64");
        assert_eq!(resource["contentLanguage"], "de");
        assert_eq!(resource["cacheControl"], "max-age=7");
        assert!(resource["metadata"]["firebaseStorageDownloadTokens"].is_null());
    }
}

#[tokio::test]
async fn without_it_nothing_is_taken_over() {
    let cloud = Deployment::start(&[]).await;
    let generation = put(&cloud, 1, &[("owner", "7")]).await;
    assert_eq!(push_whole(&cloud, "photos", "n.png", generation).await, 204);
    let stored = cloud.gcs.get("thumbs", PLACE).await.unwrap();
    assert!(!stored.metadata.contains_key("owner"));
    assert!(!stored.metadata.contains_key("resizedimage"));
}

#[tokio::test]
async fn a_rule_of_the_service_comes_before_the_source_s() {
    let environment = [("COPY_METADATA", "true"), ("CACHE_CONTROL", "no-store")];
    let cloud = Deployment::start(&environment).await;
    let generation = put(&cloud, 1, &[]).await;
    assert_eq!(push_whole(&cloud, "photos", "n.png", generation).await, 204);
    let stored = cloud.gcs.get("thumbs", PLACE).await.unwrap();
    assert_eq!(stored.cache_control, "no-store");
}

#[tokio::test]
async fn a_token_is_the_output_s_own_and_outlives_its_replacement() {
    let cloud = Deployment::start(&[("COPY_METADATA", "true")]).await;
    let mut kept = None;
    for version in 1..=3 {
        let secret = format!("source's {version}");
        let metadata = [("firebaseStorageDownloadTokens", secret.as_str())];
        let generation = put(&cloud, version, &metadata).await;
        assert_eq!(push_whole(&cloud, "photos", "n.png", generation).await, 204);
        let stored = cloud.gcs.get("thumbs", PLACE).await.unwrap();
        assert_eq!(stored.source_generation(), Some(generation));
        let token = stored.metadata[TOKENS].clone();
        assert!(!token.starts_with("source's"), "{token}");
        assert_eq!(*kept.get_or_insert_with(|| token.clone()), token);
    }
}

#[tokio::test]
async fn the_extension_s_own_output_hands_its_token_on() {
    let cloud = Deployment::start(&[("COPY_METADATA", "true")]).await;
    let theirs = [
        ("resizedImage", "true"),
        ("firebaseStorageDownloadTokens", "in use"),
    ];
    let old = photo(9);
    cloud
        .gcs
        .put("thumbs", PLACE, &old, "image/png", &theirs)
        .await;
    let generation = put(&cloud, 1, &[("firebaseStorageDownloadTokens", "x")]).await;
    assert_eq!(push_whole(&cloud, "photos", "n.png", generation).await, 204);
    let stored = cloud.gcs.get("thumbs", PLACE).await.unwrap();
    assert_eq!(stored.source_generation(), Some(generation));
    assert_eq!(stored.metadata[TOKENS], "in use");
}

#[tokio::test]
async fn what_has_no_room_is_named_in_the_log() {
    let cloud = Deployment::start(&[("COPY_METADATA", "true")]).await;
    let long = "x".repeat(8000);
    let generation = put(&cloud, 1, &[("story", &long), ("owner", "7")]).await;
    assert_eq!(push_whole(&cloud, "photos", "n.png", generation).await, 204);
    let stored = cloud.gcs.get("thumbs", PLACE).await.unwrap();
    assert!(stored.metadata.contains_key("owner") && !stored.metadata.contains_key("story"));
    let line = cloud.line("n.png", 0).await;
    assert_eq!(line["renditions"][0]["dropped_metadata"], json!(["story"]));
}

/// Firebase's Resize Images extension as far as a loop needs it: makes an output of each image that isn't one.
async fn extension(cloud: &Deployment, name: &str, resource: &Value) {
    if resource["metadata"]["resizedImage"] == "true" {
        return;
    }
    let (stem, extension) = name.rsplit_once('.').unwrap();
    let output = format!("{stem}_200x200.{extension}");
    let metadata = [("resizedImage", "true")];
    cloud
        .gcs
        .put("photos", &output, &photo(2), "image/png", &metadata)
        .await;
}

#[tokio::test]
async fn the_extension_and_the_service_leave_each_other_s_outputs_alone() {
    let renditions = "{dir}{stem}_200x200{.ext}?size=200x200 {dir}{stem}_9x9{.ext}?size=9x9";
    let cloud = Deployment::start(&[
        ("TARGET_BUCKET", "photos"),
        ("RENDITIONS", renditions),
        ("COPY_METADATA", "true"),
    ])
    .await;
    for number in 0..100 {
        let name = format!("{number}.png");
        cloud
            .gcs
            .put("photos", &name, &photo(1), "image/png", &[])
            .await;
    }
    let mut seen: BTreeMap<String, i64> = BTreeMap::new();
    // Each round delivers all new events to both, in either order, until there are none.
    for round in 0.. {
        assert!(round < 6, "there is no end to it");
        let mut quiet = true;
        for name in cloud.gcs.list("photos").await {
            let resource = cloud.gcs.resource("photos", &name).await;
            let generation = resource["generation"].as_str().unwrap().parse().unwrap();
            if seen.insert(name.clone(), generation) == Some(generation) {
                continue;
            }
            quiet = false;
            if name.len() % 2 == 0 {
                extension(&cloud, &name, &resource).await;
            }
            assert_eq!(push_whole(&cloud, "photos", &name, generation).await, 204);
            if name.len() % 2 == 1 {
                extension(&cloud, &name, &resource).await;
            }
        }
        if quiet {
            break;
        }
    }
    assert_eq!(cloud.gcs.list("photos").await.len(), 300);
}
