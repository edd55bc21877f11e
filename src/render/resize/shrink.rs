//! Box sums, added up row by row.

use std::ops::AddAssign;

use super::axis::Axis;
use super::filter::{Filter, Form, Resized, UNIT};

/// The type of a column's sum; the smaller, the faster.
///
/// Boxes have at most 256 samples a side, so columns of 8-bit samples fit `u16`, and boxes of 16-bit samples `u32`.
pub(in crate::render) trait Sum: Copy + Default + AddAssign + Into<u64> {
    /// The sum of one 8-bit sample in [`UNIT`]s.
    fn single(self) -> i16;
}

impl Sum for u16 {
    fn single(self) -> i16 {
        (self * UNIT).cast_signed()
    }
}

impl Sum for u32 {
    fn single(self) -> i16 {
        mean(u64::from(self), scale(1, 1))
    }
}

/// The columns that a pass holds: all, or in an interlaced picture every `step`-th from `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) struct Grid {
    pub(in crate::render) first: usize,
    pub(in crate::render) step: usize,
}

impl Grid {
    /// Every column.
    pub(in crate::render) const WHOLE: Self = Self { first: 0, step: 1 };

    /// How many columns of the grid are left of column `end`.
    pub(in crate::render) fn columns_before(self, end: usize) -> usize {
        // Steps are powers of two, and division is slow.
        (end + self.step - 1).saturating_sub(self.first) >> self.step.trailing_zeros()
    }
}

/// Resizes a picture of `C` interleaved channels to one final size, or several with the same boxes.
pub(in crate::render) struct Shrink<'a, S, const C: usize> {
    columns: &'a Axis,
    rows: &'a Axis,
    grid: Grid,
    /// Each column's sums over the rows of the current box so far, or those of `together` columns.
    sums: Vec<[S; C]>,
    together: usize,
    /// The row of boxes that `sums` belongs to.
    box_row: usize,
    /// A row of box means, channel after channel, each padded with zeros.
    boxes: Vec<i16>,
    /// The factor from the sum of a whole box to its mean in [`UNIT`]s, times 2^32.
    scale: u64,
    /// A filter for each channel of each size.
    filters: Vec<[Filter<'a>; C]>,
}

impl<'a, S: Sum, const C: usize> Shrink<'a, S, C> {
    /// A resizer for sums to which a sample of 1 of 255 adds `unit`.
    pub(in crate::render) fn new(columns: &'a Axis, rows: &'a Axis, unit: u32, form: Form) -> Self {
        Self {
            columns,
            rows,
            grid: Grid::WHOLE,
            sums: vec![[S::default(); C]; columns.samples()],
            together: 1,
            box_row: 0,
            boxes: vec![0; C * columns.padded_boxes()],
            scale: scale(unit, columns.shrink() * rows.shrink()),
            filters: vec![std::array::from_fn(|_| Filter::new(columns, rows, form))],
        }
    }

    /// Adds another final size if it has the same boxes; returns whether it has.
    pub(in crate::render) fn shares(
        &mut self,
        columns: &'a Axis,
        rows: &'a Axis,
        form: Form,
    ) -> bool {
        let same = self.columns.has_boxes_of(columns) && self.rows.has_boxes_of(rows);
        if same {
            let padded = columns.padded_boxes().max(self.boxes.len() / C);
            self.boxes = vec![0; C * padded];
            let filters = std::array::from_fn(|_| Filter::new(columns, rows, form));
            self.filters.push(filters);
        }
        same
    }

    /// The heap that a resizer and its axes take, for `size` samples across and down and `output` positions, of which
    /// `growth` may be within a row of samples.
    pub(in crate::render) fn memory_bytes(
        size: (u32, u32),
        output: (u32, u32),
        form: Form,
        growth: u32,
    ) -> u64 {
        let channels = C as u64;
        let sums = u64::from(size.0) * channels * size_of::<S>() as u64;
        let outputs = channels * Filter::memory_bytes(output, form, growth);
        let [columns, rows] = [
            Axis::memory_bytes(size.0, output.0),
            Axis::memory_bytes(size.1, output.1),
        ];
        sums + outputs + columns * channels + rows
    }

    /// Starts another pass over the picture, whose rows hold only the columns of `grid`.
    pub(in crate::render) fn start_pass(&mut self, grid: Grid) {
        self.flush();
        self.grid = grid;
        self.together = 1;
        self.sums.resize(
            grid.columns_before(self.columns.samples()),
            [S::default(); C],
        );
    }

    /// Takes sums of whole boxes' rows from here on, if they are below 2^16 where samples have 8 bits.
    pub(in crate::render) fn sum_boxes(&mut self) {
        if self.columns.shrink() * self.rows.shrink() <= 257 {
            self.together = self.columns.shrink();
            self.sums.truncate(self.columns.boxes());
        }
    }

    /// How many columns are added to each sum.
    pub(in crate::render) fn together(&self) -> usize {
        self.together
    }

    /// The sums to which the caller adds row `y`, once. The [`Form`] says in which order rows must come.
    pub(in crate::render) fn row(&mut self, y: usize) -> &mut [[S; C]] {
        let box_row = y / self.rows.shrink();
        if box_row != self.box_row {
            self.flush();
            self.box_row = box_row;
        }
        &mut self.sums
    }

    /// The planes at each final size, in the order in which the sizes were added.
    pub(in crate::render) fn finish(mut self) -> impl Iterator<Item = [Resized; C]> {
        self.flush();
        let filters = self.filters.into_iter();
        filters.map(|filters| filters.map(Filter::finish))
    }

    /// Passes the current row of boxes to the filters. They add, so that a row of boxes may come in parts.
    fn flush(&mut self) {
        let padded = self.boxes.len() / C;
        let shrink = self.columns.shrink();
        if self.grid == Grid::WHOLE && self.scale == scale(1, 1) {
            part(&mut self.boxes, padded, &self.sums);
        } else if self.grid == Grid::WHOLE {
            // Constant widths let the compiler unroll the loop over a box.
            let (boxes, sums, scale) = (&mut self.boxes, &self.sums, self.scale);
            match shrink / self.together {
                1 => fill_boxes::<_, C, 1>(boxes, padded, sums, scale),
                2 => fill_boxes::<_, C, 2>(boxes, padded, sums, scale),
                3 => fill_boxes::<_, C, 3>(boxes, padded, sums, scale),
                4 => fill_boxes::<_, C, 4>(boxes, padded, sums, scale),
                5 => fill_boxes::<_, C, 5>(boxes, padded, sums, scale),
                6 => fill_boxes::<_, C, 6>(boxes, padded, sums, scale),
                7 => fill_boxes::<_, C, 7>(boxes, padded, sums, scale),
                8 => fill_boxes::<_, C, 8>(boxes, padded, sums, scale),
                _ => {
                    for (index, held) in sums.chunks(shrink).enumerate() {
                        fill_box(boxes, padded, index, held, scale);
                    }
                }
            }
        } else {
            let mut start = 0;
            for index in 0..self.columns.boxes() {
                let end = self
                    .grid
                    .columns_before((index + 1) * shrink)
                    .min(self.sums.len());
                fill_box(
                    &mut self.boxes,
                    padded,
                    index,
                    &self.sums[start..end],
                    self.scale,
                );
                start = end;
            }
        }
        for filters in &mut self.filters {
            for (filter, boxes) in filters.iter_mut().zip(self.boxes.chunks_exact(padded)) {
                filter.add_row(self.box_row, boxes);
            }
        }
        self.sums.fill([S::default(); C]);
    }
}

/// Fills in a row of boxes of single samples of 8 bits.
fn part<S: Sum, const C: usize>(boxes: &mut [i16], padded: usize, sums: &[[S; C]]) {
    // Eight at a time, which makes vectors of the channels.
    let (eights, last) = sums.as_chunks::<8>();
    for (channel, boxes) in boxes.chunks_exact_mut(padded).enumerate() {
        let (boxes, _) = boxes.split_at_mut(sums.len());
        let (whole, rest) = boxes.as_chunks_mut::<8>();
        for (values, sums) in whole.iter_mut().zip(eights) {
            *values = sums.each_ref().map(|sums| sums[channel].single());
        }
        for (value, sums) in rest.iter_mut().zip(last) {
            *value = sums[channel].single();
        }
    }
}

/// Fills in a row of boxes of `N` columns; the last may be shorter.
fn fill_boxes<S: Sum, const C: usize, const N: usize>(
    boxes: &mut [i16],
    padded: usize,
    sums: &[[S; C]],
    scale: u64,
) {
    let (whole, last) = sums.as_chunks::<N>();
    for (index, held) in whole.iter().enumerate() {
        fill_box(boxes, padded, index, held, scale);
    }
    if !last.is_empty() {
        fill_box(boxes, padded, whole.len(), last, scale);
    }
}

/// Stores the mean of box `index` of each channel, given the sums of the box's columns.
#[inline]
fn fill_box<S: Sum, const C: usize>(
    boxes: &mut [i16],
    padded: usize,
    index: usize,
    held: &[[S; C]],
    scale: u64,
) {
    let mut totals = [0; C];
    for sums in held {
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total += (*sum).into();
        }
    }
    for (boxes, total) in boxes.chunks_exact_mut(padded).zip(totals) {
        boxes[index] = mean(total, scale);
    }
}

/// `UNIT / (unit * samples)`, times 2^32.
fn scale(unit: u32, samples: usize) -> u64 {
    let whole = u64::from(unit) * u64::try_from(samples).unwrap_or(u64::MAX);
    (u64::from(UNIT) << 32) / whole.max(1)
}

/// `total * scale / 2^32`, rounded: a mean of at most 255 [`UNIT`]s, because no sum holds more samples than its box.
fn mean(total: u64, scale: u64) -> i16 {
    let mean = (total * scale + (1 << 31)) >> 32;
    i16::try_from(mean).unwrap_or(i16::MAX)
}
