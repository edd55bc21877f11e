//! `reconcile` from the command line, over the folder and over gRPC.

mod chain;
mod cloud;
mod recipes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use image::ImageFormat;
use serde_json::Value;
use tempfile::TempDir;

use crate::pictures::{assert_plain, colour, plain};

/// The result of a run.
pub struct Ended {
    pub code: Option<i32>,
    pub log: Vec<Value>,
    pub errors: String,
}

impl Ended {
    /// The last line that has counts.
    pub fn summary(&self) -> &Value {
        let mut lines = self.log.iter().rev();
        let summary = lines.find(|line| line["scanned"].is_u64());
        summary.unwrap_or_else(|| panic!("no summary: {:#?} {}", self.log, self.errors))
    }

    pub fn count(&self, what: &str) -> u64 {
        let number = self.summary()[what].as_u64();
        number.unwrap_or_else(|| panic!("no {what}: {}", self.summary()))
    }

    /// The name that the summary says to resume after.
    pub fn start_after(&self) -> Option<&str> {
        self.summary()["start_after"].as_str()
    }

    /// The names that were logged with this outcome.
    fn names(&self, outcome: &str) -> Vec<&str> {
        let lines = self.log.iter().filter(|line| line["outcome"] == outcome);
        lines.filter_map(|line| line["name"].as_str()).collect()
    }
}

pub fn spawn(arguments: &[&str], environment: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gcs-thumbnailer"))
        .env_clear()
        .arg("reconcile")
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo built the program")
}

/// Waits for the end of a run, while other tasks of the test go on.
pub async fn wait(child: Child) -> Ended {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await;
    let output = output
        .expect("waiting doesn't panic")
        .expect("a child can be waited for");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    Ended {
        code: output.status.code(),
        log: text.lines().map(parse).collect(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    wait(spawn(arguments, environment)).await
}

/// A folder store.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn put(&self, bucket: &str, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(bucket).join(name);
        fs::create_dir_all(path.parent().expect("a path in a bucket")).expect("a writable folder");
        fs::write(path, bytes).expect("a writable folder");
    }

    fn remove(&self, bucket: &str, name: &str) {
        fs::remove_file(self.0.path().join(bucket).join(name)).expect("it was put there");
    }

    /// Strips the outputs' records to those of versions before 0.2.
    fn forget_names(&self) {
        let hidden = self.0.path().join(".gcs-thumbnailer");
        for entry in fs::read_dir(hidden).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let json = fs::read(&path).expect("a readable file");
                let mut sidecar: Value = serde_json::from_slice(&json).expect("JSON");
                sidecar["metadata"]
                    .as_object_mut()
                    .expect("an object")
                    .retain(|key, _| !matches!(key.as_str(), "source-name" | "rendition"));
                fs::write(&path, sidecar.to_string()).expect("a writable file");
            }
        }
    }

    /// The thumbnails' names without the prefix, with their bytes.
    fn thumbnails(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.0.path().join("thumbs/thumbnails");
        let mut found = BTreeMap::new();
        gather(&root, &root, &mut found);
        found
    }

    fn names(&self) -> Vec<String> {
        self.thumbnails().into_keys().collect()
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        run(arguments, &self.environment()).await
    }

    fn environment(&self) -> [(&str, &str); 2] {
        let root = self.0.path().to_str().expect("a path of text");
        [("STORAGE_DIR", root), ("TARGET_BUCKET", "thumbs")]
    }
}

fn gather(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            gather(root, &path, found);
        } else {
            let name = path.strip_prefix(root).expect("a path below");
            let name = name.to_str().expect("a path of text").to_owned();
            found.insert(name, fs::read(&path).expect("a readable file"));
        }
    }
}

fn picture(version: usize) -> Vec<u8> {
    plain(160, 120, colour(version), ImageFormat::Png)
}

#[tokio::test]
async fn one_command_turns_a_folder_of_photos_into_thumbnails() {
    let folder = Folder::new();
    let photos = ["a-b.jpg", "a.b.PNG", "a/b.jpeg", "a0.jpg", "Été/☃.png"];
    for (version, name) in photos.into_iter().enumerate() {
        folder.put("photos", name, &picture(version));
    }
    folder.put("photos", "broken.jpg", b"not a picture");
    folder.put("photos", "notes.txt", b"text");
    folder.put("photos", "empty.png", b"");

    let first = folder.run(&["photos"]).await;
    assert_eq!(first.code, Some(0), "{}", first.errors);
    assert_eq!(folder.names(), photos);
    for (version, name) in photos.into_iter().enumerate() {
        assert_plain(&folder.thumbnails()[name], colour(version), name);
    }
    assert_eq!(first.count("scanned"), 8);
    assert_eq!((first.count("missing"), first.count("made")), (6, 5));
    assert_eq!((first.count("skipped"), first.count("refused")), (2, 1));
    assert_eq!(first.names("refused"), ["broken.jpg"]);
    assert_eq!(first.start_after(), None);

    let second = folder.run(&["photos"]).await;
    assert_eq!((second.count("current"), second.count("made")), (5, 0));
}

#[tokio::test]
async fn what_is_stale_is_made_again_and_an_orphan_goes_only_by_prune() {
    let folder = Folder::new();
    for name in ["kept.png", "replaced.png", "deleted.png"] {
        folder.put("photos", name, &picture(1));
    }
    folder.run(&["photos"]).await;
    folder.put("photos", "replaced.png", &picture(2));
    folder.remove("photos", "deleted.png");
    let before = folder.thumbnails();

    let dry = folder.run(&["photos", "--dry-run", "--prune"]).await;
    assert_eq!(folder.thumbnails(), before, "a dry run does nothing");
    assert_eq!(dry.names("stale"), ["replaced.png"]);
    assert_eq!(dry.names("orphan"), ["deleted.png"]);

    let made = folder.run(&["photos"]).await;
    assert_eq!((made.count("made"), made.count("orphans")), (1, 1));
    assert_plain(
        &folder.thumbnails()["replaced.png"],
        colour(2),
        "replaced.png",
    );
    assert_eq!(folder.names().len(), 3, "an orphan stays without --prune");

    let pruned = folder.run(&["photos", "--prune"]).await;
    assert_eq!(pruned.count("pruned"), 1);
    assert_eq!(folder.names(), ["kept.png", "replaced.png"]);
}

#[tokio::test]
async fn another_bucket_s_thumbnail_is_neither_stale_nor_an_orphan() {
    let folder = Folder::new();
    folder.put("photos", "both.png", &picture(1));
    folder.put("photos", "ours.png", &picture(1));
    folder.run(&["photos"]).await;
    folder.put("others", "both.png", &picture(2));

    let others = folder.run(&["others", "--prune"]).await;
    assert_eq!(others.code, Some(0));
    assert_eq!((others.count("conflicts"), others.count("foreign")), (1, 1));
    assert_eq!(others.names("conflict"), ["both.png"]);
    assert_eq!((others.count("made"), others.count("pruned")), (0, 0));
    assert_plain(&folder.thumbnails()["both.png"], colour(1), "both.png");
}

#[tokio::test]
async fn an_object_by_someone_else_under_the_prefix_is_never_pruned() {
    let folder = Folder::new();
    folder.put("thumbs", "thumbnails/by-hand.png", &picture(1));
    folder.put("photos", "n.png", &picture(2));
    let ended = folder.run(&["photos", "--prune"]).await;
    assert_eq!((ended.count("foreign"), ended.count("pruned")), (1, 0));
    assert_eq!(folder.names(), ["by-hand.png", "n.png"]);
}

#[tokio::test]
async fn what_a_deployment_behind_the_prefix_has_made_is_never_pruned() {
    for (outer, inner) in [("thumbnails/", "thumbnails/v2/"), ("thumb", "thumb2/")] {
        for recorded in [true, false] {
            let folder = Folder::new();
            let [outer, inner] =
                [outer, inner].map(|prefix| format!("--thumbnail-prefix={prefix}"));
            let outputs = || {
                let mut found = BTreeMap::new();
                let root = folder.0.path().join("thumbs");
                gather(&root, &root, &mut found);
                found.into_keys().collect::<Vec<_>>()
            };
            folder.put("photos", "a/cat.png", &picture(1));
            folder.put("photos", "a/dog.png", &picture(1));
            for prefix in [&outer, &inner] {
                folder.run(&["photos", prefix]).await;
            }
            if !recorded {
                folder.forget_names();
            }
            let both = outputs();
            assert_eq!(both.len(), 4);
            for prefix in [&outer, &inner] {
                let ended = folder.run(&["photos", prefix, "--prune"]).await;
                assert_eq!((ended.code, ended.count("pruned")), (Some(0), 0));
                assert_eq!(outputs(), both, "{prefix}");
            }
            // Each run deletes its own orphan, and nobody else's.
            folder.remove("photos", "a/dog.png");
            let dry = folder
                .run(&["photos", &inner, "--prune", "--dry-run"])
                .await;
            assert_eq!(dry.names("orphan"), ["a/dog.png"]);
            let ended = folder.run(&["photos", &inner, "--prune"]).await;
            assert_eq!(ended.count("pruned"), 1);
            assert_eq!(outputs().len(), 3);
            let ended = folder.run(&["photos", &outer, "--prune"]).await;
            assert_eq!(ended.count("pruned"), 1);
            assert_eq!(outputs().len(), 2);
        }
    }
}

#[tokio::test]
async fn force_makes_what_is_current_again() {
    let folder = Folder::new();
    folder.put("photos", "n.png", &picture(1));
    folder.run(&["photos"]).await;
    let ended = folder.run(&["photos", "--force"]).await;
    assert_eq!((ended.count("current"), ended.count("made")), (1, 1));
    let topic = "--topic=projects/p/topics/t";
    let ended = folder.run(&["photos", "--force", topic]).await;
    assert_eq!(ended.code, Some(2));
}

#[tokio::test]
async fn in_a_shared_bucket_thumbnails_are_no_sources() {
    let folder = Folder::new();
    for name in ["a.png", "z.png"] {
        folder.put("thumbs", name, &picture(1));
    }
    for made in [2, 0, 0] {
        let ended = folder.run(&["thumbs", "--prune"]).await;
        assert_eq!((ended.count("made"), ended.count("pruned")), (made, 0));
        assert_eq!(folder.names(), ["a.png", "z.png"]);
    }
}

#[tokio::test]
async fn limited_runs_resumed_where_they_say_make_everything_once() {
    let folder = Folder::new();
    let names: Vec<_> = (0..7).map(|number| format!("it's {number}.png")).collect();
    for name in &names {
        folder.put("photos", name, &picture(1));
    }
    let mut start_after = String::new();
    let mut made = Vec::new();
    loop {
        let resume = format!("--start-after={start_after}");
        let ended = folder.run(&["photos", "--limit=3", &resume]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        made.push(ended.count("made"));
        match ended.start_after() {
            Some(name) => start_after = name.to_owned(),
            None => break,
        }
    }
    assert_eq!(made, [3, 3, 1]);
    assert_eq!(folder.names(), names);
}

#[tokio::test]
async fn a_prefix_leaves_the_other_names_alone() {
    let folder = Folder::new();
    for name in ["a/1.png", "a/2.png", "b/1.png", "a.png"] {
        folder.put("photos", name, &picture(1));
    }
    folder.run(&["photos"]).await;
    folder.remove("photos", "a/1.png");
    folder.remove("photos", "b/1.png");
    let ended = folder.run(&["photos", "--prefix=a/", "--prune"]).await;
    assert_eq!((ended.count("scanned"), ended.count("pruned")), (2, 1));
    assert_eq!(folder.names(), ["a.png", "a/2.png", "b/1.png"]);
}

/// After SIGTERM in the middle, everything up to the reported name is done, and a resumed run leaves nothing out.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_is_resumed_without_a_gap() {
    let folder = Folder::new();
    let names: BTreeSet<_> = (0..200).map(|number| format!("{number:03}.png")).collect();
    for name in &names {
        folder.put("photos", name, &picture(1));
    }
    let child = spawn(&["photos", "--per-second=50"], &folder.environment());
    while folder.names().len() < 10 {
        tokio::task::yield_now().await;
    }
    let id = child.id().to_string();
    let sent = Command::new("sh")
        .args(["-c", "kill -s TERM \"$0\"", &id])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    let stopped = wait(child).await;
    // A stopped Cloud Run job must not look complete.
    assert_eq!(stopped.code, Some(1), "{}", stopped.errors);
    let reached = stopped.start_after().expect("a place to resume").to_owned();
    let made: BTreeSet<_> = folder.names().into_iter().collect();
    assert!(made.len() < names.len(), "the signal came in the middle");
    let promised: BTreeSet<_> = names.range(..=reached.clone()).cloned().collect();
    assert!(
        promised.len() >= 9 && promised.is_subset(&made),
        "{reached}: {made:?}"
    );

    let resume = format!("--start-after={reached}");
    let resumed = folder.run(&["photos", &resume]).await;
    let left = u64::try_from(names.len() - promised.len()).expect("a small number");
    assert_eq!(resumed.count("scanned"), left);
    assert_eq!(folder.names(), names.into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failure_is_counted_and_holds_the_resume_point_back() {
    let folder = Folder::new();
    for name in ["a.png", "b.png", "c.png"] {
        folder.put("photos", name, &picture(1));
    }
    // The time is too short for anything.
    let arguments = ["photos", "--event-timeout=1ms", "--start-after=a.png"];
    let big = plain(3000, 3000, colour(1), ImageFormat::Png);
    folder.put("photos", "b.png", &big);
    folder.put("photos", "c.png", &big);
    let ended = folder.run(&arguments).await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.count("failed"), 2);
    assert_eq!(ended.names("failed").len(), 2);
    assert_eq!(ended.start_after(), Some("a.png"));
}

#[tokio::test]
async fn what_can_t_be_listed_ends_the_run_with_1_and_a_bad_command_line_with_2() {
    let folder = Folder::new();
    let missing = folder.run(&["nowhere"]).await;
    assert_eq!(missing.code, Some(1));
    let broken = missing.log.iter().find(|line| line["severity"] == "ERROR");
    let message = broken.expect("an error is logged")["message"].to_string();
    assert!(message.contains("does not exist"), "{message}");

    let refused = folder.run(&["x/y", "--limit=0", "--topic=t"]).await;
    assert_eq!(refused.code, Some(2));
    for option in ["SOURCE_BUCKET", "--limit", "--topic"] {
        assert_eq!(
            refused.errors.matches(option).count(),
            1,
            "{}",
            refused.errors
        );
    }
}

#[tokio::test]
async fn a_topic_at_a_dead_address_ends_in_an_error() {
    let folder = Folder::new();
    folder.put("photos", "n.png", &picture(1));
    let ended = folder
        .run(&[
            "photos",
            "--topic=projects/p/topics/new-pictures",
            // Nobody listens on the port of tcpmux.
            "--pubsub-emulator-host=127.0.0.1:1",
        ])
        .await;
    assert_eq!(ended.code, Some(1));
    assert_eq!((ended.count("announced"), ended.count("failed")), (0, 1));
    assert_eq!(ended.start_after(), Some(""));
    let broken = ended.log.iter().find(|line| line["severity"] == "ERROR");
    let message = broken.expect("an error is logged")["message"].to_string();
    assert!(message.contains("publish"), "{message}");
}
