//! Targets as text and back.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Result<Target, InvalidTarget> {
    text.parse()
}

#[test]
fn the_canonical_form_has_every_parameter_that_counts() {
    for (text, canonical) in [
        ("size=128x128", "size=128x128&fit=inside&format=png"),
        (
            "quality=75&format=webp&size=1600x",
            "size=1600x&fit=inside&format=webp&quality=75",
        ),
        (
            "format=jpeg&fit=cover&size=x8192&background=a0b1c2",
            "size=x8192&fit=cover&format=jpeg&quality=80&background=A0B1C2",
        ),
        (
            "size=1x1&format=source",
            "size=1x1&fit=inside&format=source&quality=80&background=FFFFFF",
        ),
        // Quality has no effect on a PNG, so that this is the same target.
        ("size=9x9&quality=5", "size=9x9&fit=inside&format=png"),
    ] {
        assert_eq!(parsed(text).unwrap().to_string(), canonical);
    }
    assert_eq!(parsed("size=128x128"), Ok(Target::default()));
}

#[test]
fn what_is_no_target_is_refused_by_its_parameter() {
    for (text, fault) in [
        ("", InvalidTarget::NoSize),
        ("format=png", InvalidTarget::NoSize),
        ("size=x", InvalidTarget::Size),
        ("size=128", InvalidTarget::Size),
        ("size=0x5", InvalidTarget::Size),
        ("size=+5x5", InvalidTarget::Size),
        ("size=8193x5", InvalidTarget::Size),
        ("size=5x5x5", InvalidTarget::Size),
        ("size=5x5&fit=fill", InvalidTarget::Fit),
        ("size=5x5&format=jpg", InvalidTarget::Format),
        ("size=5x5&quality=0", InvalidTarget::Quality),
        ("size=5x5&quality=101", InvalidTarget::Quality),
        ("size=5x5&background=fff", InvalidTarget::Background),
        ("size=5x5&background=+12345", InvalidTarget::Background),
        ("size=5x5&size=5x5", InvalidTarget::GivenTwice("size")),
        (
            "size=5x5&Fit=cover",
            InvalidTarget::UnknownParameter("Fit".to_owned()),
        ),
    ] {
        assert_eq!(parsed(text), Err(fault), "{text}");
    }
}

fn sides() -> impl Strategy<Value = Side> {
    (1..=MAX_BOX_SIDE).prop_map(|side| Side::new(side).unwrap())
}

fn targets() -> impl Strategy<Value = Target> {
    let size = prop_oneof![
        (sides(), sides()).prop_map(|(width, height)| BoxSize::Both(width, height)),
        sides().prop_map(BoxSize::Width),
        sides().prop_map(BoxSize::Height),
    ];
    let quality = (1..=100_u8).prop_map(|quality| Quality::new(quality).unwrap());
    let background = any::<[u8; 3]>().prop_map(Background);
    let encoding =
        (0..4, quality, background).prop_map(|(format, quality, background)| match format {
            0 => Encoding::Png,
            1 => Encoding::Jpeg(quality, background),
            2 => Encoding::WebP(quality),
            _ => Encoding::Source(quality, background),
        });
    let fit = prop_oneof![Just(Fit::Inside), Just(Fit::Cover)];
    (size, fit, encoding).prop_map(|(size, fit, encoding)| Target {
        size,
        fit,
        encoding,
    })
}

proptest! {
    #[test]
    fn reading_and_writing_are_inverse(target in targets()) {
        prop_assert_eq!(parsed(&target.to_string()), Ok(target));
    }
}
