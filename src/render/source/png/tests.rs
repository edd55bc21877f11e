//! Files made by hand, small enough to come out at their own size.

mod colours;
mod columns;
mod filters;

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::super::rows::Rows as _;
use super::Header;
use crate::render::Target;
use crate::render::paeth::paeth;
use crate::render::pixels::{Model, Pixels};
use crate::render::{Limits, Refusal};

fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(&kind);
    sum.update(content);
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, &kind, content, &sum.sum().to_be_bytes()].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A picture that tests change before they write it out.
struct File {
    width: u32,
    height: u32,
    depth: u8,
    colour_type: u8,
    interlaced: bool,
    /// Chunks between IHDR and IDAT.
    chunks: Vec<u8>,
    /// Scanlines with their filter bytes.
    lines: Vec<u8>,
    /// What follows the IDAT chunks.
    end: Vec<u8>,
}

impl File {
    /// One row, unfiltered.
    fn row(width: u32, depth: u8, colour_type: u8, row: &[u8]) -> Self {
        let lines = [&[0], row].concat();
        let (chunks, end) = (Vec::new(), chunk(*b"IEND", &[]));
        Self {
            width,
            height: 1,
            depth,
            colour_type,
            interlaced: false,
            chunks,
            lines,
            end,
        }
    }

    fn with(mut self, kind: [u8; 4], content: &[u8]) -> Self {
        self.chunks.extend(chunk(kind, content));
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut header = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        header.extend([
            self.depth,
            self.colour_type,
            0,
            0,
            u8::from(self.interlaced),
        ]);
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk(*b"IHDR", &header)].concat()
    }

    /// The file with `data` in two IDAT chunks.
    fn bytes_with(&self, data: &[u8]) -> Vec<u8> {
        let (first, second) = data.split_at(data.len() / 2);
        let idats = [chunk(*b"IDAT", first), chunk(*b"IDAT", second)].concat();
        [self.head(), self.chunks.clone(), idats, self.end.clone()].concat()
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes_with(&zlib(&self.lines))
    }

    fn samples(&self) -> Vec<u8> {
        rendered(&self.bytes()).unwrap().samples
    }
}

fn rendered(source: &[u8]) -> Result<Pixels, Refusal> {
    let header = Header::read(source, Limits::default())?;
    let framing = header
        .orientation
        .frame(header.width, header.height, &Target::default());
    Ok(header.render(&[framing])?.remove(0))
}

#[test]
fn what_follows_the_picture_may_be_anything_or_missing() {
    let mut file = File::row(2, 8, 0, &[1, 2]);
    for end in [&b""[..], b"junk", b"\0\0\0\0IE", &[0xFF; 40]] {
        file.end = end.to_vec();
        assert_eq!(file.samples(), [1, 2]);
    }
}

#[test]
fn every_cut_before_the_end_of_the_picture_is_refused() {
    let mut file = File::row(40, 8, 0, &[7; 40]);
    file.end.clear();
    let bytes = file.bytes();
    assert!(rendered(&bytes).is_ok());
    for length in 8..bytes.len() {
        assert_eq!(
            rendered(&bytes[..length]).unwrap_err(),
            Refusal::Truncated,
            "{length}"
        );
    }
}

#[test]
fn wrong_checksums_of_the_picture_are_refused() {
    let corrupt = |source: &[u8]| matches!(rendered(source), Err(Refusal::Corrupt(_)));
    let file = File::row(2, 8, 0, &[1, 2]);
    let mut data = zlib(&file.lines);
    *data.last_mut().unwrap() ^= 1;
    assert!(corrupt(&file.bytes_with(&data)), "Adler-32");
    let good = file.bytes();
    let wrong_at = |from_end: usize| {
        let mut source = good.clone();
        let at = source.len() - from_end;
        source[at] ^= 1;
        corrupt(&source)
    };
    assert!(wrong_at(12 + 1), "CRC of the last IDAT");
    assert!(!wrong_at(1), "CRC of IEND");
}

#[test]
fn too_little_picture_data_is_refused_and_too_much_ignored() {
    let file = File::row(4, 8, 0, &[1, 2, 3, 4]);
    let short = file.bytes_with(&zlib(&[0, 1, 2]));
    assert!(matches!(rendered(&short), Err(Refusal::Corrupt(_))));
    let long = file.bytes_with(&zlib(&[&file.lines[..], &vec![9; 100_000]].concat()));
    assert_eq!(rendered(&long).unwrap().samples, [1, 2, 3, 4]);
}

#[test]
fn picture_data_may_come_in_chunks_of_any_size() {
    let mut file = File::row(40, 8, 0, &[7; 40]);
    let idats = zlib(&file.lines).into_iter().flat_map(|byte| {
        let empty = chunk(*b"IDAT", &[]);
        [chunk(*b"IDAT", &[byte]), empty].concat()
    });
    file.end = [idats.collect(), file.end].concat();
    assert_eq!(rendered(&file.bytes_with(&[])).unwrap().samples, [7; 40]);
}

#[test]
fn ancillary_chunks_with_a_wrong_checksum_count_as_absent() {
    let mut file = File::row(1, 8, 0, &[9]).with(*b"tRNS", &[0, 9]);
    assert_eq!(file.samples(), [0, 0, 0, 0]);
    *file.chunks.last_mut().unwrap() ^= 1;
    assert_eq!(file.samples(), [9]);
}

#[test]
fn the_orientation_is_read_before_and_behind_the_picture() {
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
    let turned = |source: &[u8]| {
        Header::read(source, Limits::default())
            .unwrap()
            .orientation
            .turn_size((1, 2))
    };
    let file = File::row(2, 8, 0, &[1, 2]);
    assert_eq!(turned(&file.bytes()), (1, 2));
    assert_eq!(
        turned(&File::row(2, 8, 0, &[1, 2]).with(*b"eXIf", exif).bytes()),
        (2, 1)
    );
    let behind = File {
        end: chunk(*b"eXIf", exif),
        ..file
    };
    assert_eq!(turned(&behind.bytes()), (2, 1));
}

#[test]
fn a_profile_that_inflates_without_end_is_ignored() {
    let bomb = [&b"bomb\0\0"[..], &zlib(&vec![0; 5 << 20])].concat();
    assert_eq!(super::profile(&bomb), None);
    let small = [&b"small\0\0"[..], &zlib(b"profile")].concat();
    assert_eq!(super::profile(&small).as_deref(), Some(&b"profile"[..]));
    assert_eq!(
        File::row(1, 8, 0, &[5]).with(*b"iCCP", &bomb).samples(),
        [5]
    );
    assert_eq!(
        File::row(1, 8, 0, &[5]).with(*b"iCCP", &small).samples(),
        [5]
    );
}

#[test]
fn broken_headers_are_refused() {
    let refusal = |file: &File| rendered(&file.bytes()).unwrap_err();
    let corrupt = |file: File| assert!(matches!(refusal(&file), Refusal::Corrupt(_)));
    corrupt(File {
        width: 0,
        ..File::row(1, 8, 0, &[0])
    });
    corrupt(File {
        height: 0x8000_0000,
        ..File::row(1, 8, 0, &[0])
    });
    corrupt(File::row(1, 3, 0, &[0]));
    corrupt(File::row(1, 16, 3, &[0, 0]));
    corrupt(File::row(1, 8, 5, &[0]));
    corrupt(File::row(1, 8, 3, &[0]));
    corrupt(File::row(1, 8, 3, &[0]).with(*b"PLTE", &[1, 2]));
    corrupt(File::row(1, 8, 0, &[0]).with(*b"HUGE", &[]));
    corrupt(File {
        lines: vec![5, 0],
        ..File::row(1, 8, 0, &[])
    });
    corrupt(File::row(1, 8, 0, &[0]).with(*b"IEND", &[]));
    let apple = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(*b"CgBI", &[0; 4])].concat();
    assert!(matches!(rendered(&apple), Err(Refusal::Unsupported(_))));
}

#[test]
fn limits_are_checked_before_anything_behind_the_header() {
    let refusal = |width, height| {
        let file = File {
            width,
            height,
            ..File::row(1, 8, 0, &[])
        };
        rendered(&file.head()).unwrap_err()
    };
    let limit = Limits::default().max_pixels;
    assert_eq!(
        refusal(20_000, 20_000),
        Refusal::TooManyPixels {
            pixels: 400_000_000,
            limit
        }
    );
    assert!(matches!(refusal(1_000_001, 1), Refusal::TooComplex(_)));
    assert_eq!(refusal(1000, 1000), Refusal::Truncated);
}
