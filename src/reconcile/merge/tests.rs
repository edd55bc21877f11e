use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::names::{BucketName, Generation, ObjectName};
use crate::object::Details;
use crate::reconcile::finding::{Finding, Orphan, State, Stray};
use crate::rendition::Renditions;
use crate::store::Version;
use crate::stored::{MARKER, Metadata, Origin};
use crate::work::{NameFilter, Scope, Skip, SourceTypes};

/// Two prefixes and another pattern; `t/a.png` may also belong to a deployment with a prefix nested in the first.
const RENDITIONS: &str = "t/{name}?size=1x1 u/{name}?size=2x2 {dir}v/{stem}?size=3x3";
const PREFIXES: [&str; 2] = ["t/", "u/"];

/// The record in an object's metadata.
#[derive(Debug, Clone)]
enum Mark {
    None,
    Broken,
    /// Bucket, how the recorded name compares with the place's, generation and recipe.
    Of(&'static str, Name, i64, &'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    OfPlace,
    /// That of a deployment with a nested prefix.
    Other,
    Unrecorded,
}

/// An object's generation, size and record.
type Object = (i64, u64, Mark);
type Bucket = BTreeMap<String, Object>;

/// Names of few characters, so that both sides often have the same; the last two sort the other way round in UTF-16,
/// and dash, dot and slash next to each other.
fn name() -> impl Strategy<Value = String> {
    ("[ab/.\\-\u{ff5e}\u{1f600}]{0,3}", "(|\\.jpg|\\.PNG)")
        .prop_map(|(stem, extension)| format!("{stem}{extension}"))
        .prop_filter("an object's name", |name| {
            ObjectName::parse(name.as_str()).is_ok()
        })
}

fn object() -> impl Strategy<Value = Object> {
    let name = prop_oneof![
        6 => Just(Name::OfPlace),
        1 => Just(Name::Other),
        1 => Just(Name::Unrecorded),
    ];
    let recipe = prop_oneof![
        2 => Just("size=1x1"),
        2 => Just("size=2x2"),
        1 => Just("size=128x128"),
    ];
    let of = (
        prop_oneof![6 => Just("photos"), 1 => Just("others")],
        name,
        1..4_i64,
        recipe,
    );
    let mark = prop_oneof![
        2 => Just(Mark::None),
        1 => Just(Mark::Broken),
        7 => of.prop_map(|(bucket, name, generation, recipe)| Mark::Of(bucket, name, generation, recipe)),
    ];
    (1..4_i64, 0..4_u64, mark)
}

fn sources() -> impl Strategy<Value = Bucket> {
    let unmarked = object().prop_map(|(generation, size, _)| (generation, size, Mark::None));
    btree_map(
        name(),
        prop_oneof![5 => unmarked.boxed(), 1 => object().boxed()],
        0..12,
    )
}

fn thumbnails() -> impl Strategy<Value = Bucket> {
    // The placeholder of the folder itself has no name after the prefix.
    btree_map(
        prop_oneof![9 => name().boxed(), 1 => Just(String::new()).boxed()],
        object(),
        0..12,
    )
}

fn bucket(name: &str) -> BucketName {
    BucketName::parse(name).unwrap()
}

fn scope() -> Scope {
    Scope {
        target_bucket: bucket("thumbs"),
        renditions: Renditions::parse(RENDITIONS).unwrap(),
        source_buckets: BTreeSet::new(),
        types: SourceTypes::default(),
        names: NameFilter::default(),
        propagate_deletes: false,
    }
}

fn metadata(told: &str, mark: &Mark) -> Metadata {
    let (bucket_name, name, generation, recipe) = match mark {
        Mark::None => return Metadata::new(),
        Mark::Broken => return [(MARKER.to_owned(), "1".to_owned())].into(),
        Mark::Of(bucket, name, generation, recipe) => (bucket, name, generation, recipe),
    };
    let told = ObjectName::parse(told).unwrap_or(ObjectName::parse("told").unwrap());
    let origin = Origin {
        bucket: bucket(bucket_name),
        name: match name {
            Name::Other => ObjectName::parse(format!("{told}.other")).unwrap(),
            Name::OfPlace | Name::Unrecorded => told,
        },
        generation: Generation::new(*generation).unwrap(),
        recipe: recipe.parse().unwrap(),
    };
    let mut metadata = origin.metadata();
    if *name == Name::Unrecorded {
        metadata.remove("source-name");
        metadata.remove("rendition");
    }
    metadata
}

fn listed(prefix: &str, name: &str, (generation, size, mark): &Object) -> Listed {
    Listed {
        name: ObjectName::parse(format!("{prefix}{name}")).unwrap(),
        version: Version {
            generation: Generation::new(*generation).unwrap(),
            size: Some(*size),
            details: Details {
                metadata: metadata(name, mark),
                ..Details::default()
            },
        },
    }
}

/// Cuts a listing into pages of these lengths, again and again; zero is an empty page in the middle.
fn pages(mut objects: VecDeque<Listed>, lengths: &[usize]) -> VecDeque<Vec<Listed>> {
    let mut pages = VecDeque::new();
    for length in lengths.iter().cycle() {
        pages.push_back(objects.drain(..(*length).min(objects.len())).collect());
        if objects.is_empty() {
            return pages;
        }
    }
    unreachable!("there is a length above zero")
}

fn merged(sources: &Bucket, outputs: [&Bucket; 2], lengths: [&[usize]; 3]) -> Vec<Row> {
    let list = |bucket: &Bucket, prefix: &str| {
        let objects = bucket
            .iter()
            .map(|(name, object)| listed(prefix, name, object));
        objects.collect()
    };
    let mut sources = pages(list(sources, ""), lengths[0]);
    let mut listings =
        [0, 1].map(|index| pages(list(outputs[index], PREFIXES[index]), lengths[index + 1]));
    let mut merge = Merge::new(PREFIXES);
    let mut rows = Vec::new();
    loop {
        match merge.advance() {
            Next::NeedsSources => merge.add_sources(sources.pop_front()),
            Next::NeedsOutputs(index) => merge.add_outputs(index, listings[index].pop_front()),
            Next::Found(row) => rows.push(row),
            Next::Done => return rows,
        }
    }
}

/// The expected finding of each name, by looking it up in every bucket.
fn naive(sources: &Bucket, outputs: [&Bucket; 2]) -> BTreeMap<String, String> {
    let names = outputs.iter().flat_map(|bucket| bucket.keys());
    let names: BTreeSet<_> = names.chain(sources.keys()).cloned().collect();
    let recipes = ["size=1x1", "size=2x2"];
    let state = |generation: i64, index: usize, name: &str| match outputs[index].get(name) {
        None | Some((_, _, Mark::None | Mark::Broken)) => "missing",
        Some((_, _, Mark::Of("others", ..) | Mark::Of(_, Name::Other, ..))) => "conflict",
        Some((_, _, Mark::Of(_, Name::Unrecorded, ..))) => "stale",
        Some((_, _, Mark::Of(_, Name::OfPlace, shown, recipe))) => {
            if *shown == generation && *recipe == recipes[index] {
                "current"
            } else {
                "stale"
            }
        }
    };
    let stray = |index: usize, name: &str| match outputs[index].get(name)? {
        (_, _, Mark::Of("photos", Name::OfPlace | Name::Unrecorded, ..)) if !name.is_empty() => {
            Some("orphan")
        }
        _ => Some("foreign"),
    };
    let class = |name: &String| match sources.get(name) {
        Some((generation, size, mark)) => {
            let extension = name
                .rsplit_once('.')
                .map(|(_, extension)| extension.to_ascii_lowercase());
            let picture = matches!(extension.as_deref(), Some("jpg" | "png"));
            if !matches!(mark, Mark::None) || !picture || *size == 0 {
                "skipped".to_owned()
            } else {
                [0, 1]
                    .map(|index| state(*generation, index, name))
                    .join(" ")
                    + " look"
            }
        }
        None => [0, 1]
            .into_iter()
            .filter_map(|index| stray(index, name))
            .collect::<Vec<_>>()
            .join(" "),
    };
    names
        .into_iter()
        .map(|name| (name.clone(), class(&name)))
        .collect()
}

fn words(finding: &Finding) -> String {
    let state = |state: &Option<State>| match state {
        Some(State::Current) => "current",
        Some(State::Missing) => "missing",
        Some(State::Stale) => "stale",
        Some(State::Conflict(_)) => "conflict",
        None => "look",
    };
    let stray = |stray: &Stray| match stray {
        Stray::Orphan(_) => "orphan",
        Stray::Foreign => "foreign",
    };
    match finding {
        Finding::Skipped(_) => "skipped".to_owned(),
        Finding::Source(comparison) => comparison
            .states
            .iter()
            .map(state)
            .collect::<Vec<_>>()
            .join(" "),
        Finding::NoSource(strays) => strays.iter().map(stray).collect::<Vec<_>>().join(" "),
    }
}

fn found(row: Row) -> Finding {
    Finding::of(&scope(), &bucket("photos"), row)
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    vec(0..4_usize, 1..5).prop_filter("some page has objects", |lengths| {
        lengths.iter().any(|length| *length > 0)
    })
}

proptest! {
    #[test]
    fn each_name_is_found_once_in_order_and_judged_as_by_looking_it_up(
        sources in sources(),
        (first, second) in (thumbnails(), thumbnails()),
        lengths in [lengths(), lengths(), lengths()],
    ) {
        let rows = merged(&sources, [&first, &second], lengths.each_ref().map(Vec::as_slice));
        let found: Vec<_> = rows
            .into_iter()
            .map(|row| (row.name.clone(), words(&found(row))))
            .collect();
        let expected: Vec<_> = naive(&sources, [&first, &second]).into_iter().collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn page_borders_change_nothing(
        sources in sources(),
        (first, second) in (thumbnails(), thumbnails()),
        lengths in [lengths(), lengths(), lengths()],
    ) {
        let cut = merged(&sources, [&first, &second], lengths.each_ref().map(Vec::as_slice));
        let whole = merged(&sources, [&first, &second], [&[100], &[100], &[100]]);
        prop_assert_eq!(cut, whole);
    }
}

fn only(sources: &[(&str, Object)], outputs: &[(&str, Object)]) -> Finding {
    let bucket = |objects: &[(&str, Object)]| {
        let objects = objects.iter().cloned();
        objects
            .map(|(name, object)| (name.to_owned(), object))
            .collect()
    };
    let mut rows = merged(
        &bucket(sources),
        [&bucket(outputs), &Bucket::new()],
        [&[1], &[1], &[1]],
    );
    assert_eq!(rows.len(), 1, "{rows:?}");
    found(rows.remove(0))
}

#[test]
fn a_job_pins_the_listed_version_and_an_orphan_its_output_s() {
    let output = (
        "n.jpg",
        (2, 1, Mark::Of("photos", Name::OfPlace, 6, "size=1x1")),
    );
    let source = ("n.jpg", (7, 3, Mark::None));
    let Finding::Source(comparison) =
        only(std::slice::from_ref(&source), std::slice::from_ref(&output))
    else {
        panic!("it is a source");
    };
    let job = comparison.to_do(false).unwrap();
    assert_eq!(job.source.generation, Some(Generation::new(7).unwrap()));
    assert_eq!(job.source.size, Some(3));
    let orphan = Orphan {
        source: ObjectName::parse("n.jpg").unwrap(),
        is_recorded: true,
        name: ObjectName::parse("t/n.jpg").unwrap(),
        generation: Generation::new(2).unwrap(),
    };
    assert_eq!(
        only(&[], &[output]),
        Finding::NoSource(vec![Stray::Orphan(orphan)])
    );
}

#[test]
fn only_force_makes_what_is_current_again() {
    let output = (
        "n.jpg",
        (2, 1, Mark::Of("photos", Name::OfPlace, 7, "size=1x1")),
    );
    let Finding::Source(mut comparison) = only(&[("n.jpg", (7, 3, Mark::None))], &[output]) else {
        panic!("it is a source");
    };
    let names = |job: Option<crate::work::Job>| -> Vec<String> {
        let places = job.into_iter().flat_map(|job| job.places);
        places.map(|place| place.name.to_string()).collect()
    };
    assert_eq!(names(comparison.to_do(false)), ["u/n.jpg", "v/n"]);
    assert_eq!(names(comparison.to_do(true)), ["t/n.jpg", "u/n.jpg", "v/n"]);
    comparison.states.fill(Some(State::Current));
    assert_eq!(comparison.to_do(false), None);
    comparison
        .states
        .fill(Some(State::Conflict("b/n".to_owned())));
    assert_eq!(comparison.to_do(true), None);
}

#[test]
fn in_a_shared_bucket_what_lies_behind_a_prefix_is_no_source() {
    let mut merge = Merge::new(PREFIXES);
    let own = listed("", "t/n.jpg", &(1, 1, Mark::None));
    merge.add_sources(Some(vec![own]));
    merge.add_outputs(0, None);
    merge.add_outputs(1, None);
    let Next::Found(row) = merge.advance() else {
        panic!("it is found");
    };
    let finding = Finding::of(&scope(), &bucket("thumbs"), row);
    assert_eq!(finding, Finding::Skipped(Skip::OwnObject));
}
