//! Pictures of random blocks, decoded with and without looking ahead: the rows and the refusals are the same.

use super::{super::*, *};
use crate::render::source::jpeg::decode::{
    huffman::Specification, markers::Segments, standard, tests::segment,
};

/// Never looks ahead.
const NEVER: Worth = Worth {
    blocks: u64::MAX,
    bytes: 0,
    part: 0,
};
/// Looks ahead in small pictures, and a little at a time.
const SMALL: Worth = Worth {
    blocks: 0,
    bytes: 200,
    part: 600,
};

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % end
    }
}

/// Writes bits, stuffed.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    bits: u64,
    count: u32,
}

impl Writer {
    fn put(&mut self, value: u64, size: u32) {
        self.bits = self.bits << size | value & ((1 << size) - 1);
        self.count += size;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.bits >> self.count).to_le_bytes()[0];
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
    }

    /// The code of `symbol`, then as many random bits as it announces.
    fn symbol(&mut self, table: &Specification, symbol: u8, random: &mut Random) {
        let (mut code, mut index) = (0_u64, 0);
        for (length, &count) in (1..).zip(&table.counts) {
            for _ in 0..count {
                if table.symbols[index] == symbol {
                    self.put(code, length);
                    self.put(random.below(1 << 15) as u64, u32::from(symbol & 15));
                    return;
                }
                (code, index) = (code + 1, index + 1);
            }
            code <<= 1;
        }
        panic!("no code for {symbol:#x}");
    }

    fn block(&mut self, tables: usize, random: &mut Random) {
        let size = u8::try_from(random.below(6)).unwrap();
        self.symbol(&standard::DC[tables], size, random);
        let ac = &standard::AC[tables];
        let full = random.below(40) == 0;
        let coefficients = if full { 63 } else { random.below(14) };
        let mut k = 1;
        for _ in 0..coefficients {
            let run = if full { 0 } else { random.below(3) };
            let size = if random.below(50) == 0 {
                9
            } else {
                1 + random.below(3)
            };
            k += run + 1;
            if k <= 64 {
                self.symbol(ac, u8::try_from(run << 4 | size).unwrap(), random);
            }
        }
        if k < 64 {
            self.symbol(ac, 0, random);
        }
    }
}

/// The file of a picture: its components' sampling factors and tables, and the units between restart markers.
fn picture(size: u16, components: &[(u8, u8)], interval: u16, random: &mut Random) -> Vec<u8> {
    let [high, low] = size.to_be_bytes();
    let count = u8::try_from(components.len()).unwrap();
    let mut frame = vec![8, high, low, high, low, count];
    let mut scan = vec![count];
    let mut blocks = Vec::new();
    for (id, &(factors, tables)) in (1..).zip(components) {
        frame.extend([id, factors, 0]);
        scan.extend([id, tables << 4 | tables]);
        let of_unit = if count == 1 {
            1
        } else {
            (factors >> 4) * (factors & 15)
        };
        blocks.extend(vec![usize::from(tables); of_unit.into()]);
    }
    scan.extend([0, 63, 0]);
    let mut file = [
        vec![0xFF, markers::SOI],
        segment(markers::DQT, &[&[0], &[3; 64][..]].concat()),
        segment(markers::SOF0, &frame),
        segment(markers::DRI, &interval.to_be_bytes()),
        segment(markers::SOS, &scan),
    ]
    .concat();
    let header = Header::read(&[&file[..], &[0xFF, markers::EOI]].concat())
        .unwrap()
        .mcus;
    let mut writer = Writer::default();
    for unit in 0..header.0 * header.1 {
        if interval > 0 && unit > 0 && unit % u32::from(interval) == 0 {
            writer.put(0x7F, (8 - writer.count) % 8);
            let turn = (unit / u32::from(interval) - 1).to_le_bytes()[0] & 7;
            writer.bytes.extend([0xFF, markers::RST0 + turn]);
        }
        for &tables in &blocks {
            writer.block(tables, random);
        }
    }
    writer.put(0x7F, (8 - writer.count) % 8);
    file.extend(writer.bytes);
    file.extend([0xFF, markers::EOI]);
    file
}

const GREY: &[(u8, u8)] = &[(0x11, 0)];
const FULL: &[(u8, u8)] = &[(0x11, 0), (0x11, 1), (0x11, 1)];
const ALIKE: &[(u8, u8)] = &[(0x22, 0), (0x21, 0), (0x11, 0)];
const QUARTER: &[(u8, u8)] = &[(0x22, 0), (0x11, 1), (0x11, 1)];

fn ones() -> [Sides; 4] {
    [Sides::one(BlockSide::One); 4]
}

fn decoded(source: &[u8], worth: Worth) -> Result<Vec<(usize, Vec<u8>)>, Refusal> {
    let mut rows = Vec::new();
    let header = Header::read(source)?;
    decode_ahead(&header, source, ones(), worth, &mut |index, _, row| {
        rows.push((index, row.to_vec()));
    })?;
    Ok(rows)
}

fn assert_same(source: &[u8], what: &str) -> bool {
    let never = decoded(source, NEVER);
    assert!(decoded(source, SMALL) == never, "{what}: {:?}", never.err());
    never.is_ok()
}

/// How many parts each look found blocks of, until the data is at its end.
fn looks(source: &[u8], worth: Worth) -> Vec<usize> {
    let header = Header::read(source).unwrap();
    let mut segments = Segments::new(source).unwrap();
    let mut tables = Tables::default();
    let scan = loop {
        let segment = segments.next().unwrap();
        if segment.marker == markers::SOS {
            break Scan::read(segment.payload, &header).unwrap();
        }
        tables.read(&segment).unwrap();
    };
    let decoding = Decoding::new(&scan, &tables, ones()).unwrap();
    let decoder = |component| {
        let decoder = decoding.decoder(&header, &scan, component, &tables, ones());
        decoder.unwrap().unwrap()
    };
    let decoders: Vec<_> = scan.components.iter().map(decoder).collect();
    let mut places = [Place::default(); MAX_PLACES];
    let count = place_blocks(&scan, &decoders, &mut places);
    let bits = Bits::new(source, segments.position());
    let mut ahead = Ahead::new(&decoders, &places[..count], bits, worth);
    let mut looks = Vec::new();
    loop {
        if ahead.found.is_empty() {
            if !ahead.look() {
                return looks;
            }
            looks.push(ahead.found.len());
        }
        ahead.take(1000);
    }
}

#[test]
fn parts_meet_whatever_the_sampling() {
    let random = &mut Random(1);
    for components in [GREY, FULL, QUARTER, ALIKE] {
        let source = picture(1200, components, 0, random);
        let looks = looks(&source, Worth::MEASURED);
        assert_eq!(looks.first(), Some(&PARTS), "{components:?}: {looks:?}");
        let (ahead, never) = [Worth::MEASURED, NEVER]
            .map(|worth| decoded(&source, worth))
            .into();
        assert!(ahead.is_ok() && ahead == never);
        assert!(assert_same(&source, "undamaged"));
    }
}

#[test]
fn parts_that_never_meet_are_dropped_and_at_last_not_made() {
    // Two pairs of tables that are the same: nothing in the data tells the blocks of a unit apart, so that most parts
    // take the wrong one for the first.
    let mut source = picture(1200, ALIKE, 0, &mut Random(2));
    let (dc, ac) = (&standard::DC[0], &standard::AC[0]);
    let tables = [
        &[0x01][..],
        &dc.counts,
        &dc.symbols[..12],
        &[0x11],
        &ac.counts,
        &ac.symbols[..162],
    ];
    source.splice(2..2, segment(markers::DHT, &tables.concat()));
    let scan = source
        .windows(2)
        .position(|pair| pair == [0xFF, markers::SOS]);
    let components = &mut source[scan.unwrap() + 5..];
    (components[3], components[5]) = (0x11, 0x11);
    let looks = looks(&source, SMALL);
    assert!(looks.contains(&1), "{looks:?}");
    assert!(looks.len() < 40, "{looks:?}");
    assert!(assert_same(&source, "never meets"));
}

#[test]
fn restart_markers_are_decoded_as_ever() {
    for interval in [1, 7, 500] {
        let source = picture(300, QUARTER, interval, &mut Random(3));
        assert!(assert_same(&source, "restart markers"));
    }
}

#[test]
fn a_marker_or_a_fault_is_told_wherever_it_is() {
    let source = picture(150, QUARTER, 0, &mut Random(4));
    let undefined = [0xFF, 0x00].repeat(4);
    for at in (700..source.len()).step_by(7) {
        for inserted in [&[0xFF, markers::EOI][..], &[0xFF, 0xFF], &undefined] {
            let damaged = [&source[..at], inserted, &source[at..]].concat();
            assert_same(&damaged, &format!("{inserted:?} at {at}"));
        }
        assert!(!assert_same(&source[..at], &format!("cut at {at}")));
    }
}

#[test]
fn damaged_data_gives_the_same_rows_or_refusal() {
    let random = &mut Random(5);
    let mut whole = 0;
    for number in 0..1500 {
        let components = [GREY, FULL, QUARTER][number % 3];
        let mut source = picture(160, components, 0, random);
        for _ in 0..random.below(3) {
            let at = 200 + random.below(source.len() - 200);
            match random.below(4) {
                0 => source[at] = u8::try_from(random.below(256)).unwrap(),
                1 => source[at] ^= 1 << random.below(8),
                2 => drop(source.splice(at..at, [17; 3])),
                _ => drop(source.drain(at..(at + 5).min(source.len()))),
            }
        }
        whole += u32::from(assert_same(&source, &number.to_string()));
    }
    assert!(whole > 400, "{whole} are whole");
}
