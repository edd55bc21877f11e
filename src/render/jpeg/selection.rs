//! Which scans of a progressive frame a reduced picture needs (ITU-T T.81, G.1.1).

use super::{
    BlockSide, Refusal,
    coefficients::Coefficients,
    header::{Colour, Header},
    markers::{self, Segments},
    scan::Scan,
};

/// How many blocks the used scans may visit in total: 17 scans of 250 million
/// pixels in 4:2:0, 350 of 12 million. Encoders make about ten.
const MAX_BLOCK_VISITS: u64 = 100_000_000;

/// How many scans a file may have, needed or not; jpegtran's wildest scripts
/// give each coefficient one, 190 in all.
const MAX_SCANS: usize = 1000;

/// A scan that the first walk found.
pub(super) struct Found {
    pub(super) scan: Scan,
    /// Whether the wanted coefficients need it.
    pub(super) used: bool,
    /// Where the next marker is.
    pub(super) end: usize,
}

/// Walks the markers to the end of the picture, which must be there.
pub(super) fn find(header: &Header, source: &[u8]) -> Result<Vec<Found>, Refusal> {
    let mut segments = Segments::new(source)?;
    let mut found: Vec<Found> = Vec::new();
    let mut in_scan = false;
    loop {
        let segment = segments.next()?;
        if let Some(last) = found.last_mut()
            && in_scan
        {
            last.end = segment.start;
            in_scan = false;
        }
        match segment.marker {
            markers::EOI => return Ok(found),
            markers::SOS => {
                let scan = Scan::read(segment.payload, header)?;
                scan.check_progressive()?;
                if found.len() == MAX_SCANS {
                    return Err(Refusal::TooComplex(
                        "progressive JPEG with more than 1,000 scans",
                    ));
                }
                found.push(Found {
                    scan,
                    used: false,
                    end: 0,
                });
                in_scan = true;
            }
            _ => {}
        }
    }
}

/// Marks the scans that the wanted coefficients need.
///
/// It goes backwards: a scan that refines a wanted coefficient can be read
/// only with the history of its whole band (G.1.2.3), so that from there on
/// the whole band is wanted. A band's first scan depends on nothing.
pub(super) fn select(
    header: &Header,
    found: &mut [Found],
    sides: [BlockSide; 4],
) -> Result<(), Refusal> {
    let mut wanted = sides.map(Coefficients::wanted);
    let mut started = [false; 4];
    let mut visits = 0;
    for Found { scan, used, .. } in found.iter_mut().rev() {
        let band = (u64::MAX >> (63 - scan.end)) & (u64::MAX << scan.start);
        let states = wanted.iter_mut().zip(&mut started).zip(sides).enumerate();
        for (index, ((wanted, started), side)) in states {
            let named = scan
                .components
                .iter()
                .any(|component| component.index == index);
            if !named || *wanted & band == 0 || is_too_fine(header, scan, index, side) {
                continue;
            }
            *used = true;
            if scan.high > 0 {
                *wanted |= band;
            }
            *started |= scan.start == 0 && scan.high == 0;
        }
        if *used {
            visits += scan.blocks();
        }
    }
    if visits > MAX_BLOCK_VISITS {
        return Err(Refusal::TooComplex("progressive JPEG with too many scans"));
    }
    if started
        .iter()
        .zip(&header.components)
        .any(|(started, _)| !started)
    {
        return Err(Refusal::Corrupt(
            "JPEG with a component that has no DC scan".into(),
        ));
    }
    Ok(())
}

/// Whether the scan only adds the last bit to chroma that is reduced to 2x2.
///
/// It is the largest of the chroma scans: leaving it out halves the time of a
/// large picture and costs a tenth of a decibel.
fn is_too_fine(header: &Header, scan: &Scan, index: usize, side: BlockSide) -> bool {
    let chroma = matches!(header.colour, Colour::YCbCr | Colour::Ycck) && matches!(index, 1 | 2);
    chroma && side == BlockSide::Two && scan.start > 0 && scan.high == 1
}
