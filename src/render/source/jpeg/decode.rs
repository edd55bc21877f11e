//! A JPEG decoder at reduced size (ITU-T T.81 | ISO/IEC 10918-1).
//!
//! A thumbnail needs few of a picture's coefficients, so most of the work is to skip the others. The input is a file in
//! memory; the output is the rows of each component's plane at 1/8, 1/4, 1/2 or the whole of its size, chosen per
//! component. Colours are left to the caller.
//!
//! The modules mirror the format:
//! - `markers` finds the segments of the file; `header`, `frame`, `scan`, `tables` and `standard` parse them.
//! - `bits` and `huffman` read the entropy-coded data; `block_table` decodes or skips the AC coefficients of sequential
//!   blocks, `band_table` decodes those of progressive bands.
//! - `sequential` decodes frames whose blocks are complete at once, in memory of O(width). At an eighth of the size
//!   its `ahead` finds where blocks begin in several places at once.
//! - `progressive` decodes frames that gather `coefficients` scan by scan, of which `selection` leaves out what isn't
//!   needed; `refinement` adds single bits.
//! - `idct` and `planes` turn coefficients into rows of samples.
//!
//! A picture that decodes without an error is whole: nothing is filled in. Of a sequential picture every unit must
//! decode; of a progressive one every scan that is used, and its end marker must be there. Damage in data that isn't
//! used goes unseen.
//!
//! Absent on purpose: arithmetic coding, lossless and hierarchical frames, 12 bits a sample, and a height that follows
//! the picture (DNL). They are refused by name.

#![expect(
    clippy::inline_always,
    reason = "the bit reader stays in registers only if all that a hot loop calls is inlined"
)]

mod band_table;
mod bits;
mod block_table;
mod coefficients;
mod frame;
mod header;
mod huffman;
mod idct;
mod markers;
mod planes;
mod progressive;
mod refinement;
mod scan;
mod selection;
mod sequential;
mod standard;
mod tables;
#[cfg(test)]
mod tests;

use crate::render::Refusal;

pub(crate) use frame::{BlockSide, Component, Sides};
pub(super) use header::Colour;
pub(crate) use header::Header;

/// A callback for rows: the component's index, the size, and the row's samples.
type Sink<'s> = dyn FnMut(usize, BlockSide, &[u8]) + 's;

/// Decodes a picture, and passes its rows to `sink` as they are finished.
///
/// `sides` has the sizes of each component, all from the same coefficients; components beyond it are decoded at full
/// size. `sink` gets a component's index, the size and one row of its plane, top to bottom, as long and as many as
/// [`Component::plane_size`] says. Components come in turns or one after the other, as in the file. After an error the
/// rows so far are worthless. The rows of one size don't depend on the other sizes.
///
/// A progressive picture at a reduced size is decoded without the last bit of its coefficients where quantization is so
/// fine that it wouldn't show.
///
/// # Errors
///
/// [`Refusal::Truncated`] and [`Refusal::Corrupt`] for a picture that isn't whole, [`Refusal::TooComplex`] for one
/// whose decoding would take too long.
pub(super) fn decode(
    header: &Header,
    source: &[u8],
    sides: &[Sides],
    sink: &mut impl FnMut(usize, BlockSide, &[u8]),
) -> Result<(), Refusal> {
    let sides = four_sides(sides);
    if header.progressive {
        progressive::decode(header, source, sides, sink)
    } else {
        sequential::decode(header, source, sides, sink)
    }
}

/// An upper bound of the heap that [`decode`] takes.
#[must_use]
pub(super) fn memory_bytes(header: &Header, sides: &[Sides]) -> u64 {
    /// Huffman tables and the list of scans.
    const TABLES: u64 = 512 << 10;
    let planes = header
        .components
        .iter()
        .zip(four_sides(sides))
        .map(|(component, sides)| {
            let across = u64::from(header.mcus.0 * component.h);
            let strip = |side: BlockSide| {
                let samples = u64::from(side.samples());
                across * samples * u64::from(component.v) * samples
            };
            let strips = sides.iter().map(strip).sum::<u64>();
            let largest = sides.largest();
            if header.progressive {
                strips + coefficients::Coefficients::memory_bytes(header, component, largest)
            } else {
                strips
            }
        });
    let ahead = if header.progressive {
        0
    } else {
        sequential::ahead_memory_bytes(header, four_sides(sides))
    };
    TABLES + planes.sum::<u64>() + ahead
}

fn four_sides(sides: &[Sides]) -> [Sides; 4] {
    let mut four = [Sides::one(BlockSide::Eight); 4];
    for (side, &given) in four.iter_mut().zip(sides) {
        *side = given;
    }
    four
}
