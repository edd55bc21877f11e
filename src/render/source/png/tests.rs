//! Files made by hand, small enough to come out at their own size.

mod columns;

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
fn greys_of_every_depth_span_black_to_white() {
    assert_eq!(File::row(3, 1, 0, &[0b0110_0000]).samples(), [0, 255, 255]);
    assert_eq!(
        File::row(4, 2, 0, &[0b00_01_10_11]).samples(),
        [0, 85, 170, 255]
    );
    assert_eq!(File::row(3, 4, 0, &[0x0F, 0x70]).samples(), [0, 255, 119]);
    assert_eq!(File::row(2, 8, 0, &[3, 250]).samples(), [3, 250]);
    // 16 bits are rounded, not cut: 0x12B4 is 18.6 steps of 257.
    assert_eq!(
        File::row(3, 16, 0, &[0x7F, 0x7F, 0x80, 0xFF, 0x80, 0xFE]).samples(),
        [127, 128, 128]
    );
    assert_eq!(
        File::row(2, 16, 0, &[0x12, 0xB4, 0xFF, 0xFF]).samples(),
        [19, 255]
    );
}

#[test]
fn the_grey_that_trns_names_is_transparent_at_every_depth() {
    let keyed = |file: File, key: [u8; 2]| {
        let pixels = rendered(&file.with(*b"tRNS", &key).bytes()).unwrap();
        let grey = |pixel: &[u8]| match *pixel {
            [grey, alpha] => (grey, alpha),
            [red, _, _, alpha] => (red, alpha),
            _ => panic!("no alpha"),
        };
        pixels
            .samples
            .chunks(pixels.model.channels())
            .map(grey)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keyed(File::row(2, 1, 0, &[0b1000_0000]), [0, 1]),
        [(0, 0), (0, 255)]
    );
    assert_eq!(
        keyed(File::row(2, 1, 0, &[0b1000_0000]), [0, 0]),
        [(255, 255), (0, 0)]
    );
    assert_eq!(
        keyed(File::row(2, 2, 0, &[0b0110_0000]), [0, 2]),
        [(85, 255), (0, 0)]
    );
    assert_eq!(
        keyed(File::row(2, 4, 0, &[0x5A]), [0, 5]),
        [(0, 0), (170, 255)]
    );
    assert_eq!(
        keyed(File::row(2, 8, 0, &[9, 8]), [0, 9]),
        [(0, 0), (8, 255)]
    );
    assert_eq!(
        keyed(File::row(2, 16, 0, &[1, 2, 1, 3]), [1, 3]),
        [(1, 255), (0, 0)]
    );
}

#[test]
fn the_colour_that_trns_names_is_transparent() {
    let eight = File::row(2, 8, 2, &[1, 2, 3, 1, 2, 4]).with(*b"tRNS", &[0, 1, 0, 2, 0, 3]);
    assert_eq!(eight.samples(), [0, 0, 0, 0, 1, 2, 4, 255]);
    let row = [
        0x10, 0x10, 0x20, 0x20, 0x30, 0x30, 0x10, 0x10, 0x20, 0x20, 0x30, 0x31,
    ];
    let sixteen = File::row(2, 16, 2, &row).with(*b"tRNS", &row[..6]);
    assert_eq!(sixteen.samples(), [0, 0, 0, 0, 16, 32, 48, 255]);
}

#[test]
fn a_palette_has_alpha_for_its_first_colours_and_black_beyond_its_last() {
    let file =
        File::row(4, 4, 3, &[0x01, 0x2F]).with(*b"PLTE", &[10, 20, 30, 40, 50, 60, 70, 80, 90]);
    assert_eq!(
        file.samples(),
        [10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 0, 0]
    );
    let file = file.with(*b"tRNS", &[255, 51]);
    let expected = [
        10, 20, 30, 255, 40, 50, 60, 51, 70, 80, 90, 255, 0, 0, 0, 255,
    ];
    assert_eq!(file.samples(), expected);
}

#[test]
fn a_grey_palette_comes_out_grey() {
    let file = File::row(2, 1, 3, &[0b0100_0000]).with(*b"PLTE", &[9, 9, 9, 200, 200, 200]);
    let pixels = rendered(&file.bytes()).unwrap();
    assert_eq!((pixels.model, pixels.samples), (Model::Grey, vec![9, 200]));
}

#[test]
fn stored_alpha_is_kept() {
    assert_eq!(
        File::row(2, 8, 4, &[10, 255, 200, 51]).samples(),
        [10, 255, 200, 51]
    );
    assert_eq!(
        File::row(1, 8, 6, &[10, 20, 30, 102]).samples(),
        [10, 20, 30, 102]
    );
    let row = [0x0A, 0x0A, 0x14, 0x14, 0x1E, 0x1E, 0x80, 0x80];
    assert_eq!(File::row(1, 16, 6, &row).samples(), [10, 20, 30, 128]);
}

/// The row, filtered below the row `above`, with its filter byte.
fn filtered(kind: u8, pixel: usize, row: &[u8], above: &[u8]) -> Vec<u8> {
    let coded = |x: usize| {
        let [left, corner] = [row, above].map(|row| {
            x.checked_sub(pixel)
                .and_then(|x| row.get(x))
                .copied()
                .unwrap_or(0)
        });
        row[x].wrapping_sub(match kind {
            0 => 0,
            1 => left,
            2 => above[x],
            3 => left.midpoint(above[x]),
            _ => paeth(left, above[x], corner),
        })
    };
    std::iter::once(kind)
        .chain((0..row.len()).map(coded))
        .collect()
}

#[test]
fn filtered_pictures_of_any_height_and_width_equal_the_others() {
    // The widest scanlines are too long to be unfiltered with three others, or with any.
    let wide = [(50_000, 6), (200_000, 3)];
    for (width, height) in (1..=9).map(|height| (7, height)).chain(wide) {
        let mut file = File::row(width, 8, 2, &[]);
        file.height = height;
        let length = 3 * usize::try_from(width).unwrap();
        let rows = (0..height).map(|y| -> Vec<u8> {
            let bytes = (0..length).map(|x| (x * x * 7 + x * 91).to_le_bytes()[0]);
            bytes.map(|byte| byte ^ y.to_le_bytes()[0]).collect()
        });
        let rows: Vec<_> = [vec![0; length]].into_iter().chain(rows).collect();
        file.lines = rows[1..]
            .iter()
            .flat_map(|row| filtered(0, 3, row, &[]))
            .collect();
        let plain = file.samples();
        let kinds = [4, 3, 1, 4, 2, 4, 0, 3].into_iter().cycle();
        let pairs = rows.windows(2).zip(kinds);
        file.lines = pairs
            .flat_map(|(rows, kind)| filtered(kind, 3, &rows[1], &rows[0]))
            .collect();
        assert!(file.samples() == plain, "{width} x {height}");
    }
}

#[test]
fn data_that_ends_before_the_window_has_room_for_its_rows_is_whole() {
    // Rows of one colour take so few bits that the inflater has read the last while many of them are yet to come.
    for width in [4096, 16384] {
        for height in 4..=40 {
            let mut file = File::row(width, 8, 0, &[]);
            file.height = height;
            let line = [vec![0], vec![255; usize::try_from(width).unwrap()]].concat();
            file.lines = line.repeat(usize::try_from(height).unwrap());
            assert!(file.samples().iter().all(|sample| *sample == 255));
        }
    }
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
