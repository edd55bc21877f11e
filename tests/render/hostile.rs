//! Files made to take time or memory: work is bounded, and so is the heap.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gcs_thumbnailer::render::Limits;

use crate::mutations::render_measured;
use crate::pictures::{flat_jpeg, flat_png, grey_jpeg_head, grey_scan, segment};

/// The most that any of them may take, in bytes.
const CEILING: u64 = 256 << 20;

fn stays_below_the_ceiling(name: &str, source: &[u8]) -> Option<&'static str> {
    let mut label = None;
    let peak = allocation_counter::measure(|| {
        label = render_measured(name, source, Limits::default())
            .err()
            .map(|refusal| refusal.label());
    })
    .bytes_max;
    assert!(peak <= CEILING, "{name}: {peak} bytes");
    label
}

/// Zero bytes, deflated.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..mebibytes {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}

fn chunk(kind: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(&kind);
    crc.update(payload);
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length, &kind, payload, &crc.sum().to_be_bytes()].concat()
}

/// `chunks` between the IHDR and the IDAT of a small PNG.
fn png_with(chunks: &[u8]) -> Vec<u8> {
    let mut png = flat_png(64, 64, 50);
    drop(png.splice(33..33, chunks.iter().copied()));
    png
}

#[test]
fn thousands_of_scans_stay_below_the_ceiling() {
    let (width, height) = (2048, 2048);
    let blocks = usize::from(width / 8_u16) * usize::from(height / 8_u16);
    let mut source = grey_jpeg_head(0xC2, width, height);
    source.extend(grey_scan(0, 0, 0x0D, blocks));
    for bit in (0..0x0D).rev() {
        source.extend(grey_scan(0, 0, (bit + 1) << 4 | bit, blocks));
    }
    for _ in 0..5000 {
        source.extend(grey_scan(1, 63, 0, 0));
        source.extend([0; 64]);
    }
    source.extend([0xFF, 0xD9]);
    let label = stays_below_the_ceiling("scans", &source);
    assert!(matches!(label, None | Some("too_complex")), "{label:?}");
}

#[test]
fn a_hundred_thousand_markers_stay_below_the_ceiling() {
    let jpeg = flat_jpeg(64, 64);
    for (name, marker) in [
        ("comments", 0xFE),
        ("quantisation tables", 0xDB),
        ("profile chunks", 0xE2),
    ] {
        let one = match marker {
            0xDB => segment(marker, &[&[0], [1; 64].as_slice()].concat()),
            0xE2 => segment(marker, b"ICC_PROFILE\0\x01\xFFprofile"),
            _ => segment(marker, b""),
        };
        let source = [&jpeg[..2], &one.repeat(100_000), &jpeg[2..]].concat();
        let label = stays_below_the_ceiling(name, &source);
        assert!(
            matches!(label, None | Some("too_complex")),
            "{name}: {label:?}"
        );
    }
}

#[test]
fn a_hundred_thousand_chunks_stay_below_the_ceiling() {
    for kind in [*b"tEXt", *b"prVt"] {
        let label =
            stays_below_the_ceiling("chunks", &png_with(&chunk(kind, b"k\0v").repeat(100_000)));
        assert!(matches!(label, None | Some("too_complex")), "{label:?}");
    }
}

#[test]
fn a_profile_or_text_that_inflates_without_end_is_ignored() {
    let stream = bomb(300);
    for (kind, head) in [
        (*b"iCCP", b"name\0\0".as_slice()),
        (*b"zTXt", b"name\0\0"),
        (*b"iTXt", b"name\0\x01\0\0\0"),
    ] {
        let source = png_with(&chunk(kind, &[head, &stream].concat()));
        assert_eq!(stays_below_the_ceiling("inflating chunk", &source), None);
    }
}

#[test]
fn rows_that_inflate_without_end_stay_below_the_ceiling() {
    let png = flat_png(64, 64, 50);
    let (start, end) = (33, png.len() - 12);
    let source = [&png[..start], &chunk(*b"IDAT", &bomb(300)), &png[end..]].concat();
    let label = stays_below_the_ceiling("inflating rows", &source);
    assert!(
        matches!(label, None | Some("corrupt" | "too_complex")),
        "{label:?}"
    );
}

#[test]
fn restart_markers_without_number_stay_below_the_ceiling() {
    let jpeg = flat_jpeg(64, 64);
    let at = jpeg.len() - 2;
    let source = [&jpeg[..at], &[0xFF, 0xD0].repeat(100_000), &jpeg[at..]].concat();
    stays_below_the_ceiling("restart markers", &source);
}
