//! A service that requires tokens, with a picture to make a thumbnail of.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ImageFormat;
use serde_json::json;
use tempfile::TempDir;

use super::google::{ACCOUNT, AUDIENCE};
use crate::app::App;
use crate::http::Answer;
use crate::pictures::plain;

/// The service over a folder of its own; dropping it removes both.
pub struct Door {
    pub app: App,
    folder: TempDir,
}

impl Door {
    /// Starts a service that takes its keys from this address.
    pub async fn open(keys_url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("photos")).expect("the folder is writable");
        let picture = plain(200, 100, [128; 3], ImageFormat::Jpeg);
        fs::write(folder.path().join("photos/a.jpg"), picture).expect("the folder is writable");
        let app = App::start(&[
            ("TARGET_BUCKET", "thumbs"),
            ("STORAGE_DIR", &folder.path().to_string_lossy()),
            ("PUSH_AUDIENCE", AUDIENCE),
            ("PUSH_SERVICE_ACCOUNT", ACCOUNT),
            ("PUSH_KEYS_URL", keys_url),
        ])
        .await;
        Self { app, folder }
    }

    /// Delivers the picture's event with this `Authorization` header, or none.
    pub async fn knock(&self, authorization: Option<&str>) -> Answer {
        let headers: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        let answer = self.app.try_post("/", &headers, event()).await;
        answer.unwrap_or_else(|error| panic!("{authorization:?}: {error}"))
    }

    /// Delivers the picture's event with this token, and returns the status.
    pub async fn push(&self, token: &str) -> u16 {
        self.knock(Some(&format!("Bearer {token}"))).await.status
    }

    /// Whether the picture's thumbnail was made.
    pub fn has_thumbnail(&self) -> bool {
        self.folder.path().join("thumbs/thumbnails/a.jpg").exists()
    }

    /// The reasons of all rejected calls, in order, once an accepted one is logged.
    pub async fn refusals(&self) -> Vec<String> {
        self.app
            .wait_for_line(|line| line["outcome"] == "created")
            .await;
        let lines = self.app.log_lines().into_iter();
        lines
            .filter(|line| line["outcome"] == "unauthorized")
            .inspect(|line| assert_eq!(line["severity"], "WARNING", "{line}"))
            .map(|line| line["reason"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// The picture's event.
fn event() -> String {
    let object = json!({ "bucket": "photos", "name": "a.jpg" });
    json!({ "message": { "data": STANDARD.encode(object.to_string()) } }).to_string()
}
