//! `PROPAGATE_DELETES`: a thumbnail is deleted with the version that it shows.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{colour, plain};
use crate::storage_control::StorageControl;

/// The service over a folder with one picture that has its thumbnail.
struct Service {
    app: App,
    folder: TempDir,
    /// The generation that the thumbnail shows.
    generation: i64,
}

impl Service {
    async fn start(propagate: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let photos = folder.path().join("photos");
        std::fs::create_dir(&photos).expect("a writable folder");
        let picture = plain(160, 120, colour(1), image::ImageFormat::Png);
        std::fs::write(photos.join("n.png"), picture).expect("a writable folder");
        let app = App::start(&[
            (
                "STORAGE_DIR",
                folder.path().to_str().expect("a path of text"),
            ),
            ("TARGET_BUCKET", "thumbs"),
            ("PROPAGATE_DELETES", propagate),
        ])
        .await;
        let (status, _) = notify(&app, &json!({ "eventType": "OBJECT_FINALIZE" }), None).await;
        assert_eq!(status, 204);
        let line = app.wait_for_line(|line| line["outcome"] == "created").await;
        let generation = line["generation"]
            .as_str()
            .and_then(|text| text.parse().ok());
        Self {
            app,
            folder,
            generation: generation.expect("the generation is logged"),
        }
    }

    fn has_thumbnail(&self) -> bool {
        let path = self.folder.path().join("thumbs/thumbnails/n.png");
        path.exists()
    }

    /// Delivers a deletion, and returns its log line's outcome and reason.
    async fn deleted(&self, attributes: &Value, generation: Option<i64>) -> (String, String) {
        let before = self.app.log_lines().len();
        let (status, words) = notify(&self.app, attributes, generation).await;
        assert_eq!(status, 204, "{words}");
        let mut count = 0;
        let is_new = |_: &Value| {
            count += 1;
            count > before
        };
        let line = self.app.wait_for_line(is_new).await;
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        (text("outcome"), text("reason"))
    }
}

async fn notify(app: &App, attributes: &Value, generation: Option<i64>) -> (u16, String) {
    let mut attributes = attributes.clone();
    attributes["bucketId"] = "photos".into();
    attributes["objectId"] = "n.png".into();
    if let Some(generation) = generation {
        attributes["objectGeneration"] = generation.to_string().into();
    }
    let envelope = json!({ "message": { "messageId": "1", "attributes": attributes } });
    app.post(
        "/",
        &[("content-type", "application/json")],
        envelope.to_string(),
    )
    .await
}

#[tokio::test]
async fn a_deleted_or_archived_source_takes_its_thumbnail_with_it() {
    for event_type in ["OBJECT_DELETE", "OBJECT_ARCHIVE"] {
        let service = Service::start("true").await;
        let attributes = json!({ "eventType": event_type });
        let ended = service.deleted(&attributes, Some(service.generation)).await;
        assert_eq!(ended, ("deleted".to_owned(), String::new()));
        assert!(!service.has_thumbnail());
        let again = service.deleted(&attributes, Some(service.generation)).await;
        assert_eq!(again, ("skipped".to_owned(), "no_thumbnail".to_owned()));
    }
}

#[tokio::test]
async fn any_other_deletion_leaves_the_thumbnail() {
    let service = Service::start("true").await;
    let deletion = json!({ "eventType": "OBJECT_DELETE" });
    let overwritten = json!({ "eventType": "OBJECT_DELETE", "overwrittenByGeneration": "9" });
    let archived = json!({ "eventType": "OBJECT_ARCHIVE", "overwrittenByGeneration": "9" });
    let (this, other) = (Some(service.generation), Some(service.generation - 1));
    for (attributes, generation, reason) in [
        (&deletion, other, "other_version"),
        (&deletion, None, "no_generation"),
        (&overwritten, this, "not_finalize"),
        (&archived, this, "not_finalize"),
    ] {
        let ended = service.deleted(attributes, generation).await;
        assert_eq!(ended, ("skipped".to_owned(), reason.to_owned()));
        assert!(service.has_thumbnail(), "{reason}");
    }
}

#[tokio::test]
async fn deletions_are_not_followed_unless_configured() {
    let service = Service::start("false").await;
    let deletion = json!({ "eventType": "OBJECT_DELETE" });
    let ended = service.deleted(&deletion, Some(service.generation)).await;
    assert_eq!(ended, ("skipped".to_owned(), "not_finalize".to_owned()));
    assert!(service.has_thumbnail());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_cloud_the_delete_is_the_same() {
    let gcs = FakeGcs::start().await;
    gcs.create_bucket("photos").await;
    gcs.create_bucket("thumbs").await;
    let control = StorageControl::over(&gcs).await;
    let app = App::start(&[
        ("STORAGE_EMULATOR_HOST", gcs.endpoint()),
        ("STORAGE_CONTROL_ENDPOINT", control.endpoint()),
        ("TARGET_BUCKET", "thumbs"),
        ("PROPAGATE_DELETES", "true"),
    ])
    .await;
    let picture = plain(160, 120, colour(1), image::ImageFormat::Png);
    let generation = gcs.put("photos", "n.png", &picture, "image/png", &[]).await;
    assert_eq!(app.push("photos", "n.png", generation).await, 204);
    assert!(gcs.thumbnail("n.png").await.is_some());
    gcs.delete("photos", "n.png").await;
    let deletion = json!({ "eventType": "OBJECT_DELETE" });
    let (status, words) = notify(&app, &deletion, Some(generation)).await;
    assert_eq!(status, 204, "{words}");
    assert_eq!(gcs.thumbnail("n.png").await, None);
}
