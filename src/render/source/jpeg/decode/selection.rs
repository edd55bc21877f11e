//! Which scans of a progressive frame a reduced picture needs (ITU-T T.81, G.1.1).

use super::{
    BlockSide, Refusal,
    coefficients::Coefficients,
    header::{Colour, Header},
    markers::{self, Segments},
    scan::Scan,
    tables::Tables,
};

/// How many blocks the used scans may visit in total: 17 scans of 250 million pixels in 4:2:0, 350 of 12 million.
/// Encoders make about ten.
const MAX_BLOCK_VISITS: u64 = 100_000_000;

/// How many scans a file may have, needed or not; jpegtran's wildest scripts give each coefficient one, 190 in all.
const MAX_SCANS: usize = 1000;

/// A scan that the first walk found.
pub(super) struct Found {
    pub(super) scan: Scan,
    /// Whether the wanted coefficients need it.
    pub(super) used: bool,
    /// Where the next marker is.
    pub(super) end: usize,
}

/// The quantization steps of each component as they are at its first scan, in zigzag order.
pub(super) type Steps = [[u16; 64]; 4];

/// Finds the scans by walking the markers to the end of the picture, which must be there.
pub(super) fn find(header: &Header, source: &[u8]) -> Result<(Vec<Found>, Steps), Refusal> {
    let mut segments = Segments::new(source)?;
    let mut found: Vec<Found> = Vec::new();
    let mut in_scan = false;
    let mut tables = Tables::default();
    let mut steps = [None; 4];
    loop {
        let segment = segments.next()?;
        if let Some(last) = found.last_mut()
            && in_scan
        {
            last.end = segment.start;
            in_scan = false;
        }
        match segment.marker {
            markers::EOI => return Ok((found, steps.map(|steps| steps.unwrap_or([0; 64])))),
            markers::SOS => {
                let scan = Scan::read(segment.payload, header)?;
                scan.check_progressive()?;
                if found.len() == MAX_SCANS {
                    return Err(Refusal::TooComplex(
                        "progressive JPEG with more than 1,000 scans",
                    ));
                }
                for named in &scan.components {
                    if let (Some(steps @ None), Some(component)) = (
                        steps.get_mut(named.index),
                        header.components.get(named.index),
                    ) {
                        *steps = Some(*tables.quantization(component.quantization)?);
                    }
                }
                found.push(Found {
                    scan,
                    used: false,
                    end: 0,
                });
                in_scan = true;
            }
            markers::DQT => tables.read(&segment)?,
            _ => {}
        }
    }
}

/// Marks the scans that the wanted coefficients need.
pub(super) fn select(
    header: &Header,
    found: &mut [Found],
    steps: &Steps,
    sides: [BlockSide; 4],
) -> Result<(), Refusal> {
    let mut started = true;
    for (index, (steps, side)) in steps
        .iter()
        .zip(sides)
        .enumerate()
        .take(header.components.len())
    {
        let fine = is_fine(header, index, steps, side);
        let needed = needed(found, index, side, fine);
        let mut has_dc = false;
        for (found, needed) in found.iter_mut().zip(needed) {
            found.used |= needed;
            has_dc |= needed && found.scan.start == 0 && found.scan.high == 0;
        }
        started &= has_dc;
    }
    let used = found.iter().filter(|found| found.used);
    let visits: u64 = used.map(|found| found.scan.blocks()).sum();
    if visits > MAX_BLOCK_VISITS {
        return Err(Refusal::TooComplex("progressive JPEG with too many scans"));
    }
    if !started {
        return Err(Refusal::Corrupt(
            "JPEG with a component that has no DC scan".into(),
        ));
    }
    Ok(())
}

/// Which scans a component needs at a size.
///
/// Goes backwards: a scan that refines a wanted coefficient can be read only with the history of its whole band
/// (G.1.2.3), so that before it the whole band is wanted. A band's first scan depends on nothing.
fn needed(found: &[Found], index: usize, side: BlockSide, fine: bool) -> Vec<bool> {
    let mut wanted = Coefficients::wanted(side);
    let mut needed = vec![false; found.len()];
    for (needed, Found { scan, .. }) in needed.iter_mut().zip(found).rev() {
        let passed_over = fine && is_last_bit(scan);
        if scan.names(index) && wanted & scan.band() != 0 && !passed_over {
            *needed = true;
            if scan.high > 0 {
                wanted |= scan.band();
            }
        }
    }
    needed
}

/// Whether the scan adds the last bit of AC coefficients.
fn is_last_bit(scan: &Scan) -> bool {
    scan.start > 0 && scan.high == 1
}

/// The coefficients whose last bit only the `largest` size has; `None` if it can't be cleared for the `smaller`.
///
/// It can if it came last, and the coefficient wasn't complete before.
pub(super) fn last_bits(
    header: &Header,
    found: &[Found],
    steps: &Steps,
    index: usize,
    [largest, smaller]: [BlockSide; 2],
) -> Option<u64> {
    let needed = |side| {
        let fine = is_fine(header, index, steps.get(index)?, side);
        Some(needed(found, index, side, fine))
    };
    let (all, own) = (needed(largest)?, needed(smaller)?);
    let wanted = Coefficients::wanted(smaller);
    // The coefficients with such a bit so far, and those that are complete.
    let (mut bits, mut complete) = (0, 0);
    for ((Found { scan, .. }, all), own) in found.iter().zip(all).zip(own) {
        if !all || scan.start == 0 || !scan.names(index) {
            continue;
        }
        let band = scan.band();
        if bits & band != 0 {
            return None;
        }
        if !own && band & wanted != 0 {
            if complete & band != 0 {
                return None;
            }
            bits |= band;
        } else if scan.low == 0 {
            complete |= band;
        }
    }
    Some(bits & wanted)
}

/// Whether a component's steps are so small that the thumbnail wouldn't show the last bits of its AC coefficients.
///
/// The scans of these bits are the largest of all. A bit is worth a step: if all are set, samples are off by
/// `sqrt(S/64)`, where `S` is the sum of the squared steps of the used coefficients. The resizer halves that, or leaves
/// two thirds for subsampled chroma, so luma is off by 0.6 of 255 at most. Chroma's bits are nearly all zeros, and go
/// into red, green and blue only in part: there `S` may be larger, which costs the measured photographs 1.4 of 57 dB.
fn is_fine(header: &Header, index: usize, steps: &[u16; 64], side: BlockSide) -> bool {
    let chroma = matches!(header.colour, Colour::YCbCr | Colour::Ycck) && matches!(index, 1 | 2);
    let most = if chroma { 1_000 } else { 100 };
    let wanted = Coefficients::wanted(side);
    let used = (0..)
        .zip(steps)
        .filter(|(k, _)| *k > 0 && wanted >> k & 1 == 1);
    let squares: u64 = used.map(|(_, &step)| u64::from(step).pow(2)).sum();
    side < BlockSide::Eight && squares <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scans that a reduced size needs, by component, first and last coefficient, and bits left before and after.
    fn used(source: &[u8], side: BlockSide) -> Vec<(usize, u32, u32, u32, u32)> {
        let header = Header::read(source).unwrap();
        let (mut found, steps) = find(&header, source).unwrap();
        select(&header, &mut found, &steps, [side; 4]).unwrap();
        let used = found.iter().filter(|found| found.used);
        let told = used.map(|Found { scan, .. }| {
            (
                scan.components[0].index,
                scan.start,
                scan.end,
                scan.high,
                scan.low,
            )
        });
        told.collect()
    }

    #[test]
    fn means_need_the_dc_scans_alone() {
        let source =
            include_bytes!("../../../../../tests/golden/scaled/rgb-q75-444-progressive.jpg");
        assert_eq!(
            used(source, BlockSide::One),
            [(0, 0, 0, 0, 1), (0, 0, 0, 1, 0)]
        );
    }

    #[test]
    fn the_last_bits_are_passed_over_only_where_they_are_small() {
        let coarse =
            include_bytes!("../../../../../tests/golden/scaled/rgb-q75-444-progressive.jpg");
        // DQT segments of one table each: marker, length, number, steps.
        let mut fine = coarse.to_vec();
        let tables = |at: &usize| coarse[*at..].starts_with(&[0xFF, 0xDB, 0, 67]);
        for at in (0..coarse.len()).filter(tables) {
            fine[at + 5..at + 69].fill(1);
        }
        let last_bit = (0, 1, 63, 1, 0);
        assert!(used(coarse, BlockSide::Four).contains(&last_bit));
        assert!(!used(&fine, BlockSide::Four).contains(&last_bit));
        assert!(used(&fine, BlockSide::Four).contains(&(0, 1, 63, 2, 1)));
        // At full size there may be no resizer to reduce the error.
        assert!(used(&fine, BlockSide::Eight).contains(&last_bit));
    }

    #[test]
    fn steps_that_are_told_behind_the_first_scan_are_not_the_component_s() {
        let coarse =
            include_bytes!("../../../../../tests/golden/scaled/rgb-q75-444-progressive.jpg");
        let scans: Vec<_> = (0..coarse.len())
            .filter(|at| coarse[*at..].starts_with(&[0xFF, 0xDA]))
            .collect();
        let mut redefined = coarse[..scans[1]].to_vec();
        for number in [0, 1] {
            redefined.extend([0xFF, 0xDB, 0, 67, number]);
            redefined.extend([1; 64]);
        }
        redefined.extend(&coarse[scans[1]..]);
        assert_eq!(
            used(&redefined, BlockSide::Four),
            used(coarse, BlockSide::Four)
        );
    }
}
