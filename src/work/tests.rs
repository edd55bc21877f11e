use super::*;
use crate::names::Prefix;

fn scope() -> Scope {
    Scope {
        target_bucket: BucketName::parse("thumbs").unwrap(),
        renditions: Renditions::of_prefix(&Prefix::parse("thumbnails/").unwrap()),
        source_buckets: BTreeSet::new(),
        types: SourceTypes::default(),
        names: NameFilter::default(),
        propagate_deletes: false,
    }
}

fn event(bucket: &str, name: &str) -> Event {
    Event {
        kind: EventKind::Finalized,
        bucket: BucketName::parse(bucket).unwrap(),
        name: ObjectName::parse(name).unwrap(),
        generation: None,
        size: None,
        details: None,
        message_id: None,
        delivery_attempt: None,
    }
}

fn with_metadata(key: &str, value: &str) -> Event {
    Event {
        details: Some(Details {
            metadata: [(key.to_owned(), value.to_owned())].into(),
            ..Details::default()
        }),
        ..event("b", "n.jpg")
    }
}

fn names(job: &Job) -> Vec<&str> {
    job.places.iter().map(|place| place.name.as_str()).collect()
}

fn with_renditions(renditions: &str) -> Scope {
    Scope {
        renditions: Renditions::parse(renditions).unwrap(),
        ..scope()
    }
}

#[test]
fn pictures_by_name_are_work_in_any_case() {
    for name in ["n.jpg", "a/b.JPEG", "x.tar.Png", ".jpg", "a b#?%2F.jpg"] {
        let job = scope().admit_object(&event("b", name).object()).unwrap();
        assert_eq!(names(&job), [format!("thumbnails/{name}")]);
    }
}

#[test]
fn whatever_is_not_work_has_its_own_reason() {
    let skip = |event: &Event| scope().admit(event).unwrap_err();
    assert_eq!(
        skip(&Event {
            kind: EventKind::Other,
            ..event("b", "n.jpg")
        }),
        Skip::NotFinalize
    );
    assert_eq!(skip(&event("thumbs", "thumbnails/n.jpg")), Skip::OwnObject);
    assert_eq!(
        skip(&with_metadata("gcs-thumbnailer", "1")),
        Skip::OwnObject
    );
    assert_eq!(
        skip(&with_metadata("resizedImage", "true")),
        Skip::ResizedImage
    );
    assert!(
        scope()
            .admit(&with_metadata("resizedImage", "false"))
            .is_ok()
    );
    assert_eq!(skip(&event("b", "dir.jpg/")), Skip::Folder);
    assert_eq!(skip(&event("b", "a.jpg/noext")), Skip::NoExtension);
    assert_eq!(skip(&event("b", "n.gif")), Skip::Extension);
    assert_eq!(skip(&event("b", "jpg.")), Skip::Extension);
    assert_eq!(
        skip(&Event {
            size: Some(0),
            ..event("b", "n.jpg")
        }),
        Skip::Empty
    );
    assert_eq!(
        skip(&event("b", &format!("{}.jpg", "n".repeat(1010)))),
        Skip::NameTooLong
    );
}

#[test]
fn a_shared_bucket_s_other_objects_are_work() {
    assert!(scope().admit(&event("thumbs", "n.jpg")).is_ok());
    assert!(scope().admit(&event("b", "thumbnails/n.jpg")).is_ok());
}

#[test]
fn an_allow_list_leaves_other_buckets_out() {
    let scope = Scope {
        source_buckets: BTreeSet::from([BucketName::parse("b").unwrap()]),
        ..scope()
    };
    assert!(scope.admit(&event("b", "n.jpg")).is_ok());
    assert_eq!(
        scope.admit(&event("c", "n.jpg")),
        Err(Skip::SourceNotAllowed)
    );
}

#[test]
fn only_a_deletion_for_good_of_a_known_version_removes_and_only_where_configured() {
    let deletion = |kind| Event {
        kind,
        generation: Some(Generation::new(7).unwrap()),
        ..event("b", "n.jpg")
    };
    let following = Scope {
        propagate_deletes: true,
        ..scope()
    };
    for kind in [
        EventKind::Deleted { overwritten: false },
        EventKind::Archived { overwritten: false },
    ] {
        let event = deletion(kind);
        assert_eq!(scope().admit(&event), Err(Skip::NotFinalize));
        let Ok(Task::Remove(job, gone)) = following.admit(&event) else {
            panic!("{kind:?} removes");
        };
        assert_eq!(Some(gone), event.generation);
        assert_eq!(names(&job), ["thumbnails/n.jpg"]);
        let vague = Event {
            generation: None,
            ..event
        };
        assert_eq!(following.admit(&vague), Err(Skip::NoGeneration));
    }
    for kind in [
        EventKind::Deleted { overwritten: true },
        EventKind::Archived { overwritten: true },
        EventKind::Other,
    ] {
        assert_eq!(following.admit(&deletion(kind)), Err(Skip::NotFinalize));
    }
}

#[test]
fn a_deleted_object_that_was_no_source_removes_nothing() {
    let scope = Scope {
        propagate_deletes: true,
        source_buckets: BTreeSet::from(
            ["b", "thumbs"].map(|name| BucketName::parse(name).unwrap()),
        ),
        ..scope()
    };
    for (bucket, name, skip) in [
        ("thumbs", "thumbnails/n.jpg", Skip::OwnObject),
        ("c", "n.jpg", Skip::SourceNotAllowed),
        ("b", "n.gif", Skip::Extension),
    ] {
        let deletion = Event {
            kind: EventKind::Deleted { overwritten: false },
            generation: Some(Generation::new(7).unwrap()),
            ..event(bucket, name)
        };
        assert_eq!(scope.admit(&deletion), Err(skip));
    }
}

#[test]
fn each_rendition_has_its_place() {
    let scope = with_renditions("a/{name}?size=1x1 {dir}{stem}_9{.webp}?size=9x9&format=webp");
    let job = scope.admit_object(&event("b", "x/n.jpg").object()).unwrap();
    assert_eq!(names(&job), ["a/x/n.jpg", "x/n_9.webp"]);
    let recipes: Vec<_> = job
        .places
        .iter()
        .map(|place| place.recipe.to_string())
        .collect();
    assert_eq!(
        recipes,
        [
            "size=1x1&fit=inside&format=png",
            "size=9x9&fit=inside&format=webp&quality=80"
        ]
    );
    assert!(job.left_out.is_empty());
}

#[test]
fn a_name_that_one_rendition_can_t_make_leaves_only_that_one_out() {
    let scope = with_renditions("a/{name}?size=1x1 a-much-longer-prefix/{name}?size=1x1");
    let name = format!("{}.jpg", "n".repeat(1010));
    let job = scope.admit_object(&event("b", &name).object()).unwrap();
    assert_eq!(names(&job), [format!("a/{name}")]);
    let pattern = "a-much-longer-prefix/{name}".to_owned();
    assert_eq!(job.left_out, [(pattern, Skip::NameTooLong)]);
}

#[test]
fn no_output_takes_the_place_of_its_source_or_of_a_sibling() {
    let scope = with_renditions("{dir}{stem}{.png}?size=1x1 {dir}{stem}.png?size=2x2");
    let job = |bucket, name| scope.admit_object(&event(bucket, name).object());
    let sibling = job("b", "n.jpg").unwrap();
    assert_eq!(names(&sibling), ["n.png"]);
    assert_eq!(
        sibling.left_out,
        [("{dir}{stem}.png".to_owned(), Skip::SameName)]
    );
    assert_eq!(job("thumbs", "n.png"), Err(Skip::SourceItself));
    assert_eq!(names(&job("b", "n.png").unwrap()), ["n.png"]);
}

#[test]
fn only_a_literal_beginning_makes_an_object_ours_by_its_name() {
    let scope =
        with_renditions("a/{name}?size=1x1 {dir}thumbs/{stem}?size=1x1 c{dir}{stem}?size=1x1");
    let skip = |name| scope.admit(&event("thumbs", name)).err();
    assert_eq!(skip("a/n.jpg"), Some(Skip::OwnObject));
    assert_eq!(skip("cat.jpg"), Some(Skip::OwnObject));
    assert_eq!(skip("x/thumbs/n.jpg"), None);
}

#[test]
fn an_object_of_the_target_bucket_is_a_source_only_where_sources_are() {
    let scope = with_renditions("a/{name}?size=1x1 {dir}{stem}.jpg?size=1x1");
    let is_source = |bucket: &str, name: &str| {
        let name = ObjectName::parse(name).unwrap();
        scope.is_source(&event(bucket, "n.png").object(), &name, Details::default())
    };
    assert!(is_source("thumbs", "n.jpg"));
    assert!(!is_source("thumbs", "a/n.jpg") && !is_source("thumbs", "n"));
    assert!(!is_source("b", "n.jpg"));
}
