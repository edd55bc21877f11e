//! Cloud Storage's error answers by the run-book's table: each row is injected, and ends as the row says.

use image::ImageFormat;
use serde_json::Value;

use crate::deployment::{Deployment, assert_line};
use crate::pictures::{colour, plain};
use crate::proxy::{Call, Fault};

/// A row's status, reasons, calls, and outcome, reason and severity.
struct Row {
    status: u16,
    reasons: Vec<String>,
    calls: Vec<String>,
    ends: Vec<String>,
}

fn table() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/OPERATIONS.md");
    let run_book = std::fs::read_to_string(path).expect("a run-book");
    let section = run_book
        .split("## What Cloud Storage may answer")
        .nth(1)
        .and_then(|rest| rest.split("## ").next());
    let lines = section.expect("the section").lines();
    let list = |cell: &str| -> Vec<String> {
        let items = cell.split(',').map(|item| item.trim().replace('`', ""));
        items.collect()
    };
    let row = |line: &str| {
        let columns: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [status, reasons, calls, _, _, ends] = columns.try_into().ok()?;
        Some(Row {
            status: status.parse().ok()?,
            reasons: list(reasons),
            calls: list(calls),
            ends: list(ends),
        })
    };
    lines.filter_map(row).collect()
}

fn photo(version: usize) -> Vec<u8> {
    plain(64, 48, colour(version), ImageFormat::Jpeg)
}

/// Fails a call of an event, and returns the answer to the event and its log line.
async fn refuse(cloud: &Deployment, call: Call, fault: Fault, name: &str) -> (u16, Value) {
    let mut lines = 0;
    if call == Call::LookAtThumbnail {
        // The place is looked at only if it is taken.
        assert_eq!(cloud.upload(name, &photo(1)).await.1, 204);
        lines += 1;
    }
    let generation = cloud
        .gcs
        .put("photos", name, &photo(2), "image/jpeg", &[])
        .await;
    let hits = cloud.proxy.hits(call, fault);
    cloud.proxy.inject(call, fault, usize::MAX);
    let answer = match call {
        // The source is looked at only if the event has too little.
        Call::LookAtSource => cloud.app.push_bare("photos", name, generation).await,
        Call::Open | Call::Write | Call::LookAtThumbnail => {
            cloud.app.push("photos", name, generation).await
        }
    };
    cloud.proxy.clear();
    assert!(cloud.proxy.hits(call, fault) > hits, "{call:?} {fault:?}");
    (answer, cloud.line(name, lines).await)
}

#[tokio::test]
async fn each_answer_of_cloud_storage_ends_as_the_run_book_says() {
    let cloud = Deployment::start(&[]).await;
    let mut number = 0;
    for row in table() {
        for reason in &row.reasons {
            let reason: &'static str = reason.clone().leak();
            let fault = Fault::Refusal(row.status, reason);
            let calls = row.calls.iter().flat_map(|call| match call.as_str() {
                "open" => vec![Call::Open],
                "write" => vec![Call::Write],
                "look" => vec![Call::LookAtSource, Call::LookAtThumbnail],
                other => panic!("no call: {other}"),
            });
            for call in calls {
                number += 1;
                let name = format!("{number}.jpg");
                let (answer, line) = refuse(&cloud, call, fault, &name).await;
                let [outcome, reason, severity] = row.ends.as_slice() else {
                    panic!("no end: {:?}", row.ends);
                };
                println!("{call:?} {fault:?}: {answer} {line}");
                assert_line(&line, severity, outcome, Some(reason));
                let expected = if outcome == "failed" { 503 } else { 204 };
                assert_eq!(answer, expected, "{call:?} {fault:?}");
            }
        }
    }
    assert!(number > 80, "{number} cases");
}

/// Failed downloads are answered in plain text, so the service asks for the reason.
#[tokio::test]
async fn a_download_that_is_refused_in_words_is_explained_by_its_object() {
    let cloud = Deployment::start(&[]).await;
    let words = Fault::Words(400, "The target object is encrypted.");
    let asked = [
        (Fault::CustomerKey, "WARNING", "refused", "customer_key"),
        (
            Fault::Refusal(400, "userProjectMissing"),
            "ERROR",
            "failed",
            "requester_pays",
        ),
        (Fault::Status(404), "ERROR", "failed", "unknown"),
    ];
    for (fault, severity, outcome, reason) in asked {
        let name = format!("{reason}.jpg");
        cloud.proxy.inject(Call::LookAtSource, fault, usize::MAX);
        let (_, line) = refuse(&cloud, Call::Open, words, &name).await;
        assert_line(&line, severity, outcome, Some(reason));
    }
}
