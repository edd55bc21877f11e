//! Checks the documents against the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gcs_thumbnailer::config::DEFAULT_EVENT_TIMEOUT;
use image::ImageFormat;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::pictures::{colour, plain};
use crate::proxy::{Call, Fault};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The run-book explains every outcome and reason that the sources can write.
#[test]
fn the_run_book_explains_every_reason() {
    let run_book = read("deploy/OPERATIONS.md");
    let mut labels = 0;
    for source in [
        "src/outcome.rs",
        "src/work/skip.rs",
        "src/push_token.rs",
        "src/render/refusal.rs",
        "src/reconcile/line.rs",
    ] {
        for line in read(source).lines().filter(|line| line.contains("=> ")) {
            let Some(label) = line.split('"').nth(1).filter(|label| is_label(label)) else {
                continue;
            };
            labels += 1;
            assert!(
                run_book.contains(&format!("`{label}`")),
                "{source}: {label} is not in deploy/OPERATIONS.md"
            );
        }
    }
    assert!(labels >= 30, "only {labels} labels were found");
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Terraform sets the time limit of an event that is the program's default.
#[test]
fn terraform_and_the_program_agree_on_the_event_timeout() {
    let service = read("deploy/service.tf");
    let line = service
        .lines()
        .find(|line| line.trim_start().starts_with("event_timeout_seconds "));
    let seconds = line.and_then(|line| line.split('=').nth(1)).map(str::trim);
    let default = DEFAULT_EVENT_TIMEOUT.as_secs().to_string();
    assert_eq!(seconds, Some(default.as_str()));
}

/// The README's table of variables and `--help` name the same variables with the same defaults.
#[test]
fn the_readme_s_variables_are_those_of_help() {
    let help = Command::new(env!("CARGO_BIN_EXE_gcs-thumbnailer"))
        .env_clear()
        .args(["serve", "--help"])
        .output();
    let help = String::from_utf8(help.expect("the program runs").stdout).expect("help is text");
    let readme = read("README.md");
    let table = readme
        .split("## Configure it")
        .nth(1)
        .and_then(|rest| rest.split("## ").next());
    let rows: Vec<_> = table
        .expect("the table")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let cell = |row: &str, nth: usize| {
        row.split('|')
            .nth(nth)
            .unwrap_or_default()
            .trim()
            .replace('`', "")
    };
    let names = |row: &&str| {
        cell(row, 1)
            .split(", ")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut documented: Vec<_> = rows.iter().flat_map(names).collect();
    let variables = help
        .split("[env: ")
        .skip(1)
        .filter_map(|rest| rest.split('=').next());
    let mut real: Vec<_> = variables.map(str::to_owned).collect();
    documented.sort();
    real.sort();
    assert_eq!(documented, real);
    for entry in help.split("[env: ").skip(1) {
        let variable = entry.split('=').next().unwrap_or_default();
        let own = entry.split("\n\n").next().unwrap_or_default();
        let Some(default) = own
            .split("[default: ")
            .nth(1)
            .and_then(|rest| rest.split(']').next())
        else {
            continue;
        };
        let row = rows
            .iter()
            .find(|row| cell(row, 1) == variable)
            .expect("compared above");
        assert_eq!(cell(row, 2), default, "{variable}");
    }
}

/// Links in the documents lead to existing files of this repository, or to the web.
#[test]
fn links_between_documents_lead_somewhere() {
    let mut links = 0;
    let documents = [
        "README.md",
        "deploy/README.md",
        "deploy/OPERATIONS.md",
        "deploy/QUESTIONS.md",
        "deploy/SCALE.md",
        "deploy/COMING-FROM.md",
    ];
    for document in documents {
        let folder = root()
            .join(document)
            .parent()
            .expect("a file has a folder")
            .to_owned();
        for link in read(document)
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let path = link.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") {
                links += 1;
                assert!(folder.join(path).exists(), "{document} links to {link}");
            }
        }
    }
    assert!(links >= 10, "only {links} links were found");
}

/// The fields that metrics, alerts and the dashboard filter by are those that the binary writes.
#[tokio::test]
async fn the_dashboard_s_fields_are_in_the_log() {
    let cloud = Deployment::start(&[]).await;
    let picture = plain(64, 64, colour(1), ImageFormat::Png);
    let generation = cloud
        .gcs
        .put("photos", "n.png", &picture, "image/png", &[])
        .await;
    let data = json!({ "bucketId": "photos", "objectId": "n.png", "objectGeneration": generation.to_string() });
    let envelope =
        json!({ "message": { "attributes": data, "messageId": "1" }, "deliveryAttempt": 4 });
    assert_eq!(cloud.app.post("/", &[], envelope.to_string()).await.0, 204);
    cloud.upload("text.jpg", b"no picture").await;
    cloud.app.push("photos", "n.gif", 7).await;
    cloud
        .proxy
        .inject(Call::Open, Fault::Status(503), usize::MAX);
    cloud.app.push("photos", "n.jpg", 7).await;
    cloud.app.post("/", &[], "nonsense").await;
    cloud
        .app
        .wait_for_line(|line| line["outcome"] == "malformed")
        .await;
    let lines: Vec<_> = cloud.app.log_lines().iter().map(Value::to_string).collect();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), lines.join("\n")).expect("a writable file");
    let checked = Command::new("python3")
        .arg(root().join("tests/deploy/log-fields"))
        .arg(file.path())
        .output();
    let checked = checked.expect("python3 is there");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}
