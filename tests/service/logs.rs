//! The format of log lines: what Cloud Logging reads, and that no name forges a line.

use serde_json::json;

use crate::app::App;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn app(environment: &[(&str, &str)]) -> (App, tempfile::TempDir) {
    let store = tempfile::tempdir().expect("a temporary folder");
    let folder = store.path().to_str().expect("a plain path");
    let mut all = vec![("STORAGE_DIR", folder), ("TARGET_BUCKET", "thumbs")];
    all.extend_from_slice(environment);
    (App::start(&all).await, store)
}

fn resource(name: &str) -> String {
    json!({ "bucket": "b", "name": name }).to_string()
}

#[tokio::test]
async fn a_line_names_its_trace_and_span() {
    let (app, _store) = app(&[("GOOGLE_CLOUD_PROJECT", "my-project")]).await;
    let cloud = format!("{TRACE}/2205310701640571284;o=1");
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    for (header, value, name, span) in [
        (
            "x-cloud-trace-context",
            cloud.as_str(),
            "cloud.jpg",
            "1e9ad6661ea75994",
        ),
        (
            "traceparent",
            parent.as_str(),
            "parent.jpg",
            "00f067aa0ba902b7",
        ),
    ] {
        app.post("/", &[(header, value)], resource(name)).await;
        let line = app.wait_for_line(|line| line["name"] == name).await;
        assert_eq!(
            line["logging.googleapis.com/trace"],
            format!("projects/my-project/traces/{TRACE}"),
            "{line}"
        );
        assert_eq!(line["logging.googleapis.com/spanId"], span, "{line}");
    }
}

#[tokio::test]
async fn without_a_project_there_is_no_trace_name_to_make() {
    let (app, _store) = app(&[]).await;
    app.post(
        "/",
        &[("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"))],
        resource("n.jpg"),
    )
    .await;
    let line = app.wait_for_line(|line| line["name"] == "n.jpg").await;
    assert!(line["logging.googleapis.com/trace"].is_null(), "{line}");
}

#[tokio::test]
async fn no_name_forges_a_line() {
    let hostile = "a\u{2028}\u{85}\u{1b}[2K\"},{\"severity\":\"ERROR\u{0b}.jpg";
    let (app, _store) = app(&[]).await;
    app.post("/", &[], resource(hostile)).await;
    let line = app.wait_for_line(|line| line["name"] == hostile).await;
    assert_eq!(line["outcome"], "gone", "{line}");
}
