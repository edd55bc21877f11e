//! What every thumbnail's file holds, whatever the source.

use std::fmt::Write as _;

use gcs_thumbnailer::render::render;
use sha2::{Digest as _, Sha256};

use crate::cases;
use crate::golden::ALL_FORMATS;

#[test]
fn thumbnails_carry_no_metadata() {
    for case in cases::rendered() {
        let png = render(&case.source, &ALL_FORMATS)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", case.name))
            .bytes;
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
            render(&case.source, &ALL_FORMATS),
            render(&case.source, &ALL_FORMATS),
            "{}",
            case.name
        );
    }
}

/// The default thumbnails' SHA-256, one a line with the picture's name, as they were when there was no other target.
const HASHES: &str = include_str!("../golden/thumbnails.sha256");

#[test]
fn the_default_thumbnail_stays_as_it_was_byte_for_byte() {
    let mut hashes = String::new();
    for case in cases::rendered().into_iter().chain(cases::of("scaled")) {
        let Ok(thumbnail) = render(&case.source, &ALL_FORMATS) else {
            continue;
        };
        for byte in Sha256::digest(&thumbnail.bytes) {
            write!(hashes, "{byte:02x}").unwrap();
        }
        writeln!(hashes, "  {}", case.name).unwrap();
    }
    assert!(hashes == HASHES, "other bytes, now\n{hashes}");
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
