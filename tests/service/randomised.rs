//! Random uploads, overwrites, deletes and broken versions, with events late, doubled and shuffled over two instances
//! of which one is killed now and then, and reconciles that are killed too: at the end each live picture has its newest
//! thumbnail, and nothing else has any.
//!
//! `CHAOS_SEEDS` is the number of runs, `TEST_SEED` the first one's seed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use image::ImageFormat;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::app::{App, envelope};
use crate::pictures::{assert_plain, colour, plain};
use crate::reconcile;
use crate::rng::Rng;

const NAMES: usize = 8;
const STEPS: usize = 40;
const WORKERS: usize = 6;
/// A deployment whose prefix is nested in the first's.
const NESTED: &str = "--thumbnail-prefix=thumbnails/v2/";

/// A change to one object.
#[derive(Debug, Clone)]
struct Event {
    name: String,
    generation: i64,
    kind: &'static str,
    overwritten: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Broken(i64),
    /// A picture of this colour.
    Picture(i64, usize),
}

/// A folder with buckets `photos` and `thumbs`.
pub struct Store(pub TempDir);

impl Store {
    pub fn root(&self) -> &str {
        self.0.path().to_str().expect("a path of text")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts an object atomically, as Cloud Storage does, and returns its generation.
    pub fn put(&self, name: &str, bytes: &[u8]) -> i64 {
        // Unique even where the clock stands still.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .expect("the clock is past 1970");
        let now = u64::try_from(now.as_micros()).expect("microseconds fit 64 bits");
        let last = LAST.fetch_max(now, Ordering::SeqCst).max(now - 1);
        let micros = last.max(now) + 1;
        LAST.fetch_max(micros, Ordering::SeqCst);
        let aside = self.path("aside");
        fs::write(&aside, bytes).expect("a writable folder");
        let file = fs::File::options()
            .write(true)
            .open(&aside)
            .expect("it was written");
        let stamp = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(micros);
        file.set_modified(stamp).expect("a writable folder");
        let path = self.path(&format!("photos/{name}"));
        fs::create_dir_all(path.parent().expect("a path in a bucket")).expect("a writable folder");
        fs::rename(&aside, path).expect("a writable folder");
        i64::try_from(micros).expect("microseconds fit 63 bits")
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(&format!("photos/{name}"))).expect("it was put there");
    }

    async fn start(&self) -> App {
        App::start(&[
            ("STORAGE_DIR", self.root()),
            ("TARGET_BUCKET", "thumbs"),
            ("PROPAGATE_DELETES", "true"),
        ])
        .await
    }

    fn environment(&self) -> [(&str, &str); 3] {
        [
            ("STORAGE_DIR", self.root()),
            ("TARGET_BUCKET", "thumbs"),
            ("PROPAGATE_DELETES", "true"),
        ]
    }

    /// Every output by its name, with what shows a change of it.
    fn outputs(&self, below: &str) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
        let mut found = BTreeMap::new();
        gather(&self.path(below), &mut found);
        found
    }
}

fn gather(folder: &Path, found: &mut BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            gather(&path, found);
        } else {
            let modified = fs::metadata(&path).and_then(|file| file.modified());
            let bytes = fs::read(&path).expect("a readable file");
            found.insert(path, (bytes, modified.expect("a time stamp")));
        }
    }
}

async fn deliver(app: &App, event: &Event) -> bool {
    let mut body = envelope("photos", &event.name, event.generation);
    let attributes = &mut body["message"]["attributes"];
    attributes["eventType"] = event.kind.into();
    if event.overwritten {
        attributes["overwrittenByGeneration"] = "1".into();
    }
    let json = [("content-type", "application/json")];
    // A killed instance acknowledges nothing.
    let answer = app.try_post("/", &json, body.to_string()).await;
    answer.is_ok_and(|answer| answer.status == 204)
}

/// Changes a name's object, and returns the events of it.
fn step(rng: &mut Rng, store: &Store, name: &str, state: &mut State, version: usize) -> Vec<Event> {
    let event = |generation, kind, overwritten| Event {
        name: name.to_owned(),
        generation,
        kind,
        overwritten,
    };
    let before = match *state {
        State::Absent => None,
        State::Broken(generation) | State::Picture(generation, _) => Some(generation),
    };
    let mut events = Vec::new();
    match (rng.below(4), before) {
        (0, Some(generation)) => {
            store.remove(name);
            *state = State::Absent;
            events.push(event(generation, "OBJECT_DELETE", false));
        }
        (kind, before) => {
            let (generation, after): (_, fn(i64, usize) -> State) = if kind == 1 {
                (store.put(name, b"no picture"), |generation, _| {
                    State::Broken(generation)
                })
            } else {
                let picture = plain(40, 30, colour(version), ImageFormat::Png);
                (store.put(name, &picture), State::Picture)
            };
            *state = after(generation, version);
            events.push(event(generation, "OBJECT_FINALIZE", false));
            events.extend(before.map(|before| event(before, "OBJECT_DELETE", true)));
        }
    }
    events
}

/// Delivers events from the queue, some of them twice, until each is acknowledged.
async fn deliver_all(rng: &mut Rng, instances: [&App; 2], events: Vec<Event>) {
    let mut queue: Vec<Event> = events
        .iter()
        .filter(|_| rng.below(3) == 0)
        .cloned()
        .collect();
    queue.extend(events);
    rng.shuffle(&mut queue);
    let chosen = queue.into_iter().map(|event| (event, rng.below(2)));
    let mut lots: Vec<Vec<_>> = (0..WORKERS).map(|_| Vec::new()).collect();
    for (number, chosen) in chosen.enumerate() {
        lots[number % WORKERS].push(chosen);
    }
    let work = lots.into_iter().map(async |lot| {
        for (event, mut instance) in lot {
            let mut attempts = 0;
            while !deliver(instances[instance], &event).await {
                attempts += 1;
                assert!(attempts < 200, "{event:?} is never acknowledged");
                instance = 1 - instance;
            }
        }
    });
    futures_util::future::join_all(work).await;
}

async fn run(rng: &mut Rng, store: &Store, instances: &mut [App; 2], number: usize) {
    let names: Vec<String> = (0..NAMES)
        .map(|name| format!("{number}/{name}.png"))
        .collect();
    let mut states = vec![State::Absent; NAMES];
    let mut late = Vec::new();
    for round in 0..4 {
        let mut events = Vec::new();
        for at in 0..STEPS / 4 {
            let name = rng.below(NAMES);
            let version = (round * STEPS / 4 + at) % 512;
            let raised = step(rng, store, &names[name], &mut states[name], version);
            // Late events are delivered in the next round, or at the end.
            for event in raised {
                if rng.below(3) == 0 {
                    late.push(event);
                } else {
                    events.push(event);
                }
            }
        }
        if rng.below(2) == 0 {
            events.append(&mut late);
        }
        let mut killed = JoinSet::new();
        if rng.below(3) == 0 {
            let mut child = reconcile::spawn(&["photos", "--prune"], &store.environment());
            killed.spawn_blocking(move || {
                let _ = child.kill();
                let _ = child.wait();
            });
        }
        deliver_all(rng, [&instances[0], &instances[1]], events).await;
        killed.join_all().await;
        if rng.below(4) == 0 {
            instances[0].kill();
            instances[0] = store.start().await;
        }
    }
    deliver_all(rng, [&instances[0], &instances[1]], late).await;
    for (name, state) in names.iter().zip(&states) {
        check(store, name, *state);
    }
    // Redelivered events change nothing.
    let before = store.outputs("thumbs");
    for (name, state) in names.iter().zip(&states) {
        if let State::Picture(generation, _) = state {
            assert_eq!(instances[1].push("photos", name, *generation).await, 204);
        }
    }
    let prefix = format!("--prefix={number}/");
    let ended = reconcile::run(&["photos", "--prune", &prefix], &store.environment()).await;
    assert_eq!(
        (ended.count("made"), ended.count("pruned")),
        (0, 0),
        "{}",
        ended.summary()
    );
    assert_eq!(store.outputs("thumbs"), before);
}

fn check(store: &Store, name: &str, state: State) {
    let thumbnail = fs::read(store.path(&format!("thumbs/thumbnails/{name}")));
    match (state, thumbnail) {
        (State::Picture(_, version), Ok(thumbnail)) => {
            assert_plain(&thumbnail, colour(version), name);
        }
        (State::Picture(..), Err(error)) => panic!("{name} has no thumbnail: {error}"),
        (State::Absent | State::Broken(_), Ok(_)) => panic!("{name} is {state:?}, and has one"),
        (State::Absent | State::Broken(_), Err(_)) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_ends_with_what_is_there_and_nothing_else() {
    let seeds = std::env::var("CHAOS_SEEDS").ok();
    let seeds: usize = seeds.map_or(20, |text| text.parse().expect("CHAOS_SEEDS is a number"));
    let mut rng = Rng::from_environment("randomised");
    let store = Store(tempfile::tempdir().expect("a temporary folder"));
    let mut instances = [store.start().await, store.start().await];
    for name in ["kept.png", "v2/kept.png"] {
        store.put(name, &plain(40, 30, colour(1), ImageFormat::Png));
    }
    reconcile::run(&["photos", NESTED], &store.environment()).await;
    let nested = store.outputs("thumbs/thumbnails/v2");
    assert_eq!(nested.len(), 2);
    for number in 0..seeds {
        run(&mut rng, &store, &mut instances, number).await;
    }
    // The nested deployment's two outputs are unchanged; the first's output of v2/kept.png lies between them.
    let after = store.outputs("thumbs/thumbnails/v2");
    for (path, output) in nested {
        let same = after.get(&path) == Some(&output);
        assert!(same, "{} was touched", path.display());
    }
}
