//! Sequential frames: baseline and extended (ITU-T T.81, F.2).
//!
//! Each component is complete after its one scan, so only the samples of one row of minimum coded units are kept.
//!
//! Where only means are needed, a block's DC coefficient, nearly all the time goes by finding out where the next block
//! begins: then [`Ahead`] does that for many blocks in advance, and [`decode_run`] only what is left at the end.

mod ahead;
mod chains;
mod decoder;
mod part;
mod plain;

use ahead::{Ahead, Worth};
use decoder::{Decoder, Decoding};

use super::{
    BlockSide, Refusal, Sides, Sink,
    bits::{Bits, Fault},
    frame::Component,
    header::Header,
    idct::{self, coefficient, dequantized},
    markers::{self, Segments},
    scan::{Runs, Scan},
    tables::Tables,
};

/// Decodes scan by scan until every component has had its own.
///
/// Nothing behind the last scan's data is read: a picture whose end marker is missing is whole.
pub(super) fn decode(
    header: &Header,
    source: &[u8],
    sides: [Sides; 4],
    sink: &mut Sink,
) -> Result<(), Refusal> {
    decode_ahead(header, source, sides, Worth::MEASURED, sink)
}

/// As [`decode`], looking ahead where `worth` says.
fn decode_ahead(
    header: &Header,
    source: &[u8],
    sides: [Sides; 4],
    worth: Worth,
    sink: &mut Sink,
) -> Result<(), Refusal> {
    let mut segments = Segments::new(source)?;
    let mut tables = Tables::default();
    let mut missing = vec![true; header.components.len()];
    while missing.contains(&true) {
        let segment = segments.next()?;
        match segment.marker {
            markers::EOI => {
                return Err(Refusal::Corrupt(
                    "JPEG with a component that has no scan".into(),
                ));
            }
            markers::SOS => {
                let scan = Scan::read(segment.payload, header)?;
                for component in &scan.components {
                    let missing = missing.get_mut(component.index);
                    if !missing.is_some_and(std::mem::take) {
                        return Err(Refusal::Corrupt(
                            "JPEG with a component in two scans".into(),
                        ));
                    }
                }
                let end = decode_scan(
                    header,
                    &scan,
                    &tables,
                    sides,
                    Bits::new(source, segments.position()),
                    worth,
                    sink,
                )?;
                segments.seek(end);
            }
            _ => tables.read(&segment)?,
        }
    }
    Ok(())
}

/// An upper bound of the heap for looking ahead, for a frame whose components have `sides`.
pub(super) fn ahead_memory_bytes(header: &Header, sides: [Sides; 4]) -> u64 {
    let blocks = |component: &Component| {
        u64::from(header.mcus.0 * component.h) * u64::from(header.mcus.1 * component.v)
    };
    let all: u64 = header.components.iter().map(blocks).sum();
    let one = |sides: &Sides| sides.largest() == BlockSide::One;
    if all >= Worth::MEASURED.blocks && sides.iter().any(one) {
        Ahead::MEMORY as u64
    } else {
        0
    }
}

/// One block of a minimum coded unit.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The index of its decoder.
    decoder: usize,
    /// The offset in the strip of the first unit's block, and the step to the next unit's.
    first: usize,
    step: usize,
    /// The offset of the next block.
    at: usize,
    /// The next block's column and row of blocks; the first unit's column, and the step to the next unit's.
    x: usize,
    y: usize,
    first_x: usize,
    step_x: usize,
    /// The index of the block that comes next.
    next: usize,
}

/// The most blocks that a unit can have: four components of 4x4.
const MAX_PLACES: usize = 64;

/// Returns where the scan's data ends.
fn decode_scan(
    header: &Header,
    scan: &Scan,
    tables: &Tables,
    sides: [Sides; 4],
    mut bits: Bits,
    worth: Worth,
    sink: &mut Sink,
) -> Result<usize, Refusal> {
    let decoding = Decoding::new(scan, tables, sides)?;
    let mut decoders = Vec::with_capacity(4);
    for component in &scan.components {
        let decoder = decoding.decoder(header, scan, component, tables, sides);
        decoders.push(
            decoder.ok_or_else(|| Refusal::Corrupt("JPEG scan without its tables".into()))??,
        );
    }
    let mut places = [Place::default(); MAX_PLACES];
    let count = place_blocks(scan, &decoders, &mut places);
    let several = decoders.iter().any(|decoder| !decoder.smaller.is_empty());
    let decode_run = if several {
        decode_run::<true>
    } else {
        decode_run::<false>
    };
    let ones = decoders.iter().all(|one| one.side == BlockSide::One);
    let worth_while = tables.restart_interval == 0 && scan.blocks() >= worth.blocks;
    let mut ahead = (ones && !several && worth_while).then(|| {
        let places = places.get(..count).unwrap_or_default();
        Ahead::new(&decoders, places, bits, worth)
    });
    for run in Runs::new(scan, tables.restart_interval) {
        if let Some(turn) = run.restart {
            bits.restart(turn)?;
            for decoder in &mut decoders {
                decoder.prediction = 0;
            }
        }
        for place in &mut places {
            place.at = place.first + run.x.start * place.step;
            place.x = place.first_x + run.x.start * place.step_x;
        }
        let mut blocks = run.x.len() * count;
        let mut turn = 0;
        while let Some(found) = &mut ahead
            && blocks > 0
        {
            if let Some((starts, bytes)) = found.take(blocks) {
                turn = store_ones(&mut decoders, &mut places, turn, starts, bytes);
                blocks -= starts.len();
            } else {
                bits = found.bits();
                ahead = None;
            }
        }
        bits = decode_run(&mut decoders, &mut places, turn, blocks, bits)?;
        if run.ends_row {
            bits.check()?;
            for decoder in &mut decoders {
                decoder.strip.push(sink);
                for strip in &mut decoder.smaller {
                    strip.push(sink);
                }
            }
        }
    }
    Ok(ahead.map_or(bits, |ahead| ahead.bits()).position())
}

/// Decodes blocks of one sample that begin at the bits `starts` of `bytes`; returns the index of the one that is next.
#[inline(never)]
fn store_ones(
    decoders: &mut [Decoder],
    places: &mut [Place; MAX_PLACES],
    mut turn: usize,
    starts: &[part::Row],
    bytes: &plain::Bytes,
) -> usize {
    for &part::Row { start, .. } in starts {
        let place = &mut places[turn % MAX_PLACES];
        turn = place.next;
        let at = place.at;
        place.at += place.step;
        if let Some(decoder) = decoders.get_mut(place.decoder) {
            let mut bits = Bits::of(plain::window(bytes, start));
            if let Ok(difference) = decoder.dc.difference(&mut bits) {
                decoder.prediction = decoder.prediction.wrapping_add(difference);
            }
            let dc = dequantized(coefficient(decoder.prediction), decoder.steps[0]);
            decoder.strip.store([[idct::one(dc)]], at);
        }
    }
    turn
}

/// Lists the blocks of a unit in their order (A.2.3); returns their number.
fn place_blocks(scan: &Scan, decoders: &[Decoder], places: &mut [Place; MAX_PLACES]) -> usize {
    let mut free = places.iter_mut();
    let mut count = 0;
    for (index, (component, decoder)) in scan.components.iter().zip(decoders).enumerate() {
        for (y, x) in (0..component.v).flat_map(|y| (0..component.h).map(move |x| (y, x))) {
            let Some(place) = free.next() else { continue };
            count += 1;
            *place = Place {
                decoder: index,
                first: decoder.strip.offset(x, y),
                step: decoder.strip.offset(component.h, 0),
                at: 0,
                x: 0,
                y,
                first_x: x,
                step_x: component.h,
                next: count,
            };
        }
    }
    if let Some(last) = places.get_mut(count.saturating_sub(1)) {
        last.next = 0;
    }
    count
}

/// Decodes `blocks` blocks, whole minimum coded units of one row (A.2.3).
///
/// One flat loop over the blocks, since the ends of loops over units, components, rows and columns would be
/// mispredicted. It is a function of its own so that the loop has all registers, and another one where blocks are made
/// at `SEVERAL` sizes.
#[inline(never)]
fn decode_run<'a, const SEVERAL: bool>(
    decoders: &mut [Decoder],
    places: &mut [Place; MAX_PLACES],
    mut turn: usize,
    blocks: usize,
    bits: Bits<'a>,
) -> Result<Bits<'a>, Fault> {
    let mut bits = bits.in_registers();
    for _ in 0..blocks {
        let place = &mut places[turn % MAX_PLACES];
        turn = place.next;
        let at = place.at;
        place.at += place.step;
        let (x, y) = (place.x, place.y);
        if SEVERAL {
            place.x += place.step_x;
        }
        if let Some(decoder) = decoders.get_mut(place.decoder) {
            decoder.decode_block::<SEVERAL>(&mut bits, at, (x, y))?;
        }
    }
    Ok(bits)
}
