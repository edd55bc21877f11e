//! The command line: exit codes, messages, and `thumb`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gcs-thumbnailer"));
    command
        .env_clear()
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("cargo built the program")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn sample() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/photos/launch.jpg"))
        .expect("the sample photo")
}

#[test]
fn a_bad_configuration_is_told_whole_and_exits_with_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = run(
        &["serve", "--thumbnail-prefix=", "--event-timeout=never"],
        folder.path(),
    );
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr);
    for variable in ["TARGET_BUCKET", "THUMBNAIL_PREFIX", "EVENT_TIMEOUT"] {
        assert_eq!(words.matches(variable).count(), 1, "{words}");
    }
    assert_eq!(
        run(&["--no-such-option"], folder.path()).status.code(),
        Some(2)
    );
}

#[test]
fn help_names_every_option_s_variable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = run(&["serve", "--help"], folder.path());
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    for variable in [
        "PORT",
        "TARGET_BUCKET",
        "SOURCE_BUCKETS",
        "THUMBNAIL_PREFIX",
        "CACHE_CONTROL",
        "MAX_SOURCE_BYTES",
        "MAX_SOURCE_PIXELS",
        "MEMORY_BUDGET",
        "EVENT_TIMEOUT",
        "STORAGE_DIR",
        "STORAGE_EMULATOR_HOST",
        "GOOGLE_CLOUD_PROJECT",
        "LOG_FORMAT",
        "PROPAGATE_DELETES",
    ] {
        assert!(
            words.contains(&format!("[env: {variable}=")),
            "{variable}\n{words}"
        );
    }
}

#[test]
fn thumb_renders_every_file_it_can_and_tells_of_the_rest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("photo.jpg"), sample()).expect("a file");
    fs::write(folder.path().join("broken.png"), "no picture").expect("a file");
    let output = run(
        &[
            "thumb",
            "--json",
            "--out-dir",
            "out",
            "photo.jpg",
            "broken.png",
            "missing.jpg",
        ],
        folder.path(),
    );
    assert_eq!(output.status.code(), Some(1));
    let mut rows = lines(&output);
    rows.sort_by_key(|row| row["file"].to_string());
    let [broken, missing, photo] = rows.as_slice() else {
        panic!("one line per file: {rows:?}")
    };
    assert_eq!(
        (&broken["outcome"], &missing["outcome"]),
        (&"refused".into(), &"failed".into())
    );
    assert!(
        broken["reason"].is_string() && broken["width"].is_null(),
        "{broken}"
    );
    assert_eq!(photo["outcome"], "created", "{photo}");
    assert_eq!(
        [
            &photo["source_width"],
            &photo["source_height"],
            &photo["width"],
            &photo["height"]
        ],
        [640, 427, 128, 85]
    );
    let thumbnail = fs::read(folder.path().join("out/photo.jpg.png")).expect("the thumbnail");
    assert_eq!(photo["bytes"], thumbnail.len());
    assert!(
        photo["cpu_ms"].as_f64().is_some_and(|ms| ms > 0.0),
        "{photo}"
    );
}

#[test]
fn thumb_writes_beside_the_file_and_exits_with_0() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("photo.jpg"), sample()).expect("a file");
    let output = run(&["thumb", "photo.jpg"], folder.path());
    assert_eq!(output.status.code(), Some(0));
    assert!(folder.path().join("photo.jpg.png").is_file());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("photo.jpg: 128x85"));
}

#[test]
fn thumb_makes_no_two_thumbnails_into_one_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["a", "b"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        fs::write(folder.path().join(name).join("photo.jpg"), sample()).expect("a file");
    }
    let files = [
        "thumb",
        "--json",
        "--out-dir",
        "out",
        "a/photo.jpg",
        "b/photo.jpg",
    ];
    let output = run(&files, folder.path());
    assert_eq!(output.status.code(), Some(1));
    let refused: Vec<_> = lines(&output)
        .into_iter()
        .filter(|row| row["outcome"] == "refused")
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
}

#[test]
fn thumb_leaves_what_its_target_shares_a_file_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("photo.jpg"), sample()).expect("a file");
    fs::write(folder.path().join("kept.jpg"), "kept").expect("a file");
    fs::hard_link(
        folder.path().join("kept.jpg"),
        folder.path().join("photo.jpg.png"),
    )
    .expect("a link");
    assert_eq!(
        run(&["thumb", "photo.jpg"], folder.path()).status.code(),
        Some(0)
    );
    assert_eq!(
        fs::read(folder.path().join("kept.jpg")).expect("a file"),
        b"kept"
    );
}

#[test]
fn thumb_never_writes_over_an_input() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("photo.jpg"), sample()).expect("a file");
    let png = run(&["thumb", "photo.jpg"], folder.path());
    assert_eq!(png.status.code(), Some(0));
    let before = fs::read(folder.path().join("photo.jpg.png")).expect("a file");
    fs::write(folder.path().join("photo.jpg.png"), &before[..]).expect("a file");
    let output = run(
        &["thumb", "--json", "photo.jpg", "photo.jpg.png"],
        folder.path(),
    );
    assert_eq!(output.status.code(), Some(1));
    let refused = lines(&output)
        .into_iter()
        .find(|row| row["outcome"] == "refused")
        .expect("one is refused");
    assert_eq!(refused["file"], "photo.jpg");
    assert_eq!(
        fs::read(folder.path().join("photo.jpg.png")).expect("a file"),
        before
    );
}

#[test]
fn thumb_makes_every_rendition_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("photo.jpg"), sample()).expect("a file");
    let renditions = [
        "--rendition=small/{name}?size=64x64",
        "--rendition={stem}_200{.webp}{dir}?size=200x&format=webp",
    ];
    let output = run(
        &[
            &["thumb", "--json", "--out-dir", "out"][..],
            &renditions[..],
            &["photo.jpg"][..],
        ]
        .concat(),
        folder.path(),
    );
    assert_eq!(output.status.code(), Some(0));
    let row = &lines(&output)[0];
    assert_eq!((&row["width"], &row["height"]), (&64.into(), &43.into()));
    assert_eq!(row["renditions"][0]["name"], "small/photo.jpg");
    assert_eq!(row["renditions"][1]["content_type"], "image/webp");
    for (name, rendition) in ["small/photo.jpg", "photo_200.webp"].iter().zip(0..) {
        let bytes = fs::read(folder.path().join("out").join(name)).expect("an output");
        assert_eq!(row["renditions"][rendition]["bytes"], bytes.len());
    }
    let output = run(
        &["thumb", "--rendition=x?size=1x1", "photo.jpg"],
        folder.path(),
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn thumb_knows_a_file_however_its_path_is_spelled() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("photo.jpg"), sample()).expect("a file");
    let output = run(
        &["thumb", "--json", "photo.jpg", "./photo.jpg"],
        folder.path(),
    );
    let rows = lines(&output);
    let refused = rows.iter().filter(|row| row["outcome"] == "refused");
    assert_eq!(refused.count(), 1, "{rows:?}");
}

#[test]
fn thumb_reads_the_formats_that_its_source_types_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::copy(golden.join("webp/rgb-0.webp"), folder.path().join("a")).expect("a picture");
    let refused = run(&["thumb", "--json", "a"], folder.path());
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(lines(&refused)[0]["reason"], "WebP is not supported");
    for options in [
        &["thumb", "--json", "--source-types=webp", "a"][..],
        &["thumb", "--json", "--source-types=image/*", "a"],
    ] {
        let made = run(options, folder.path());
        assert_eq!(lines(&made)[0]["outcome"], "created", "{options:?}");
    }
    let fault = run(&["thumb", "--source-types=.webp", "a"], folder.path());
    assert_eq!(fault.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&fault.stderr).contains("SOURCE_TYPES"));
}
