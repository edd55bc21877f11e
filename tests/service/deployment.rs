//! One deployment: storage with a source and a target bucket, a proxy in front of it, and the service.

use serde_json::Value;

use crate::app::App;
use crate::fake_gcs::FakeGcs;
use crate::proxy::Proxy;

/// The servers that turn a push into a thumbnail.
pub struct Deployment {
    pub gcs: FakeGcs,
    pub proxy: Proxy,
    pub app: App,
}

impl Deployment {
    /// Starts the service with these variables beside those of the storage and the target bucket.
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let gcs = FakeGcs::start().await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let proxy = Proxy::start(gcs.endpoint()).await;
        let mut all = vec![
            ("STORAGE_EMULATOR_HOST", proxy.endpoint()),
            ("TARGET_BUCKET", "thumbs"),
        ];
        all.extend_from_slice(environment);
        let app = App::start(&all).await;
        Self { gcs, proxy, app }
    }

    /// Uploads a picture and delivers its notification; returns its generation and the answer.
    pub async fn upload(&self, name: &str, bytes: &[u8]) -> (i64, u16) {
        let generation = self.gcs.put("photos", name, bytes, "image/jpeg", &[]).await;
        (generation, self.app.push("photos", name, generation).await)
    }

    /// The event line of the `nth` push of an object, counted from 0.
    pub async fn line(&self, name: &str, nth: usize) -> Value {
        let mut skipped = 0;
        let wanted = |line: &Value| {
            let found = line["outcome"].is_string() && line["name"] == name;
            skipped += usize::from(found);
            found && skipped > nth
        };
        self.app.wait_for_line(wanted).await
    }
}

/// Asserts a line's severity, outcome and reason.
pub fn assert_line(line: &Value, severity: &str, outcome: &str, reason: Option<&str>) {
    let found = (
        line["severity"].as_str(),
        line["outcome"].as_str(),
        line["reason"].as_str(),
    );
    assert_eq!(found, (Some(severity), Some(outcome), reason), "{line}");
}
