//! `PROPAGATE_DELETES` where events come late, in the wrong order, or about pictures that can't be rendered: no output
//! of a deleted picture stays, and no output of a live one is deleted.

use image::ImageFormat;
use serde_json::json;

use crate::app::{App, envelope};
use crate::deployment::assert_line;
use crate::fake_gcs::FakeGcs;
use crate::pictures::{assert_plain, colour, plain};
use crate::proxy::{Call, Fault, Proxy};
use crate::storage_control::StorageControl;

const NAME: &str = "a/n.png";
const THUMBNAIL: &str = "thumbnails/a/n.png";

/// A bucket whose deletions are followed, or not, and a proxy between it and the service.
struct Cloud {
    gcs: FakeGcs,
    proxy: Proxy,
    _control: StorageControl,
    app: App,
}

impl Cloud {
    async fn start(propagate: &str) -> Self {
        let gcs = FakeGcs::start().await;
        gcs.create_versioned_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let proxy = Proxy::start(gcs.endpoint()).await;
        let control = StorageControl::over(&gcs).await;
        let app = App::start(&[
            ("STORAGE_EMULATOR_HOST", proxy.endpoint()),
            ("STORAGE_CONTROL_ENDPOINT", control.endpoint()),
            ("TARGET_BUCKET", "thumbs"),
            ("PROPAGATE_DELETES", propagate),
        ])
        .await;
        Self {
            gcs,
            proxy,
            _control: control,
            app,
        }
    }

    async fn put(&self, version: usize) -> i64 {
        let picture = plain(64, 48, colour(version), ImageFormat::Png);
        self.put_bytes(&picture).await
    }

    async fn put_bytes(&self, bytes: &[u8]) -> i64 {
        self.gcs.put("photos", NAME, bytes, "image/png", &[]).await
    }

    async fn finalized(&self, generation: i64) {
        assert_eq!(self.app.push("photos", NAME, generation).await, 204);
    }

    /// Uploads a version and delivers its event.
    async fn upload(&self, version: usize) -> i64 {
        let generation = self.put(version).await;
        self.finalized(generation).await;
        generation
    }

    /// Delivers the deletion of a version.
    async fn deleted(&self, generation: i64) {
        let mut body = envelope("photos", NAME, generation);
        body["message"]["attributes"]["eventType"] = "OBJECT_DELETE".into();
        let json = [("content-type", "application/json")];
        let (status, words) = self.app.post("/", &json, body.to_string()).await;
        assert_eq!(status, 204, "{words}");
    }

    async fn is_there(&self) -> bool {
        self.gcs.get("thumbs", THUMBNAIL).await.is_some()
    }

    async fn assert_shows(&self, version: usize) {
        let thumbnail = self
            .gcs
            .get("thumbs", THUMBNAIL)
            .await
            .expect("a thumbnail");
        assert_plain(&thumbnail.bytes, colour(version), NAME);
    }
}

#[tokio::test]
async fn a_deletion_takes_what_shows_an_older_version() {
    let cloud = Cloud::start("true").await;
    // The newer version is broken.
    cloud.upload(1).await;
    cloud.gcs.delete("photos", NAME).await;
    let broken = cloud.put_bytes(b"no picture").await;
    cloud.gcs.delete("photos", NAME).await;
    cloud.deleted(broken).await;
    assert!(!cloud.is_there().await);
    // The newer version is deleted before its event is handled.
    cloud.upload(2).await;
    let unseen = cloud.put(3).await;
    cloud.gcs.delete("photos", NAME).await;
    cloud.deleted(unseen).await;
    assert!(!cloud.is_there().await);
    cloud.finalized(unseen).await;
    assert!(!cloud.is_there().await);
}

#[tokio::test]
async fn a_late_deletion_leaves_what_shows_the_live_version() {
    let cloud = Cloud::start("true").await;
    let old = cloud.upload(1).await;
    let new = cloud.put(2).await;
    cloud.deleted(old - 1).await;
    cloud.assert_shows(1).await;
    cloud.finalized(new).await;
    cloud.deleted(old).await;
    cloud.assert_shows(2).await;
}

#[tokio::test]
async fn what_is_written_behind_a_deletion_s_back_goes_again() {
    let cloud = Cloud::start("true").await;
    let first = cloud.put(1).await;
    let hits = cloud.proxy.hits(Call::Write, Fault::HeldUntilCleared);
    cloud.proxy.inject(Call::Write, Fault::HeldUntilCleared, 1);
    let meanwhile = async {
        let held = cloud
            .proxy
            .until_hit(Call::Write, Fault::HeldUntilCleared, hits);
        held.await;
        // The second version comes with its thumbnail, and goes with it.
        let second = cloud.upload(2).await;
        cloud.assert_shows(2).await;
        cloud.gcs.delete("photos", NAME).await;
        cloud.deleted(second).await;
        assert!(!cloud.is_there().await);
        cloud.proxy.clear();
    };
    tokio::join!(cloud.finalized(first), meanwhile);
    assert!(!cloud.is_there().await);
}

#[tokio::test]
async fn what_an_instance_left_between_write_and_question_goes_by_the_next_delivery() {
    let cloud = Cloud::start("true").await;
    let generation = cloud.put(1).await;
    // The look fails as often as one event tries it.
    cloud
        .proxy
        .inject(Call::LookAtSource, Fault::Status(503), 3);
    assert_eq!(cloud.app.push("photos", NAME, generation).await, 503);
    cloud.proxy.clear();
    assert!(cloud.is_there().await);
    cloud.gcs.delete("photos", NAME).await;
    cloud.finalized(generation).await;
    assert!(!cloud.is_there().await);
}

#[tokio::test]
async fn a_noncurrent_version_that_can_still_be_read_gets_no_thumbnail() {
    let cloud = Cloud::start("true").await;
    let archived = cloud.put(1).await;
    cloud.gcs.delete("photos", NAME).await;
    cloud.finalized(archived).await;
    assert!(!cloud.is_there().await);
    // Where deletions aren't followed, a redelivery looks at the source first.
    let cloud = Cloud::start("false").await;
    let archived = cloud.put(1).await;
    cloud.gcs.delete("photos", NAME).await;
    let mut again = envelope("photos", NAME, archived);
    again["deliveryAttempt"] = 2.into();
    let json = [("content-type", "application/json")];
    assert_eq!(cloud.app.post("/", &json, again.to_string()).await.0, 204);
    assert!(!cloud.is_there().await);
    assert!(cloud.proxy.requests_of(Call::Open).is_empty());
}

#[tokio::test]
async fn a_picture_overwritten_by_what_can_t_be_rendered_loses_its_thumbnail_where_deletions_are_followed()
 {
    let cloud = Cloud::start("true").await;
    cloud.upload(1).await;
    let broken = cloud.put_bytes(b"no picture").await;
    cloud.finalized(broken).await;
    assert!(!cloud.is_there().await);
    let line = |line: &serde_json::Value| line["outcome"] == "refused";
    let line = cloud.app.wait_for_line(line).await;
    assert_line(&line, "WARNING", "refused", Some("not_an_image"));
    let deleted = json!([{ "name": THUMBNAIL, "outcome": "deleted" }]);
    assert_eq!(without_time(&line["renditions"]), deleted, "{line}");
    // A broken version that has been replaced has no effect.
    cloud.upload(2).await;
    cloud.finalized(broken).await;
    cloud.assert_shows(2).await;
}

#[tokio::test]
async fn a_picture_overwritten_by_what_can_t_be_rendered_keeps_its_thumbnail_elsewhere_and_the_line_says_so()
 {
    let cloud = Cloud::start("false").await;
    cloud.upload(1).await;
    let broken = cloud.put_bytes(b"no picture").await;
    cloud.finalized(broken).await;
    cloud.assert_shows(1).await;
    let line = |line: &serde_json::Value| line["outcome"] == "refused";
    let line = cloud.app.wait_for_line(line).await;
    let kept = json!([{ "name": THUMBNAIL, "outcome": "kept", "reason": "other_version" }]);
    assert_eq!(without_time(&line["renditions"]), kept, "{line}");
}

fn without_time(renditions: &serde_json::Value) -> serde_json::Value {
    let mut renditions = renditions.clone();
    for rendition in renditions.as_array_mut().expect("a list") {
        rendition.as_object_mut().expect("an object").remove("ms");
    }
    renditions
}
