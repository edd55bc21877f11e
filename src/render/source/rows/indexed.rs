//! Rows of indices into a palette, or of greys of few bits.

use super::super::samples::{Table, add_alpha_colours, add_colours, add_colours_together};
use super::{Cover, Resizers, TakeRow};
use crate::render::Refusal;
use crate::render::pixels::Pixels;

impl Resizers<'_> {
    /// As [`Self::shrink`], for rows of indices of `depth` bits into `colours`.
    pub(in crate::render::source) fn shrink_indexed(
        &self,
        depth: u8,
        colours: &[[u8; 4]],
        cover: Cover,
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Pixels>, Refusal> {
        let depth = usize::from(depth);
        let opaque = cover.whole && colours.iter().all(|colour| colour[3] == u8::MAX);
        let grey = colours.iter().all(|[r, g, b, _]| r == g && g == b);
        if opaque && grey {
            let table = table(colours, |[grey, ..]| u64::from(grey));
            self.shrink_colours::<1>(depth, &table, walk)
        } else if opaque {
            let word = |high, sample| high << 16 | u64::from(sample);
            let table = table(colours, |[r, g, b, _]| [b, g, r].into_iter().fold(0, word));
            self.shrink_colours::<3>(depth, &table, walk)
        } else {
            let table = table(colours, |[r, g, b, alpha]| {
                [r, g, b, u8::MAX].map(|sample| u32::from(sample) * u32::from(alpha))
            });
            let add = |row: &[u8], sums: &mut [_]| {
                let sums = sums.get_mut(cover.left..).unwrap_or_default();
                add_alpha_colours(row, depth, &table, sums);
            };
            self.shrink(255, add, walk)
        }
    }

    /// As [`Self::shrink_indexed`], for opaque colours of `C` samples as [`add_colours`] takes them.
    fn shrink_colours<const C: usize>(
        &self,
        depth: usize,
        table: &Table<u64>,
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Pixels>, Refusal> {
        let add = |row: &[u8], together, sums: &mut [[u16; C]]| {
            if together > 1 {
                add_colours_together(row, together, table, sums);
            } else {
                add_colours(row, depth, table, sums);
            }
        };
        let copy = |row: &[u8], sums: &mut [_]| add_colours(row, depth, table, sums);
        self.gather_together(1, depth == 8, add, 1, copy, walk)
    }
}

/// What each index adds. Indices beyond the colours are black, as viewers show them.
fn table<T: Copy>(colours: &[[u8; 4]], entry: impl Fn([u8; 4]) -> T) -> Table<T> {
    let mut table = [entry([0, 0, 0, u8::MAX]); 256];
    for (slot, colour) in table.iter_mut().zip(colours) {
        *slot = entry(*colour);
    }
    table
}
