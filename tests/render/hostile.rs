//! Files made to take time or memory: work is bounded, and so is the heap.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use gcs_thumbnailer::render::{Plan, Target};

use crate::golden::ALL_FORMATS;
use crate::mutations::render_measured;
use crate::pictures::{flat_jpeg, flat_png, grey_jpeg_head, grey_scan, segment};

/// The most that any of them may take, in bytes.
const CEILING: u64 = 256 << 20;

fn stays_below_the_ceiling(name: &str, source: &[u8]) -> Option<&'static str> {
    let mut label = None;
    let peak = allocation_counter::measure(|| {
        label = render_measured(name, source, ALL_FORMATS)
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

/// Holds a picture to its plan; one that plans more than the ceiling is what no budget lets in.
fn keeps_to_its_plan(name: &str, source: &[u8]) -> Result<(), String> {
    match Plan::new(source, &ALL_FORMATS, &[Target::default()]) {
        Ok(plan) if plan.memory_bytes() > CEILING => Err("planned".to_owned()),
        Ok(_) => {
            let rendered = render_measured(name, source, ALL_FORMATS);
            rendered
                .map(|_| ())
                .map_err(|refusal| refusal.label().to_owned())
        }
        Err(refusal) => Err(refusal.label().to_owned()),
    }
}

/// A GIF of one frame of zeros.
fn flat_gif(width: u16, height: u16) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    for side in [width, height] {
        gif.extend(side.to_le_bytes());
    }
    gif.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255, b',', 0, 0, 0, 0]);
    for side in [width, height] {
        gif.extend(side.to_le_bytes());
    }
    gif.extend([0, 2]);
    let mut encoder = weezl::encode::Encoder::new(weezl::BitOrder::Lsb, 2);
    let zeros = std::iter::repeat_n(0, usize::from(width) * usize::from(height));
    let codes = encoder.encode(&zeros.collect::<Vec<u8>>()).unwrap();
    for block in codes.chunks(255) {
        gif.push(u8::try_from(block.len()).unwrap());
        gif.extend(block);
    }
    gif.extend([0, b';']);
    gif
}

#[test]
fn a_gif_of_240_megapixels_takes_a_row() {
    let gif = flat_gif(16_000, 15_000);
    assert!(gif.len() < 1 << 20);
    let peak = allocation_counter::measure(|| {
        assert_eq!(keeps_to_its_plan("gif", &gif), Ok(()));
    });
    assert!(peak.bytes_max < 8 << 20, "{}", peak.bytes_max);
    let peak = allocation_counter::measure(|| {
        let huge = [b"GIF89a\xFF\xFF\xFF\xFF\0\0\0".as_slice(), &gif[13..]].concat();
        assert_eq!(
            keeps_to_its_plan("gif", &huge),
            Err("too_many_pixels".to_owned())
        );
    });
    assert!(peak.bytes_max < 4 << 20, "{}", peak.bytes_max);
}

#[test]
fn a_bmp_plans_all_its_pixels() {
    for (width, height, refused) in [
        (65_535_i32, 65_535_i32, "too_many_pixels"),
        (15_000, 16_000, "planned"),
        (2_000, -2_000, "truncated"),
    ] {
        let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bmp.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
        bmp.extend(b"\x01\0\x18\0");
        bmp.extend([0; 24]);
        assert_eq!(
            keeps_to_its_plan("bmp", &bmp),
            Err(refused.to_owned()),
            "{width}"
        );
    }
}

/// A little-endian TIFF of deflated zeros: 8-bit greys in strips that are all the same one.
fn flat_tiff(width: u32, height: u32, rows: u32, directories: u32) -> Vec<u8> {
    let strip = {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        let bytes = usize::try_from(u64::from(width) * u64::from(rows)).unwrap();
        encoder.write_all(&vec![0; bytes]).unwrap();
        encoder.finish().unwrap()
    };
    let strips = height.div_ceil(rows);
    let length = u32::try_from(strip.len()).unwrap();
    let mut tiff = b"II*\0".to_vec();
    let lists = 8 + length;
    let directory = lists + strips * 8;
    tiff.extend(directory.to_le_bytes());
    tiff.extend(strip);
    for number in [8, length] {
        for _ in 0..strips {
            tiff.extend(u32::to_le_bytes(number));
        }
    }
    let list = |list: u32, number: u32| if strips == 1 { number } else { list };
    for number in 0..directories {
        let entries: [(u16, u32, u32); 9] = [
            (256, 1, width),
            (257, 1, height),
            (258, 1, 8),
            (259, 1, 8),
            (262, 1, 1),
            (273, strips, list(lists, 8)),
            (277, 1, 1),
            (278, 1, rows),
            (279, strips, list(lists + strips * 4, length)),
        ];
        tiff.extend(9_u16.to_le_bytes());
        for (tag, count, value) in entries {
            tiff.extend(tag.to_le_bytes());
            tiff.extend(4_u16.to_le_bytes());
            tiff.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
        }
        let next = directory + (number + 1) * (2 + 9 * 12 + 4);
        let next = match directories {
            1 => 0,
            _ if number + 1 == directories => directory,
            _ => next,
        };
        tiff.extend(next.to_le_bytes());
    }
    tiff
}

#[test]
fn a_tiff_keeps_to_its_plan_however_it_is_cut_up() {
    for (name, tiff, kept) in [
        ("one strip", flat_tiff(10_000, 10_000, 10_000, 1), Ok(())),
        ("a strip a row", flat_tiff(3_000, 60_000, 1, 1), Ok(())),
        (
            "10,000 directories in a ring",
            flat_tiff(9, 9, 9, 10_000),
            Ok(()),
        ),
        (
            "too many strips",
            flat_tiff(1, 70_000, 1, 1),
            Err("too_complex"),
        ),
        ("too large", flat_tiff(16_000, 15_000, 15_000, 1), Ok(())),
    ] {
        let kept = kept.map_err(str::to_owned);
        assert_eq!(keeps_to_its_plan(name, &tiff), kept, "{name}");
    }
}

/// A little-endian TIFF of 64x64, whose fields are those given and its sides; `data` is in it at 8.
///
/// Fields are a tag, a type (1 for bytes, given four at once, 3, and 4), and values.
fn small_tiff(data: &[u8], fields: &[(u16, u16, &[u32])]) -> Vec<u8> {
    let mut tiff = b"II*\0\0\0\0\0".to_vec();
    tiff.extend(data);
    let sides: [(u16, u16, &[u32]); 2] = [(256, 4, &[64]), (257, 4, &[64])];
    let mut entries = Vec::new();
    for (tag, kind, values) in sides.iter().chain(fields) {
        let bytes = values.iter().flat_map(|value| {
            let width = if *kind == 3 { 2 } else { 4 };
            value.to_le_bytes().into_iter().take(width)
        });
        let mut bytes: Vec<u8> = bytes.collect();
        if bytes.len() > 4 {
            let position = u32::try_from(tiff.len()).unwrap();
            tiff.extend(bytes);
            bytes = position.to_le_bytes().to_vec();
        }
        bytes.resize(4, 0);
        let values = if *kind == 1 {
            values.len() * 4
        } else {
            values.len()
        };
        let count = u32::try_from(values).unwrap().to_le_bytes();
        let tag = [tag.to_le_bytes(), kind.to_le_bytes()].concat();
        entries.extend([tag, count.to_vec(), bytes].concat());
    }
    let directory = u32::try_from(tiff.len()).unwrap().to_le_bytes();
    tiff[4..8].copy_from_slice(&directory);
    tiff.extend(u16::try_from(entries.len() / 12).unwrap().to_le_bytes());
    tiff.extend(entries);
    tiff.extend([0; 4]);
    tiff
}

#[test]
fn what_a_tiff_does_not_show_is_bounded() {
    let zeros = bomb(1);
    let length = u32::try_from(zeros.len()).unwrap();
    let deflated: [(u16, u16, &[u32]); 2] = [(259, 3, &[8]), (262, 3, &[1])];
    // Each of 64 rows in a tile of its own, of 200 million columns.
    let (offsets, lengths) = ([8; 64], [length; 64]);
    let padding: [(u16, u16, &[u32]); 6] = [
        (258, 3, &[8]),
        (277, 3, &[1]),
        (322, 4, &[200_000_000]),
        (323, 4, &[1]),
        (324, 4, &offsets),
        (325, 4, &lengths),
    ];
    let tiff = small_tiff(&zeros, &[&deflated[..], &padding].concat());
    let kept = keeps_to_its_plan("padding", &tiff);
    assert_eq!(kept, Err("too_complex".to_owned()));

    // A row of a tile of floats, which the decoder holds to put its bytes in order.
    let floats: [(u16, u16, &[u32]); 8] = [
        (258, 3, &[32]),
        (277, 3, &[1]),
        (317, 3, &[3]),
        (322, 4, &[4_000_000]),
        (323, 4, &[64]),
        (324, 4, &[8]),
        (325, 4, &[length]),
        (339, 3, &[3]),
    ];
    let tiff = small_tiff(&zeros, &[&deflated[..], &floats].concat());
    let kept = keeps_to_its_plan("floats", &tiff);
    assert_eq!(kept, Err("too_complex".to_owned()));

    // 60,000 samples a pixel, three of which are shown.
    let extra = vec![0; 60_000];
    let samples: [(u16, u16, &[u32]); 6] = [
        (258, 3, &[8]),
        (262, 3, &[2]),
        (273, 4, &[8]),
        (277, 3, &[60_003]),
        (279, 4, &[length]),
        (338, 3, &extra),
    ];
    let tiff = small_tiff(&zeros, &[&deflated[..1], &samples].concat());
    let kept = keeps_to_its_plan("samples", &tiff);
    assert_eq!(kept, Err("too_complex".to_owned()));
}

#[test]
fn the_last_of_a_tiffs_fields_of_a_kind_is_bounded() {
    let formats = vec![0x0101_0101; 1 << 17];
    let fields: [(u16, u16, &[u32]); 8] = [
        (258, 3, &[8]),
        (259, 3, &[1]),
        (262, 3, &[1]),
        (273, 4, &[8]),
        (277, 3, &[1]),
        (279, 4, &[4096]),
        (339, 3, &[1]),
        (339, 1, &formats),
    ];
    let kept = keeps_to_its_plan("fields", &small_tiff(&[0; 4096], &fields));
    assert_eq!(kept, Err("too_complex".to_owned()));
}

#[test]
fn a_tiff_that_its_decoder_has_no_answer_to_is_refused() {
    let map = [0; 768];
    // A palette's indices as floats of 8 bits, with the predictor of floats.
    let fields: [(u16, u16, &[u32]); 9] = [
        (258, 3, &[8]),
        (259, 3, &[1]),
        (262, 3, &[3]),
        (273, 4, &[8]),
        (277, 3, &[1]),
        (279, 4, &[4096]),
        (317, 3, &[3]),
        (320, 3, &map),
        (339, 3, &[3]),
    ];
    let kept = keeps_to_its_plan("floats", &small_tiff(&[0; 4096], &fields));
    assert_eq!(kept, Err("corrupt".to_owned()));
    // Bits from the lowest on.
    let fields: [(u16, u16, &[u32]); 7] = [
        (258, 3, &[1]),
        (259, 3, &[1]),
        (262, 3, &[1]),
        (266, 3, &[2]),
        (273, 4, &[8]),
        (277, 3, &[1]),
        (279, 4, &[512]),
    ];
    let kept = keeps_to_its_plan("bits", &small_tiff(&[0; 512], &fields));
    assert_eq!(kept, Err("unsupported".to_owned()));
    // Differences between samples of which a fourth isn't shown.
    let fields: [(u16, u16, &[u32]); 8] = [
        (258, 3, &[8]),
        (259, 3, &[1]),
        (262, 3, &[2]),
        (273, 4, &[8]),
        (277, 3, &[4]),
        (279, 4, &[16384]),
        (317, 3, &[2]),
        (338, 3, &[0]),
    ];
    let kept = keeps_to_its_plan("predictor", &small_tiff(&[0; 16384], &fields));
    assert_eq!(kept, Err("unsupported".to_owned()));
}

/// Bits as a lossless WebP stores them, from the lowest of each byte on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u32, bits: usize) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= u8::try_from(value >> bit & 1).unwrap() << (self.count % 8);
            self.count += 1;
        }
    }

    /// A prefix code of one symbol.
    fn push_single(&mut self, symbol: u32) {
        self.push(0b001 | 0b100, 3);
        self.push(symbol, 8);
    }

    /// A prefix code whose longest is of ten bits, in as few bits as that takes.
    fn push_long(&mut self) {
        self.push(0, 1);
        // Lengths of 1 to 10 have codes of 4 bits; 15 such lengths are told, the last five of them 0.
        self.push(15, 4);
        for position in 0..19 {
            // 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, ...: those of 1 to 16 but 16 itself, and 0.
            let told = position >= 2 && position != 8;
            self.push(if told { 4 } else { 0 }, 3);
        }
        self.push(1, 1);
        self.push(1, 3);
        self.push(9, 4);
        for length in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10] {
            // The code of a length is its rank among those told, from the highest bit on.
            let code: u32 = length;
            self.push(code.reverse_bits() >> 28, 4);
        }
    }
}

#[test]
fn a_webp_plans_its_codes() {
    // 65,536 groups of five codes in three megabytes would take over a gigabyte of tables.
    let mut bits = Bits::default();
    bits.push(0x2F, 8);
    bits.push(63, 14);
    bits.push(63, 14);
    bits.push(0, 4);
    bits.push(0, 1);
    bits.push(0, 1);
    // Groups for each block of four by four, all of the last one.
    bits.push(1, 1);
    bits.push(0, 3);
    bits.push(0, 1);
    for symbol in [255, 255, 0, 0, 0] {
        bits.push_single(symbol);
    }
    for _ in 0..65_536 * 5 {
        bits.push_long();
    }
    let webp = webp_of(&bits.bytes);
    assert!(webp.len() < 8 << 20, "{}", webp.len());
    assert_eq!(keeps_to_its_plan("webp", &webp), Err("planned".to_owned()));
}

/// A file of a lossless stream.
fn webp_of(stream: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let mut webp = [b"RIFF".as_slice(), &length(stream.len() + 12), b"WEBPVP8L"].concat();
    webp.extend(length(stream.len()));
    webp.extend(stream);
    webp
}

#[test]
fn a_webp_repeats_no_transform() {
    // Each would be gone through for its 15 million blocks, ten thousand times.
    let mut bits = Bits::default();
    bits.push(0x2F, 8);
    bits.push(15_999, 14);
    bits.push(14_999, 14);
    bits.push(0, 4);
    for _ in 0..10_000 {
        // A predictor for each block of four by four, all the same, which takes no bits.
        bits.push(0b001, 3);
        bits.push(0, 3);
        bits.push(0, 1);
        for _ in 0..5 {
            bits.push_single(0);
        }
    }
    bits.push(0, 1);
    let kept = keeps_to_its_plan("webp", &webp_of(&bits.bytes));
    assert_eq!(kept, Err("corrupt".to_owned()));
}
