//! Names made by patterns, and patterns that are refused.

use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

#[test]
fn placeholders_are_parts_of_the_source_s_name() {
    for (text, long, short) in [
        ("t/{name}", "t/users/7/cat.final.JPG", "t/users/7/avatar"),
        ("{dir}t/{stem}", "users/7/t/cat.final", "users/7/t/avatar"),
        (
            "{dir}{stem}_1{.ext}",
            "users/7/cat.final_1.JPG",
            "users/7/avatar_1",
        ),
        (
            "{dir}{stem}_1{.webp}",
            "users/7/cat.final_1.webp",
            "users/7/avatar_1",
        ),
        (
            "{name}.png",
            "users/7/cat.final.JPG.png",
            "users/7/avatar.png",
        ),
        (
            "a%20b%3F%7B%25/{name}",
            "a b?{%/users/7/cat.final.JPG",
            "a b?{%/users/7/avatar",
        ),
    ] {
        let made = |source: &str| pattern(text).name_of(&name(source));
        assert_eq!(made("users/7/cat.final.JPG"), Some(name(long)), "{text}");
        assert_eq!(made("users/7/avatar"), Some(name(short)), "{text}");
    }
}

#[test]
fn only_the_extensions_of_pictures_count() {
    let made = |source: &str| pattern("{dir}{stem}|{.x}").name_of(&name(source)).unwrap();
    for (source, made_of_it) in [
        ("my.photo", "my.photo|"),
        ("a.b/c", "a.b/c|"),
        (".jpg", ".jpg|"),
        ("a.HeIc", "a|.x"),
        ("a/.png", "a/.png|"),
        ("a.jpg/", "a.jpg/|"),
    ] {
        assert_eq!(made(source), name(made_of_it), "{source}");
    }
}

#[test]
fn a_firebase_stem_decides_for_its_whole_pattern() {
    let made = |text: &str, source: &str| pattern(text).name_of(&name(source)).unwrap();
    for (source, kept, replaced) in [
        ("a/b.JPG", "a/t/b_1.JPG", "a/t/b_1.webp"),
        ("b.jfif", "t/b_1.jfif", "t/b_1.webp"),
        ("b.heic", "t/b.heic_1", "t/b.heic_1"),
        ("b.BMP", "t/b.BMP_1", "t/b.BMP_1"),
        ("my.photo", "t/my.photo_1", "t/my.photo_1"),
        (".jpg", "t/.jpg_1", "t/.jpg_1"),
    ] {
        assert_eq!(
            made("{dir}t/{stem:firebase}_1{.ext}", source),
            name(kept),
            "{source}"
        );
        assert_eq!(
            made("{dir}t/{stem:firebase}_1{.webp}", source),
            name(replaced),
            "{source}"
        );
    }
}

#[test]
fn a_name_that_no_object_can_have_is_none() {
    let long = name(&"n".repeat(1020));
    assert_eq!(pattern("12345{name}").name_of(&long), None);
    assert!(pattern("1234{name}").name_of(&long).is_some());
}

#[test]
fn only_a_literal_before_the_name_is_a_prefix() {
    assert_eq!(pattern("a/b{name}").prefix(), Some("a/b"));
    for text in ["a/{name}.png", "{dir}a/{stem}", "a/{dir}{stem}", "{name}x"] {
        assert_eq!(pattern(text).prefix(), None, "{text}");
    }
    assert_eq!(pattern("a/{dir}{stem}").literal_beginning(), "a/");
    assert_eq!(pattern("{dir}a/{stem}").literal_beginning(), "");
}

#[test]
fn what_is_no_pattern_is_refused_in_words() {
    use InvalidPattern as Fault;
    for (text, fault) in [
        ("a/{stem}", Fault::Incomplete),
        ("{dir}a{.ext}", Fault::Incomplete),
        ("", Fault::Incomplete),
        ("{name}", Fault::SourceItself),
        ("{dir}{stem}{.ext}", Fault::SourceItself),
        ("{dir}{stem:firebase}{.ext}", Fault::SourceItself),
        (
            "{dir}{stem:x}",
            Fault::UnknownPlaceholder("stem:x".to_owned()),
        ),
        ("a/{Name}", Fault::UnknownPlaceholder("Name".to_owned())),
        ("{name}{.}", Fault::UnknownPlaceholder(".".to_owned())),
        ("{name}{.7z}", Fault::UnknownPlaceholder(".7z".to_owned())),
        ("a}{name}", Fault::Brace),
        ("a{name", Fault::Brace),
        ("100%/{name}", Fault::PercentEncoding),
        ("%ff/{name}", Fault::PercentEncoding),
        ("%2/{name}", Fault::PercentEncoding),
        ("a%0A/{name}", Fault::LineBreak),
    ] {
        assert_eq!(text.parse::<Pattern>(), Err(fault), "{text}");
    }
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        Just(Piece::Name),
        Just(Piece::Dir),
        Just(Piece::Stem),
        Just(Piece::FirebaseStem),
        Just(Piece::Extension),
        "[a-zA-Z]{1,5}".prop_map(Piece::Replaced),
        "[^\r\n]{1,8}".prop_map(Piece::Literal),
    ];
    prop::collection::vec(piece, 1..6)
}

/// Joins adjacent literals, which a text can't tell apart.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), piece) {
            (Some(Piece::Literal(text)), Piece::Literal(more)) => text.push_str(&more),
            (_, Piece::Replaced(letters)) if letters == "ext" => joined.push(Piece::Extension),
            (_, piece) => joined.push(piece),
        }
    }
    joined
}

proptest! {
    #[test]
    fn reading_and_writing_are_inverse(pieces in pieces()) {
        if let Ok(pattern) = Pattern::new(joined(pieces)) {
            let written = pattern.to_string();
            prop_assert!(!written.contains(|c: char| c.is_ascii_whitespace() || c == '?'));
            prop_assert_eq!(written.parse(), Ok(pattern));
        }
    }

    #[test]
    fn two_sources_meet_only_where_the_stem_says_so(
        (before, between, behind) in ("[a-z_/]{0,3}", "[a-z_/]{0,3}", "[a-z_/]{0,3}"),
        stem in prop::sample::select(vec!["{stem}", "{stem:firebase}"]),
        extension in prop::sample::select(vec!["", "{.ext}", "{.webp}", "{.JPG}"]),
        one in "([ab]{1,2}/){0,2}[ab.]{1,3}(.jpg|.PNG|.b|.heic)?",
        other in "([ab]{1,2}/){0,2}[ab.]{1,3}(.jpg|.PNG|.b|.heic)?",
    ) {
        let [Ok(one), Ok(other)] = [one, other].map(ObjectName::parse) else { return Ok(()) };
        let whole = pattern(&format!("x{before}{{name}}{behind}"));
        prop_assert_eq!(whole.name_of(&one) == whole.name_of(&other), one == other);
        let parts = pattern(&format!("x{before}{{dir}}{between}{stem}{behind}{extension}"));
        if parts.name_of(&one) == parts.name_of(&other) {
            let [one, other] = [&one, &other].map(|name| parts.parts_of(name));
            prop_assert_eq!((one.dir, one.stem), (other.dir, other.stem));
        }
    }
}
