//! The conformance suite: what the pipeline relies on, property by property, for both stores.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;

use bytes::Bytes;
use gcs_thumbnailer::names::{BucketName, Generation, ObjectName};
use gcs_thumbnailer::render::Target;
use gcs_thumbnailer::store::{
    Directory, Gcs, GcsOptions, Precondition, Span, Store, StoreError, Version,
};
use gcs_thumbnailer::stored::{Origin, Record, Upload};
use tempfile::TempDir;

use crate::fake_gcs::FakeGcs;
use crate::proxy::Proxy;
use crate::storage_control::StorageControl;

/// A store, with another way to put objects into it.
struct Subject {
    store: Store,
    backdoor: Backdoor,
}

#[expect(clippy::large_enum_variant, reason = "one lives at a time")]
enum Backdoor {
    Folder(TempDir),
    Cloud(FakeGcs, Proxy, StorageControl),
}

impl Subject {
    fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let buckets = ["photos", "thumbs"].map(bucket);
        let store =
            Directory::new(folder.path(), &[&buckets[0], &buckets[1]]).expect("a writable folder");
        Self {
            store: Store::Directory(store),
            backdoor: Backdoor::Folder(folder),
        }
    }

    async fn cloud() -> Self {
        let gcs = FakeGcs::start().await;
        gcs.create_bucket("photos").await;
        gcs.create_bucket("thumbs").await;
        let proxy = Proxy::start(gcs.endpoint()).await;
        let control = StorageControl::over(&gcs).await;
        control.page_size(2);
        control.empty_pages();
        let options = GcsOptions {
            emulator: Some(proxy.endpoint().to_owned()),
            control: Some(control.endpoint().to_owned()),
        };
        Self {
            store: Store::Gcs(Gcs::new(options)),
            backdoor: Backdoor::Cloud(gcs, proxy, control),
        }
    }

    /// Puts an object as an uploader would.
    async fn put(&self, name: &str, bytes: &[u8]) {
        match &self.backdoor {
            Backdoor::Folder(folder) => {
                let path = folder.path().join("photos").join(name);
                fs::create_dir_all(path.parent().expect("a path in a bucket"))
                    .expect("a writable folder");
                fs::write(path, bytes).expect("a writable folder");
            }
            Backdoor::Cloud(gcs, ..) => {
                gcs.put("photos", name, bytes, "image/jpeg", &[]).await;
            }
        }
    }

    async fn write(
        &self,
        name: &str,
        precondition: Precondition,
    ) -> Result<Generation, StoreError> {
        self.store
            .write(
                &bucket("thumbs"),
                &object(name),
                &thumbnail(7),
                precondition,
            )
            .await
    }

    async fn live(&self, name: &str) -> Option<Generation> {
        self.store
            .look(&bucket("thumbs"), &object(name))
            .await
            .expect("an answer")
            .map(|version| version.generation)
    }
}

fn bucket(name: &str) -> BucketName {
    BucketName::parse(name).expect("a bucket's name")
}

fn object(name: &str) -> ObjectName {
    ObjectName::parse(name).expect("an object's name")
}

fn thumbnail(generation: i64) -> Upload {
    let generation = Generation::new(generation).expect("a generation");
    let origin = Origin {
        bucket: bucket("photos"),
        name: object("Été/☃ 1.jpg"),
        generation,
        recipe: Target::default(),
    };
    Upload {
        bytes: Bytes::from_static(b"a thumbnail"),
        content_type: "image/png",
        origin,
        pixels: (1, 1),
        source_pixels: (1, 1),
        thumbhash: String::new(),
        cache_control: None,
        content_language: None,
        inherited: [("own".to_owned(), "value".to_owned())].into(),
    }
}

fn record(upload: &Upload) -> Option<Record> {
    Record::from_metadata(&upload.origin.metadata())
}

/// An error is what was found instead.
type Property = Result<(), String>;

fn require(holds: bool, found: impl Debug) -> Property {
    if holds {
        Ok(())
    } else {
        Err(format!("{found:?}"))
    }
}

/// Checks each property.
async fn conformance(subject: &Subject) -> BTreeMap<&'static str, Property> {
    BTreeMap::from([
        (
            "reads what was stored",
            reads_what_was_stored(subject).await,
        ),
        ("pins a generation", pins_a_generation(subject).await),
        (
            "tells what is missing",
            tells_what_is_missing(subject).await,
        ),
        (
            "stores into an empty place only once",
            stores_into_an_empty_place_only_once(subject).await,
        ),
        (
            "replaces only what was seen",
            replaces_only_what_was_seen(subject).await,
        ),
        (
            "lets one of many writers win",
            lets_one_of_many_writers_win(subject).await,
        ),
        (
            "keeps a thumbnail's origin",
            keeps_the_origin(subject).await,
        ),
        (
            "tells a foreign object from ours",
            tells_a_foreign_object_from_ours(subject).await,
        ),
        (
            "looks at an empty object",
            looks_at_an_empty_object(subject).await,
        ),
        (
            "takes no more than the limit",
            takes_no_more_than_the_limit(subject).await,
        ),
        (
            "keeps hostile names apart or refuses them",
            keeps_hostile_names_apart(subject).await,
        ),
        (
            "deletes only what was seen",
            deletes_only_what_was_seen(subject).await,
        ),
        (
            "lists in the byte order of names",
            lists_in_byte_order(subject).await,
        ),
        (
            "lists what starts so and comes after",
            lists_a_span(subject).await,
        ),
        (
            "lists versions as they are looked at",
            lists_versions(subject).await,
        ),
        (
            "tells a missing bucket from an empty one",
            tells_a_missing_bucket(subject).await,
        ),
    ])
}

async fn reads_what_was_stored(subject: &Subject) -> Property {
    subject.put("dir/stored.jpg", b"bytes").await;
    let name = object("dir/stored.jpg");
    let source = subject
        .store
        .open(&bucket("photos"), &name, None)
        .await
        .expect("it is there");
    let looked = subject
        .store
        .look(&bucket("photos"), &name)
        .await
        .expect("an answer")
        .expect("it is there");
    let generations = (source.generation, looked.generation);
    let body = source.read(100, None).await.expect("a body");
    let same = generations.0 == generations.1;
    require(same && body == b"bytes", (generations, body))
}

async fn pins_a_generation(subject: &Subject) -> Property {
    subject.put("pinned.jpg", b"old").await;
    let (photos, name) = (bucket("photos"), object("pinned.jpg"));
    let old = subject
        .store
        .open(&photos, &name, None)
        .await
        .expect("it is there")
        .generation;
    subject.put("pinned.jpg", b"new").await;
    let live = subject
        .store
        .open(&photos, &name, None)
        .await
        .expect("it is there")
        .generation;
    let pinned = subject.store.open(&photos, &name, Some(old)).await;
    let current = subject.store.open(&photos, &name, Some(live)).await;
    let is_missing = matches!(pinned, Err(StoreError::NotFound));
    let found = [pinned, current].map(|opened| opened.map(|source| source.generation));
    let holds = old != live && is_missing && found[1].is_ok();
    require(holds, (old, live, found))
}

async fn tells_what_is_missing(subject: &Subject) -> Property {
    let (store, nowhere, name) = (&subject.store, bucket("nowhere"), object("missing.jpg"));
    let open = store.open(&bucket("photos"), &name, None).await;
    let look = store.look(&bucket("photos"), &name).await;
    let open_nowhere = store.open(&nowhere, &name, None).await;
    let write_nowhere = store
        .write(&nowhere, &name, &thumbnail(7), Precondition::Absent)
        .await;
    let opened = [open, open_nowhere].map(|opened| opened.map(|source| source.generation));
    let missing = {
        let mut all = opened.iter().chain([&write_nowhere]);
        all.all(|answer| matches!(answer, Err(StoreError::NotFound)))
    };
    let holds = missing && matches!(look, Ok(None));
    require(holds, (opened, look, write_nowhere))
}

async fn stores_into_an_empty_place_only_once(subject: &Subject) -> Property {
    let first = subject
        .write("once.png", Precondition::Absent)
        .await
        .expect("the place is empty");
    let second = subject.write("once.png", Precondition::Absent).await;
    let live = subject.live("once.png").await;
    let failed = matches!(second, Err(StoreError::PreconditionFailed(_)));
    require(failed && live == Some(first), (first, second, live))
}

async fn replaces_only_what_was_seen(subject: &Subject) -> Property {
    let first = subject
        .write("seen.png", Precondition::Absent)
        .await
        .expect("the place is empty");
    let second = subject
        .write("seen.png", Precondition::Is(first))
        .await
        .expect("nobody else writes");
    let stale = subject.write("seen.png", Precondition::Is(first)).await;
    let gone = subject.write("never.png", Precondition::Is(first)).await;
    let live = subject.live("seen.png").await;
    let holds = first != second
        && matches!(stale, Err(StoreError::PreconditionFailed(_)))
        && matches!(gone, Err(StoreError::PreconditionFailed(_)))
        && live == Some(second);
    require(holds, (first, second, stale, gone, live))
}

async fn lets_one_of_many_writers_win(subject: &Subject) -> Property {
    let write = || subject.write("race.png", Precondition::Absent);
    let ended = tokio::join!(write(), write(), write(), write());
    let ended = [ended.0, ended.1, ended.2, ended.3];
    let winners = ended.iter().filter(|ended| ended.is_ok()).count();
    require(winners == 1, ended)
}

async fn keeps_the_origin(subject: &Subject) -> Property {
    subject
        .write("origin.png", Precondition::Absent)
        .await
        .expect("the place is empty");
    let looked = subject
        .store
        .look(&bucket("thumbs"), &object("origin.png"))
        .await
        .expect("an answer");
    let expected = record(&thumbnail(7));
    let is_ours = |version: &Version| version.is_marked() && version.record() == expected;
    require(looked.as_ref().is_some_and(is_ours), looked)
}

async fn tells_a_foreign_object_from_ours(subject: &Subject) -> Property {
    subject.put("foreign.png", b"by hand").await;
    let looked = subject
        .store
        .look(&bucket("photos"), &object("foreign.png"))
        .await
        .expect("an answer");
    let is_foreign = |version: &Version| !version.is_marked() && version.record().is_none();
    require(looked.as_ref().is_some_and(is_foreign), looked)
}

async fn looks_at_an_empty_object(subject: &Subject) -> Property {
    subject.put("empty.png", b"").await;
    let looked = subject
        .store
        .look(&bucket("photos"), &object("empty.png"))
        .await;
    require(matches!(looked, Ok(Some(_))), looked)
}

async fn takes_no_more_than_the_limit(subject: &Subject) -> Property {
    subject.put("large.jpg", &[7; 1000]).await;
    let (photos, name) = (bucket("photos"), object("large.jpg"));
    let open = || subject.store.open(&photos, &name, None);
    let over = open().await.expect("it is there").read(999, None).await;
    let exact = open().await.expect("it is there").read(1000, None).await;
    let read = [over, exact].map(|read| read.map(|bytes| bytes.len()));
    let holds = matches!(read, [Err(StoreError::TooLarge { limit: 999 }), Ok(1000)]);
    require(holds, read)
}

async fn keeps_hostile_names_apart(subject: &Subject) -> Property {
    let long = "n".repeat(300);
    let names = [
        "a",
        "a/b",
        "a b#c?d%2F.png",
        "%2e%2e/x",
        "../../etc/passwd",
        "x/../y",
        "./z",
        "//",
        "d/",
        "/abs",
        "Été/☃",
        "nul\0byte",
        "back\\slash",
        "~",
        "*",
        &long,
    ];
    let mut stored = BTreeMap::new();
    for name in names {
        match subject.write(name, Precondition::Absent).await {
            Ok(generation) => {
                stored.insert(name, generation);
            }
            Err(StoreError::Unstorable(_) | StoreError::Unavailable(_)) => {}
            Err(error) => return Err(format!("{name:?}: {error:?}")),
        }
    }
    for (name, generation) in &stored {
        let live = subject.live(name).await;
        require(live == Some(*generation), (name, generation, live))?;
    }
    require(stored.len() >= 6, stored)
}

async fn deletes_only_what_was_seen(subject: &Subject) -> Property {
    let (thumbs, name) = (bucket("thumbs"), object("dir/deleted.png"));
    let delete = |generation| subject.store.delete(&thumbs, &name, generation);
    let write = |precondition| subject.write("dir/deleted.png", precondition);
    let first = write(Precondition::Absent)
        .await
        .expect("the place is empty");
    let second = write(Precondition::Is(first))
        .await
        .expect("nobody else writes");
    let stale = delete(first).await;
    let seen = delete(second).await;
    let gone = delete(second).await;
    let third = subject.write("dir", Precondition::Absent).await;
    let holds = matches!(stale, Err(StoreError::PreconditionFailed(_)))
        && seen.is_ok()
        && matches!(gone, Err(StoreError::NotFound))
        // An empty folder is no obstacle to an object.
        && third.as_ref().is_ok_and(|third| *third != second);
    require(holds, (stale, seen, gone, second, third))
}

/// Every name of a span of the photos, page by page.
async fn names(subject: &Subject, span: Span) -> Vec<String> {
    let mut listing = subject.store.list(&bucket("photos"), span);
    let mut names = Vec::new();
    while let Some(page) = listing.next_page().await.expect("a page") {
        let listed = page.objects.into_iter();
        names.extend(listed.map(|listed| listed.name.as_str().to_owned()));
    }
    names
}

fn span(prefix: &str, after: Option<&str>) -> Span {
    Span {
        prefix: prefix.to_owned(),
        after: after.map(str::to_owned),
    }
}

async fn lists_in_byte_order(subject: &Subject) -> Property {
    let ordered = [
        "a-b",
        "a.b",
        "a/b/c",
        "a/b0",
        "a0",
        "b",
        "\u{ff5e}",
        "\u{1f600}",
    ];
    for name in ordered.iter().rev() {
        subject.put(&format!("order/{name}"), b"bytes").await;
    }
    let names = names(subject, span("order/", None)).await;
    let expected = ordered.map(|name| format!("order/{name}"));
    require(names == expected, names)
}

async fn lists_a_span(subject: &Subject) -> Property {
    for name in ["x-1", "x/1", "x/2", "x/3", "x0"] {
        subject.put(&format!("span/{name}"), b"bytes").await;
    }
    let below = names(subject, span("span/x/", None)).await;
    let after = names(subject, span("span/x", Some("span/x/2"))).await;
    // The start of a span needn't exist.
    let between = names(subject, span("span/", Some("span/x.nothing"))).await;
    let nothing = names(subject, span("span/x/", Some("span/x/3"))).await;
    let holds = below == ["span/x/1", "span/x/2", "span/x/3"]
        && after == ["span/x/3", "span/x0"]
        && between == ["span/x/1", "span/x/2", "span/x/3", "span/x0"]
        && nothing.is_empty();
    require(holds, (below, after, between, nothing))
}

async fn lists_versions(subject: &Subject) -> Property {
    let (thumbs, name) = (bucket("thumbs"), object("listed/n.png"));
    let write = subject.write("listed/n.png", Precondition::Absent).await;
    let generation = write.expect("the place is empty");
    let mut listing = subject.store.list(&thumbs, span("listed/", None));
    while let Some(page) = listing.next_page().await.expect("a page") {
        if let Some(listed) = page.objects.into_iter().next() {
            let version = &listed.version;
            let holds = listed.name == name
                && version.generation == generation
                && version.size == Some(11)
                && version.is_marked()
                && version.record() == record(&thumbnail(7));
            return require(holds, (generation, listed));
        }
    }
    Err("nothing is listed".to_owned())
}

async fn tells_a_missing_bucket(subject: &Subject) -> Property {
    let mut missing = subject.store.list(&bucket("nowhere"), Span::default());
    let mut empty = subject.store.list(&bucket("thumbs"), span("no such", None));
    let mut found = 0;
    while let Some(page) = empty.next_page().await.expect("a page") {
        found += page.objects.len();
    }
    // An empty page may come before the answer that counts.
    let mut answer = missing.next_page().await;
    while matches!(answer, Ok(Some(_))) {
        answer = missing.next_page().await;
    }
    let is_missing = matches!(answer, Err(StoreError::NotFound));
    require(found == 0 && is_missing, (found, answer))
}

/// The properties that don't hold; the findings are printed.
fn broken(properties: BTreeMap<&'static str, Property>) -> Vec<&'static str> {
    let broken = properties.into_iter().filter_map(|(property, holds)| {
        let found = holds.err()?;
        println!("{property}: {found}");
        Some(property)
    });
    broken.collect()
}

#[tokio::test]
async fn the_folder_conforms() {
    let subject = Subject::folder();
    assert_eq!(broken(conformance(&subject).await), [""; 0]);
    let Backdoor::Folder(root) = &subject.backdoor else {
        unreachable!("it is the folder")
    };
    let beside = root
        .path()
        .parent()
        .expect("a temporary folder has a parent")
        .join("etc");
    assert!(!beside.exists(), "nothing leaves the root");
}

#[tokio::test]
async fn cloud_storage_conforms() {
    assert_eq!(broken(conformance(&Subject::cloud().await).await), [""; 0]);
}

/// Proves that the suite can fail.
#[tokio::test]
async fn a_store_that_ignores_generations_does_not_conform() {
    let subject = Subject::cloud().await;
    let Backdoor::Cloud(_, proxy, control) = &subject.backdoor else {
        unreachable!("it is the cloud")
    };
    proxy.forget("generation");
    proxy.forget("ifGenerationMatch");
    control.ignore_generations();
    let expected = [
        "deletes only what was seen",
        "lets one of many writers win",
        "pins a generation",
        "replaces only what was seen",
        "stores into an empty place only once",
    ];
    assert_eq!(broken(conformance(&subject).await), expected);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_s_links_are_not_followed() {
    let subject = Subject::folder();
    let Backdoor::Folder(root) = &subject.backdoor else {
        unreachable!("it is the folder")
    };
    let outside = tempfile::tempdir().expect("a temporary folder");
    fs::write(outside.path().join("secret.jpg"), "secret").expect("a writable folder");
    std::os::unix::fs::symlink(outside.path(), root.path().join("thumbs/out")).expect("a link");
    let read = subject
        .store
        .open(&bucket("thumbs"), &object("out/secret.jpg"), None)
        .await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))));
    let written = subject.write("out/new.png", Precondition::Absent).await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))));
    assert!(!outside.path().join("new.png").exists());
}
