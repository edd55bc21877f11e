//! What every thumbnail's file holds, whatever the source.

use gcs_thumbnailer::render::{Limits, render};

use crate::cases;

#[test]
fn thumbnails_carry_no_metadata() {
    for case in cases::rendered() {
        let png = render(&case.source, &Limits::default())
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", case.name))
            .png;
        for kind in chunk_kinds(&png) {
            assert!(
                ["IHDR", "IDAT", "IEND"].contains(&kind.as_str()),
                "{}: {kind}",
                case.name
            );
        }
    }
}

#[test]
fn the_same_bytes_give_the_same_thumbnail() {
    for case in cases::rendered() {
        assert_eq!(
            render(&case.source, &Limits::default()),
            render(&case.source, &Limits::default()),
            "{}",
            case.name
        );
    }
}

/// The types of a PNG's chunks, in order.
fn chunk_kinds(png: &[u8]) -> Vec<String> {
    let (mut at, mut kinds) = (8, Vec::new());
    while let Some((head, _)) = png.get(at..).and_then(<[u8]>::split_first_chunk::<8>) {
        let [l3, l2, l1, l0, kind @ ..] = *head;
        kinds.push(String::from_utf8_lossy(&kind).into_owned());
        at += 12 + usize::try_from(u32::from_be_bytes([l3, l2, l1, l0])).unwrap();
    }
    kinds
}
