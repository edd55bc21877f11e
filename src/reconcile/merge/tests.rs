use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::names::Prefix;
use crate::store::Version;
use crate::stored::Origin;

const PREFIX: &str = "thumbnails/";

/// What an object carries: nothing, the marker alone, or the whole origin.
#[derive(Debug, Clone)]
enum Mark {
    None,
    Broken,
    Of(&'static str, i64),
}

/// An object's generation, size and mark.
type Object = (i64, u64, Mark);
type Bucket = BTreeMap<String, Object>;

/// Names of few characters, so that both sides often have the same; the last two are ordered the other way round in
/// UTF-16, and dash, dot and slash around each other.
fn name() -> impl Strategy<Value = String> {
    ("[ab/.\\-\u{ff5e}\u{1f600}]{0,3}", "(|\\.jpg|\\.PNG)")
        .prop_map(|(stem, extension)| format!("{stem}{extension}"))
        .prop_filter("an object's name", |name| {
            ObjectName::parse(name.as_str()).is_ok()
        })
}

fn object() -> impl Strategy<Value = Object> {
    let mark = prop_oneof![
        2 => Just(Mark::None),
        1 => Just(Mark::Broken),
        6 => (1..4_i64).prop_map(|generation| Mark::Of("photos", generation)),
        1 => (1..4_i64).prop_map(|generation| Mark::Of("others", generation)),
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
    // The placeholder of the folder itself has no name behind the prefix.
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
        prefix: Prefix::parse(PREFIX).unwrap(),
        source_buckets: BTreeSet::new(),
        propagate_deletes: false,
    }
}

fn listed(name: String, (generation, size, mark): &Object) -> Listed {
    let origin = match mark {
        Mark::Of(name, generation) => Some(Origin {
            bucket: bucket(name),
            generation: Generation::new(*generation).unwrap(),
        }),
        Mark::None | Mark::Broken => None,
    };
    Listed {
        name: ObjectName::parse(name).unwrap(),
        version: Version {
            generation: Generation::new(*generation).unwrap(),
            size: Some(*size),
            gzipped: false,
            marked: !matches!(mark, Mark::None),
            origin,
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

fn merged(sources: &Bucket, thumbnails: &Bucket, lengths: [&[usize]; 2]) -> Vec<Finding> {
    let list = |bucket: &Bucket, prefix: &str| {
        let objects = bucket
            .iter()
            .map(|(name, object)| listed(format!("{prefix}{name}"), object));
        objects.collect()
    };
    let mut sources = pages(list(sources, ""), lengths[0]);
    let mut thumbnails = pages(list(thumbnails, PREFIX), lengths[1]);
    let mut merge = Merge::new(scope(), bucket("photos"));
    let mut findings = Vec::new();
    loop {
        match merge.advance() {
            Next::NeedsSources => merge.add_sources(sources.pop_front()),
            Next::NeedsThumbnails => merge.add_thumbnails(thumbnails.pop_front()),
            Next::Found(finding) => findings.push(finding),
            Next::Done => return findings,
        }
    }
}

/// The classes by looking each name up in both buckets, in words.
fn naive(sources: &Bucket, thumbnails: &Bucket) -> BTreeMap<String, &'static str> {
    let names: BTreeSet<_> = sources.keys().chain(thumbnails.keys()).cloned().collect();
    let class = |name: &String| match (sources.get(name), thumbnails.get(name)) {
        (Some((generation, size, mark)), thumbnail) => {
            let extension = name
                .rsplit_once('.')
                .map(|(_, extension)| extension.to_ascii_lowercase());
            let picture = matches!(extension.as_deref(), Some("jpg" | "png"));
            match thumbnail {
                _ if !matches!(mark, Mark::None) || !picture || *size == 0 => "skipped",
                Some((_, _, Mark::Of("photos", shown))) if shown == generation => "current",
                Some((_, _, Mark::Of("photos", _))) => "stale",
                Some((_, _, Mark::Of(_, _))) => "conflict",
                Some((_, _, Mark::None | Mark::Broken)) | None => "missing",
            }
        }
        (None, Some((_, _, Mark::Of("photos", _)))) if !name.is_empty() => "orphan",
        (None, _) => "foreign",
    };
    names
        .into_iter()
        .map(|name| (name.clone(), class(&name)))
        .collect()
}

fn word(class: &Class) -> &'static str {
    match class {
        Class::Current => "current",
        Class::Missing(_) => "missing",
        Class::Stale(_) => "stale",
        Class::Skipped(_) => "skipped",
        Class::Orphan(_) => "orphan",
        Class::Conflict(_) => "conflict",
        Class::Foreign => "foreign",
    }
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    vec(0..4_usize, 1..5).prop_filter("some page has objects", |lengths| {
        lengths.iter().any(|length| *length > 0)
    })
}

proptest! {
    #[test]
    fn each_name_is_found_once_in_order_and_classified_as_by_looking_it_up(
        sources in sources(),
        thumbnails in thumbnails(),
        source_pages in lengths(),
        thumbnail_pages in lengths(),
    ) {
        let findings = merged(&sources, &thumbnails, [&source_pages, &thumbnail_pages]);
        let words: Vec<_> = findings
            .iter()
            .map(|finding| (finding.name.clone(), word(&finding.class)))
            .collect();
        let expected: Vec<_> = naive(&sources, &thumbnails).into_iter().collect();
        prop_assert_eq!(words, expected);
    }

    #[test]
    fn page_borders_change_nothing(
        sources in sources(),
        thumbnails in thumbnails(),
        source_pages in lengths(),
        thumbnail_pages in lengths(),
    ) {
        let cut = merged(&sources, &thumbnails, [&source_pages, &thumbnail_pages]);
        let whole = merged(&sources, &thumbnails, [&[100], &[100]]);
        prop_assert_eq!(cut, whole);
    }
}

fn only(sources: &[(&str, Object)], thumbnails: &[(&str, Object)]) -> Class {
    let bucket = |objects: &[(&str, Object)]| {
        let objects = objects.iter().cloned();
        objects
            .map(|(name, object)| (name.to_owned(), object))
            .collect()
    };
    let mut findings = merged(&bucket(sources), &bucket(thumbnails), [&[1], &[1]]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0).class
}

#[test]
fn a_job_pins_the_listed_version_and_an_orphan_its_thumbnail_s() {
    let source = ("n.jpg", (7, 3, Mark::None));
    let Class::Stale(job) = only(
        std::slice::from_ref(&source),
        &[("n.jpg", (2, 1, Mark::Of("photos", 6)))],
    ) else {
        panic!("it is stale");
    };
    assert_eq!(job.generation, Some(Generation::new(7).unwrap()));
    assert_eq!(job.size, Some(3));
    assert_eq!(job.thumbnail.as_str(), "thumbnails/n.jpg");
    let orphan = only(&[], &[("n.jpg", (2, 1, Mark::Of("photos", 6)))]);
    let expected = Orphan {
        source: ObjectName::parse("n.jpg").unwrap(),
        thumbnail: ObjectName::parse("thumbnails/n.jpg").unwrap(),
        generation: Generation::new(2).unwrap(),
    };
    assert_eq!(orphan, Class::Orphan(expected));
}

#[test]
fn in_a_shared_bucket_what_lies_under_the_prefix_is_no_source() {
    let mut merge = Merge::new(scope(), bucket("thumbs"));
    let own = listed("thumbnails/n.jpg".to_owned(), &(1, 1, Mark::None));
    merge.add_sources(Some(vec![own]));
    merge.add_thumbnails(None);
    let Next::Found(finding) = merge.advance() else {
        panic!("it is found");
    };
    assert_eq!(finding.class, Class::Skipped(Skip::OwnObject));
}
