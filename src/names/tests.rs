use super::*;

#[test]
fn a_topic_is_named_in_full() {
    for sound in [
        "projects/p/topics/new-pictures",
        "projects/example.com:p/topics/t.1",
    ] {
        assert!(TopicName::parse(sound).is_ok(), "{sound}");
    }
    for broken in [
        "",
        "new-pictures",
        "projects/p/topics/",
        "projects//topics/t",
        "projects/p/subscriptions/s",
        "projects/p/topics/t/x",
        "projects/p/topics/a b",
    ] {
        assert_eq!(
            TopicName::parse(broken),
            Err(InvalidName::Topic),
            "{broken}"
        );
    }
}

#[test]
fn bucket_names_cannot_leave_their_path_segment() {
    for sound in ["b", "my-bucket", "a.b_c", "Old_Bucket", "1"] {
        assert!(BucketName::parse(sound).is_ok(), "{sound}");
    }
    for hostile in [
        "", ".", "..", "x/../y", "x/y", "a..b", "-a", "a-", "a b", "é", "a?b", "a#b", "a%2fb",
        "a\nb",
    ] {
        assert_eq!(
            BucketName::parse(hostile),
            Err(InvalidName::Bucket),
            "{hostile}"
        );
    }
    assert!(BucketName::parse("a".repeat(223)).is_err());
}

#[test]
fn object_names_are_opaque() {
    for sound in [
        "n.jpg",
        "a/../b.jpg",
        "a b#c?d%2F.png",
        "Été/☃.jpg",
        "/",
        "...",
    ] {
        assert!(ObjectName::parse(sound).is_ok(), "{sound}");
    }
    for broken in ["", ".", "..", "a\nb", "a\rb"] {
        assert_eq!(
            ObjectName::parse(broken),
            Err(InvalidName::Object),
            "{broken:?}"
        );
    }
    assert!(ObjectName::parse("é".repeat(512)).is_ok());
    assert!(ObjectName::parse("é".repeat(513)).is_err());
}

#[test]
fn an_extension_is_what_follows_the_last_dot_of_the_last_segment() {
    let extension = |name: &str| {
        ObjectName::parse(name)
            .unwrap()
            .extension()
            .map(str::to_owned)
    };
    assert_eq!(extension("a/b.tar.JPG").as_deref(), Some("JPG"));
    assert_eq!(extension("a.jpg/b"), None);
    assert_eq!(extension(".jpg").as_deref(), Some("jpg"));
    assert_eq!(extension("photo."), Some(String::new()));
}

#[test]
fn a_prefix_is_never_empty() {
    assert_eq!(Prefix::parse(""), Err(InvalidName::Prefix));
    assert_eq!(Prefix::parse("a\n"), Err(InvalidName::Prefix));
    assert!(Prefix::parse("thumbnails/").is_ok());
}

#[test]
fn generations_are_greater_than_zero() {
    assert_eq!(Generation::new(7).unwrap().get(), 7);
    assert!(Generation::new(0).is_err());
    assert!(Generation::new(-1).is_err());
}
