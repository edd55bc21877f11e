//! Damaged pictures: nothing panics, takes more memory than planned, or shows what isn't there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gcs_thumbnailer::render::{Encoded, Limits, Plan, Refusal, SourceFormats, Target, render};

use crate::cases::{self, Case};
use crate::golden::ALL_FORMATS;
use crate::png_crcs::repair_crcs;
use crate::rng::Rng;

/// How many damaged pictures are rendered.
const MUTATIONS: usize = 24_000;

/// Headers that announce more are refused, so that a damaged size doesn't make the test slow.
const LIMITS: Limits = Limits {
    max_pixels: 1 << 20,
    formats: SourceFormats::ALL,
};

/// A byte, more often than by chance one that means something to JPEG.
fn byte(random: &mut Rng) -> u8 {
    const TELLING: [u8; 12] = [
        0x00, 0x01, 0x11, 0x7F, 0x80, 0xC4, 0xD0, 0xD9, 0xDA, 0xDB, 0xFE, 0xFF,
    ];
    match random.below(3) {
        0 => TELLING[random.below(TELLING.len())],
        _ => u8::try_from(random.below(256)).unwrap(),
    }
}

/// One to four damages: a byte set, a bit flipped, a stretch removed, doubled or filled.
fn damage(source: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = source.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(12)).min(bytes.len());
        match random.below(8) {
            0..3 => bytes[at] = byte(random),
            3..5 => bytes[at] ^= 1 << random.below(8),
            5 => drop(bytes.drain(at..end)),
            6 => {
                let stretch = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, stretch));
            }
            _ => {
                let byte = byte(random);
                bytes[at..end].fill(byte);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// Renders `source` and holds the renderer to its own estimate; a panic is reported with the case's name.
pub fn render_measured(name: &str, source: &[u8], limits: Limits) -> Result<Encoded, Refusal> {
    measured(name, source, limits, &[Target::default()]).map(|mut outputs| outputs.remove(0))
}

/// The same for several outputs.
pub fn measured(
    name: &str,
    source: &[u8],
    limits: Limits,
    targets: &[Target],
) -> Result<Vec<Encoded>, Refusal> {
    let mut outcome = Err(Refusal::NotAnImage);
    let mut planned = 0;
    let peak = allocation_counter::measure(|| {
        let rendered = catch_unwind(AssertUnwindSafe(|| {
            let plan = Plan::new(source, &limits, targets)?;
            planned = plan.memory_bytes();
            Ok(plan.render()?.outputs)
        }));
        outcome = rendered.unwrap_or_else(|_| panic!("{name}: panicked"));
    })
    .bytes_max;
    // What is refused while planning takes no more than a profile or a text may inflate to, twice while it grows.
    let allowed = planned.max(12 << 20);
    assert!(
        peak <= allowed,
        "{name}: took {peak} bytes, but {planned} were planned"
    );
    outcome
}

fn small_cases(most: usize) -> Vec<Case> {
    let mut cases = cases::rendered();
    for label in cases::refusals() {
        cases.extend(cases::of(&format!("refused/{label}")));
    }
    cases.retain(|case| (1..=most).contains(&case.source.len()));
    cases
}

#[test]
fn damaged_pictures_neither_panic_nor_exceed_their_plan() {
    let cases = small_cases(1600);
    let mut random = Rng::new(4);
    let (mut rendered, mut refused) = (0, 0);
    for round in 0..MUTATIONS {
        let case = &cases[round % cases.len()];
        let mut source = damage(&case.source, &mut random);
        if random.below(4) > 0 {
            repair_crcs(&mut source);
        }
        match render_measured(&format!("{}, mutation {round}", case.name), &source, LIMITS) {
            Ok(_) => rendered += 1,
            Err(_) => refused += 1,
        }
    }
    // Both happen often, or else the damage is too mild or too wild to test anything.
    assert!(
        rendered > MUTATIONS / 20 && refused > MUTATIONS / 20,
        "{rendered} rendered, {refused} refused"
    );
}

/// Where to cut a file: everywhere if it is small, otherwise at 100 places and through its last bytes.
fn cuts(length: usize) -> Vec<usize> {
    let everywhere = length <= 1200;
    (0..length)
        .filter(|cut| everywhere || cut % (length / 100) == 0 || cut + 24 > length)
        .collect()
}

#[test]
fn a_cut_picture_is_refused_or_complete() {
    for case in cases::rendered() {
        // What turns this picture comes after its pixels: without it, it is another picture.
        if case.name.contains("after-idat") {
            continue;
        }
        let whole = render(&case.source, &ALL_FORMATS)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", case.name));
        for cut in cuts(case.source.len()) {
            let name = format!("{} cut to {cut} bytes", case.name);
            if let Ok(thumbnail) = render_measured(&name, &case.source[..cut], LIMITS) {
                assert_eq!(thumbnail, whole, "{name}");
            }
        }
    }
}
