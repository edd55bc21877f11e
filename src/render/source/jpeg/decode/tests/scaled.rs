//! Luma planes next to libjpeg-turbo's of the same scale: the files under `tests/golden/scaled`, which `make.py` there
//! makes and describes.

use std::{
    f64::consts::PI,
    fs,
    path::{Path, PathBuf},
};

use super::{BlockSide, Header, Sides, decode, decoded, markers};

type Rows<T> = Vec<Vec<T>>;

/// Every JPEG in the folder.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scaled");
    let files = fs::read_dir(&folder).unwrap();
    let mut cases: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    cases.retain(|file| file.extension().is_some_and(|extension| extension == "jpg"));
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    cases
}

/// Our rows of the first component.
fn ours(case: &Path, side: BlockSide) -> Rows<u8> {
    let source = fs::read(case).unwrap();
    decoded(&source, side).unwrap().swap_remove(0)
}

/// libjpeg-turbo's rows: a PGM of three lines and the samples.
fn theirs(case: &Path, side: BlockSide) -> Rows<u8> {
    let path = case.with_extension(format!("{}.pgm", side.samples()));
    let file = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines: Vec<_> = file.splitn(4, |&byte| byte == b'\n').collect();
    let [b"P5", lengths, b"255", samples] = lines[..] else {
        panic!("{} is no PGM of 8 bits", path.display());
    };
    let lengths = str::from_utf8(lengths).unwrap().split(' ');
    let [width, height] = lengths
        .map(|length| length.parse::<usize>().unwrap())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{} has no two lengths", path.display());
    };
    let rows: Rows<u8> = samples.chunks(width).map(<[u8]>::to_vec).collect();
    assert_eq!(rows.len(), height, "{}", path.display());
    rows
}

/// A smaller size must come out the same beside a larger one as alone.
fn assert_sizes_are_apart(name: &str, source: &[u8]) {
    const ALL: [BlockSide; 4] = [
        BlockSide::One,
        BlockSide::Two,
        BlockSide::Four,
        BlockSide::Eight,
    ];
    let header = Header::read(source).unwrap();
    for set in 1_usize..16 {
        let chosen = || (0..4).filter(|n| set >> n & 1 == 1).map(|n| ALL[n]);
        let first = Sides::one(chosen().next().unwrap());
        let sides = chosen().fold(first, Sides::with);
        let mut planes = vec![vec![Vec::new(); 4]; header.components.len()];
        let mut sink = |index: usize, side: BlockSide, row: &[u8]| {
            let at = ALL.iter().position(|each| *each == side).unwrap();
            planes[index][at].push(row.to_vec());
        };
        decode(&header, source, &[sides; 4], &mut sink).unwrap();
        for (at, side) in ALL.into_iter().enumerate() {
            for (plane, alone) in planes.iter().zip(decoded(source, side).unwrap()) {
                let expected = if set >> at & 1 == 1 {
                    alone
                } else {
                    Vec::new()
                };
                assert!(plane[at] == expected, "{name} at {side:?} of {sides:?}");
            }
        }
    }
}

#[test]
fn sizes_do_not_depend_on_each_other() {
    for case in cases() {
        let source = fs::read(&case).unwrap();
        assert_sizes_are_apart(&case.display().to_string(), &source);
    }
}

#[test]
fn sizes_do_not_depend_on_each_other_where_one_passes_over_last_bits() {
    let source =
        include_bytes!("../../../../../../tests/golden/scaled/rgb-q75-444-progressive.jpg");
    let mut fine = source.to_vec();
    // DQT segments of one table each: marker, length, number, steps.
    let tables = |at: &usize| source[*at..].starts_with(&[0xFF, 0xDB, 0, 67]);
    for at in (0..source.len()).filter(tables) {
        fine[at + 5..at + 69].fill(1);
    }
    assert_sizes_are_apart("fine steps", &fine);
    // Where a band starts anew behind its last bits, these can't be cleared afterwards.
    let marker = |at: usize, marker: u8| fine[at..].starts_with(&[0xFF, marker]);
    // The first of AC coefficients; its header names one component.
    let begins = |at: &usize| marker(*at, markers::SOS) && fine[at + 4] == 1 && fine[at + 7] == 1;
    let scan = (0..fine.len()).find(begins).unwrap();
    let tables = (0..scan).rfind(|at| marker(*at, markers::DHT)).unwrap();
    let end = (scan + 2..fine.len())
        .find(|at| marker(*at, markers::DHT))
        .unwrap();
    let mut begun = fine[tables..end].to_vec();
    // It has its values to the last bit.
    begun[scan - tables + 9] = 0;
    let last = fine.len() - 2;
    let anew = [&fine[..last], &begun, &fine[last..]].concat();
    assert_sizes_are_apart("begun anew", &anew);
}

#[test]
fn full_size_and_an_eighth_are_libjpeg_turbos() {
    for case in cases() {
        for side in [BlockSide::Eight, BlockSide::One] {
            assert_eq!(
                ours(&case, side),
                theirs(&case, side),
                "{} at {side:?}",
                case.display()
            );
        }
    }
}

/// libjpeg-turbo averages samples where ours leaves out the frequencies that the smaller plane can't hold. That shows
/// in what a thumbnail keeps of a plane, as the renderer leaves a factor of 2 or more to its resizer. Without a
/// resizer, the average is nearer where the quantization makes blocks visible.
#[test]
fn halved_again_a_half_and_a_quarter_are_nearer_to_the_full_size_than_libjpeg_turbos() {
    for case in cases() {
        let full = exact(&ours(&case, BlockSide::Eight));
        for (side, factor) in [(BlockSide::Four, 2), (BlockSide::Two, 4)] {
            let wanted = reduced(&full, 2 * factor);
            let [ours, theirs] = [ours(&case, side), theirs(&case, side)]
                .map(|plane| squared_error(&reduced(&exact(&plane), 2), &wanted));
            assert!(
                ours < theirs,
                "{} at {side:?}: {ours:.1} and {theirs:.1}",
                case.display()
            );
        }
    }
}

fn exact(plane: &Rows<u8>) -> Rows<f64> {
    let row = |row: &Vec<u8>| row.iter().copied().map(f64::from).collect();
    plane.iter().map(row).collect()
}

/// A plane at one sample for `factor` in both directions, by Lanczos3 in double precision.
fn reduced(plane: &Rows<f64>, factor: u8) -> Rows<f64> {
    let across = |plane: &Rows<f64>| plane.iter().map(|row| lanczos3(row, factor)).collect();
    transposed(&across(&transposed(&across(plane))))
}

fn transposed(plane: &Rows<f64>) -> Rows<f64> {
    let column = |x: usize| plane.iter().map(|row| row[x]).collect();
    (0..plane[0].len()).map(column).collect()
}

fn lanczos3(row: &[f64], factor: u8) -> Vec<f64> {
    let count = row.len().div_ceil(factor.into());
    let places = (0_u32..).map(|n| f64::from(n) + 0.5);
    let sample = |centre: f64| {
        let (mut sum, mut all) = (0.0, 0.0);
        for (sample, place) in row.iter().zip(places.clone()) {
            let weight = window(place / f64::from(factor) - centre);
            sum += weight * sample;
            all += weight;
        }
        sum / all
    };
    places.clone().take(count).map(sample).collect()
}

/// Lanczos's window of three lobes.
fn window(x: f64) -> f64 {
    let sinc = |x: f64| {
        if x == 0.0 {
            1.0
        } else {
            (PI * x).sin() / (PI * x)
        }
    };
    if x.abs() < 3.0 {
        sinc(x) * sinc(x / 3.0)
    } else {
        0.0
    }
}

fn squared_error(plane: &Rows<f64>, reduced: &Rows<f64>) -> f64 {
    let [plane, reduced] = [plane, reduced].map(|rows| rows.concat());
    assert_eq!(plane.len(), reduced.len());
    let pairs = plane.iter().zip(reduced);
    pairs.map(|(a, b)| (a - b).powi(2)).sum()
}
