//! Whole files, small enough to be written out bit by bit.

use super::{BlockSide, Header, Refusal, Sides, decode, markers};

mod scaled;

/// A quantization step of 8 makes a DC coefficient of 1 one level of grey.
const STEP: u8 = 8;

/// Codes 0, 10, 110 and 1110 for DC sizes of 0, 1, 4 and 7.
const DC: [u8; 4] = [0, 1, 4, 7];
/// The same codes for an end of block, a value of 1 bit without or after one zero, and sixteen zeros.
const AC: [u8; 4] = [0x00, 0x01, 0x11, 0xF0];

pub(super) fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], &length[..], payload].concat()
}

fn huffman(destination: u8, symbols: [u8; 4]) -> Vec<u8> {
    let counts = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    segment(
        markers::DHT,
        &[&[destination], &counts[..], &symbols].concat(),
    )
}

/// A file up to its first scan.
fn start(sof: u8, width: u16, height: u16, factors: &[u8]) -> Vec<u8> {
    let count = u8::try_from(factors.len()).unwrap();
    let [[y1, y0], [x1, x0]] = [height, width].map(u16::to_be_bytes);
    let mut frame = vec![8, y1, y0, x1, x0, count];
    for (id, &factors) in (1..).zip(factors) {
        frame.extend([id, factors, 0]);
    }
    [
        vec![0xFF, markers::SOI],
        segment(markers::DQT, &[&[0], &[STEP; 64][..]].concat()),
        huffman(0x00, DC),
        huffman(0x10, AC),
        segment(sof, &frame),
    ]
    .concat()
}

/// A scan of the components `ids`: the band, the point transforms, and the data as digits; `R` is a restart marker,
/// whose number is the digit behind it.
fn scan(ids: &[u8], band: [u8; 3], data: &str) -> Vec<u8> {
    let mut header = vec![u8::try_from(ids.len()).unwrap()];
    header.extend(ids.iter().flat_map(|&id| [id, 0]));
    header.extend(band);
    let mut scan = segment(markers::SOS, &header);
    for (index, part) in data.split('R').enumerate() {
        let digits = if index == 0 { part } else { &part[1..] };
        if index > 0 {
            scan.extend([0xFF, markers::RST0 + (part.as_bytes()[0] - b'0')]);
        }
        let bits: Vec<bool> = digits
            .bytes()
            .filter(|&b| b != b' ')
            .map(|b| b == b'1')
            .collect();
        for byte in bits.chunks(8) {
            let ones = (0..8).map(|bit| byte.get(bit).copied().unwrap_or(true));
            let byte = ones.fold(0, |byte, bit| byte << 1 | u8::from(bit));
            scan.push(byte);
            if byte == 0xFF {
                scan.push(0);
            }
        }
    }
    scan
}

const END: [u8; 2] = [0xFF, markers::EOI];
const SEQUENTIAL: [u8; 3] = [0, 63, 0];

/// The rows that each component gets.
fn decoded(source: &[u8], side: BlockSide) -> Result<Vec<Vec<Vec<u8>>>, Refusal> {
    let header = Header::read(source)?;
    let mut planes = vec![Vec::new(); header.components.len()];
    let sides = [Sides::one(side); 4];
    decode(&header, source, &sides, &mut |index, _, row| {
        planes[index].push(row.to_vec());
    })?;
    Ok(planes)
}

fn grey(width: u16, height: u16, data: &str) -> Vec<u8> {
    let scan = scan(&[1], SEQUENTIAL, data);
    [
        start(markers::SOF0, width, height, &[0x11]),
        scan,
        END.to_vec(),
    ]
    .concat()
}

fn is_corrupt<T: std::fmt::Debug>(result: &Result<T, Refusal>) -> bool {
    matches!(result, Err(Refusal::Corrupt(_)))
}

#[test]
fn a_block_without_ac_is_flat_at_every_size() {
    // +9, then one less.
    let source = grey(15, 7, "110 1001 0  10 0 0");
    assert_eq!(decoded(&source, BlockSide::One).unwrap(), [[[137, 136]]]);
    assert_eq!(
        decoded(&source, BlockSide::Two).unwrap(),
        [[[137, 137, 136, 136]; 2]]
    );
    let full = decoded(&source, BlockSide::Eight).unwrap();
    assert_eq!(full[0], vec![[&[137; 8][..], &[136; 7]].concat(); 7]);
}

#[test]
fn the_lowest_frequency_tilts_the_smaller_block() {
    // The first coefficient in zigzag order is across, the second down.
    let source = grey(8, 8, "0  10 1 0");
    assert_eq!(decoded(&source, BlockSide::Two).unwrap(), [[[129, 127]; 2]]);
    let source = grey(8, 8, "0  110 1 0");
    assert_eq!(
        decoded(&source, BlockSide::Two).unwrap(),
        [[[129, 129], [127, 127]]]
    );
}

#[test]
fn a_full_block_needs_no_end_of_block() {
    let data = format!("0 {} 10 1 0", "10 1 ".repeat(63));
    for side in [
        BlockSide::One,
        BlockSide::Two,
        BlockSide::Four,
        BlockSide::Eight,
    ] {
        let planes = decoded(&grey(16, 8, &data), side).unwrap();
        assert_eq!(planes[0][0].last(), Some(&129), "{side:?}");
    }
}

#[test]
fn a_run_out_of_its_block_is_corrupt_at_every_size() {
    for side in [
        BlockSide::One,
        BlockSide::Two,
        BlockSide::Four,
        BlockSide::Eight,
    ] {
        let decoded = decoded(&grey(8, 8, "0 1110 1110 1110 1110 0 0000 0000"), side);
        assert!(is_corrupt(&decoded), "{side:?}: {decoded:?}");
    }
}

#[test]
fn only_the_end_marker_may_be_missing() {
    let source = grey(16, 8, "110 1001 0 110 1001 0");
    let whole = source.len() - END.len();
    assert!(decoded(&source[..whole], BlockSide::One).is_ok());
    assert_eq!(
        decoded(&source[..whole - 1], BlockSide::One),
        Err(Refusal::Truncated)
    );
    let early = [&source[..whole - 1], &END].concat();
    assert!(is_corrupt(&decoded(&early, BlockSide::One)));
}

#[test]
fn restart_markers_reset_the_prediction_and_come_in_turn() {
    let interval = segment(markers::DRI, &[0, 1]);
    let file = |data| {
        [
            start(markers::SOF0, 24, 8, &[0x11]),
            interval.clone(),
            scan(&[1], SEQUENTIAL, data),
        ]
        .concat()
    };
    let one = |data| decoded(&file(data), BlockSide::One);
    assert_eq!(
        one("10 1 0 R0 10 1 0 R1 10 0 0").unwrap(),
        [[[129, 129, 127]]]
    );
    assert!(is_corrupt(&one("10 1 0 R0 10 1 0 R2 10 0 0")));
    assert_eq!(one("10 1 0 10 1 0 10 0 0"), Err(Refusal::Truncated));
}

#[test]
fn components_may_come_in_scans_of_their_own() {
    // The first has 2x2 blocks in a unit, but only 2x1 of them hold samples.
    let scans = [("10 1 0 0 0", 1), ("10 0 0", 2), ("10 1 0", 3)];
    let scans = scans.map(|(data, id)| scan(&[id], SEQUENTIAL, data));
    let source = [
        start(markers::SOF1, 16, 8, &[0x22, 0x11, 0x11]),
        scans.concat(),
    ]
    .concat();
    let planes = decoded(&source, BlockSide::One).unwrap();
    assert_eq!(
        planes,
        [vec![vec![129, 129]], vec![vec![127]], vec![vec![129]]]
    );

    let interleaved = scan(&[1, 2, 3], SEQUENTIAL, "10 1 0 0 0 0 0 0 0 10 0 0 10 1 0");
    let source = [
        start(markers::SOF1, 16, 8, &[0x22, 0x11, 0x11]),
        interleaved,
    ]
    .concat();
    assert_eq!(decoded(&source, BlockSide::One).unwrap(), planes);
}

#[test]
fn each_component_has_one_scan() {
    let first = [
        start(markers::SOF0, 8, 8, &[0x11, 0x11, 0x11]),
        scan(&[1], SEQUENTIAL, "0 0"),
    ]
    .concat();
    let twice = [&first[..], &scan(&[1], SEQUENTIAL, "0 0"), &END].concat();
    assert!(is_corrupt(&decoded(&twice, BlockSide::One)));
    assert!(is_corrupt(&decoded(
        &[&first[..], &END].concat(),
        BlockSide::One
    )));
    assert_eq!(decoded(&first, BlockSide::One), Err(Refusal::Truncated));
}

#[test]
fn a_giant_of_a_few_bytes_ends_at_once() {
    let source = grey(65500, 65500, "0 0");
    assert!(is_corrupt(&decoded(&source, BlockSide::Eight)));
}

fn progressive(width: u16, height: u16, scans: &[Vec<u8>]) -> Vec<u8> {
    [
        start(markers::SOF2, width, height, &[0x11]),
        scans.concat(),
        END.to_vec(),
    ]
    .concat()
}

#[test]
fn refinement_adds_bits_to_old_and_new_coefficients() {
    let source = progressive(
        8,
        8,
        &[
            // 9 times 2, and a bit: 19.
            scan(&[1], [0, 0, 0x01], "110 1001"),
            // 1 times 2 across, then the end of the band.
            scan(&[1], [1, 63, 0x01], "10 1 0"),
            scan(&[1], [0, 0, 0x10], "1"),
            // -1 down; on the way there a bit for the one across: 3.
            scan(&[1], [1, 63, 0x10], "10 0 1 0"),
        ],
    );
    assert_eq!(decoded(&source, BlockSide::One).unwrap(), [[[147]]]);
    let [left, right] = [19 + 3, 19 - 3];
    let two =
        [[left - 1, right - 1], [left + 1, right + 1]].map(|row| row.map(|level| 128 + level));
    assert_eq!(decoded(&source, BlockSide::Two).unwrap(), [two]);
}

#[test]
fn an_end_of_band_run_reaches_into_the_next_blocks() {
    // Its shortest code says here that 2 more bits tell of 4 to 7 blocks.
    let table = huffman(0x10, [0x20, 0x01, 0x11, 0xF0]);
    let source = progressive(
        32,
        8,
        &[
            scan(&[1], [0, 0, 0], "0 0 0 0"),
            table,
            // Four coefficients, then a run that is one block too long.
            scan(&[1], [1, 63, 0], "10 1 10 1 10 1 10 1  0 01"),
        ],
    );
    let upper = vec![131, 127, 128, 128, 128, 128, 128, 128];
    let lower = vec![127, 127, 128, 128, 128, 128, 128, 128];
    assert_eq!(decoded(&source, BlockSide::Two).unwrap(), [[upper, lower]]);
}

#[test]
fn scans_that_the_size_does_not_need_are_not_decoded() {
    let broken = scan(&[1], [1, 63, 0], "1111 1111");
    let source = progressive(8, 8, &[scan(&[1], [0, 0, 0], "10 1"), broken]);
    assert_eq!(decoded(&source, BlockSide::One).unwrap(), [[[129]]]);
    assert!(is_corrupt(&decoded(&source, BlockSide::Two)));
}

#[test]
fn a_progressive_file_without_its_end_is_truncated() {
    let source = progressive(8, 8, &[scan(&[1], [0, 0, 0], "10 1")]);
    assert!(decoded(&source, BlockSide::One).is_ok());
    let cut = &source[..source.len() - END.len()];
    assert_eq!(decoded(cut, BlockSide::One), Err(Refusal::Truncated));
}

#[test]
fn a_progressive_scan_that_stops_early_is_corrupt() {
    let source = progressive(800, 8, &[scan(&[1], [0, 0, 0], "10 1")]);
    assert!(is_corrupt(&decoded(&source, BlockSide::One)));
    let no_dc = progressive(8, 8, &[scan(&[1], [1, 63, 0], "0")]);
    assert!(is_corrupt(&decoded(&no_dc, BlockSide::One)));
}

#[test]
fn many_scans_of_a_large_picture_are_too_complex() {
    let scans = vec![scan(&[1], [0, 0, 0], "0"); 30];
    let source = progressive(65500, 3800, &scans);
    let refusal = decoded(&source, BlockSide::One).unwrap_err();
    assert!(matches!(refusal, Refusal::TooComplex(_)), "{refusal:?}");
}

#[test]
fn thousands_of_scans_are_too_complex_even_if_not_needed() {
    let mut scans = vec![scan(&[1], [0, 0, 0], "0")];
    scans.resize(1001, scan(&[1], [1, 63, 0], "0"));
    let whole = progressive(8, 8, &scans[..1000]);
    assert!(decoded(&whole, BlockSide::One).is_ok());
    let refusal = decoded(&progressive(8, 8, &scans), BlockSide::One).unwrap_err();
    assert!(matches!(refusal, Refusal::TooComplex(_)), "{refusal:?}");
}
