//! Runs what `deploy/local` starts, as a new user would: the commands of its compose file as processes, its gallery and
//! a page of placeholders in a browser.

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs gcloud's Pub/Sub emulator, Chromium and ChromeDriver"]
fn the_chain_on_one_machine_shows_every_picture() {
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/local/check");
    let status = Command::new(check)
        .arg(env!("CARGO_BIN_EXE_gcs-thumbnailer"))
        .status()
        .expect("tests/local/check can be started");
    assert!(status.success(), "tests/local/check: {status}");
}
