use super::*;

fn scope() -> Scope {
    Scope {
        target_bucket: BucketName::parse("thumbs").unwrap(),
        prefix: Prefix::parse("thumbnails/").unwrap(),
        source_buckets: BTreeSet::new(),
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
        marked: false,
        message_id: None,
        delivery_attempt: None,
    }
}

#[test]
fn pictures_by_name_are_work_in_any_case() {
    for name in ["n.jpg", "a/b.JPEG", "x.tar.Png", ".jpg", "a b#?%2F.jpg"] {
        let job = scope().admit_picture(&event("b", name)).unwrap();
        assert_eq!(job.thumbnail.as_str(), format!("thumbnails/{name}"));
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
        skip(&Event {
            marked: true,
            ..event("b", "n.jpg")
        }),
        Skip::OwnObject
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
        let removal = Removal {
            origin: Origin {
                bucket: event.bucket.clone(),
                generation: Generation::new(7).unwrap(),
            },
            thumbnail: ObjectName::parse("thumbnails/n.jpg").unwrap(),
        };
        assert_eq!(following.admit(&event), Ok(Task::Remove(removal)));
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
