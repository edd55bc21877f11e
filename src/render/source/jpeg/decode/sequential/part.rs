//! A part of an entropy-coded segment, and where its blocks begin.

use crate::render::heap::boxed;

/// The most blocks of a part.
pub(super) const MAX_BLOCKS: usize = 4 << 10;

/// From how many blocks on a part is left as it is: a turn of the loop adds a block with each lookup.
pub(super) const MAX_COUNT: usize = MAX_BLOCKS - 8;

/// A block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row {
    /// Where it begins, in bits.
    pub(super) start: u32,
    /// Where the entries begin for the rest of the block before it, and in the upper half those for its start.
    pub(super) tables: u32,
}

/// A part of the segment: where its blocks begin.
#[derive(Debug)]
pub(super) struct Part {
    /// `rows[..=count]` are its blocks and the next.
    pub(super) rows: Box<[Row; MAX_BLOCKS + 1]>,
    pub(super) count: usize,
    /// The place in the unit of the first block.
    pub(super) first: usize,
    /// The value of `first` that the tables of `rows` are for.
    pub(super) tables_of: Option<usize>,
    /// Where the decoder is, and `coefficients << 8` of the block so far.
    pub(super) at: u32,
    pub(super) place: u32,
    /// Where it may stop.
    pub(super) limit: u32,
}

impl Part {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = size_of::<[Row; MAX_BLOCKS + 1]>();

    pub(super) fn new() -> Self {
        Self {
            rows: boxed(Row::default()),
            count: 0,
            first: 0,
            tables_of: None,
            at: 0,
            place: 0,
            limit: 0,
        }
    }

    /// Begins with a block at `at`, whose place in the unit is `turn`.
    pub(super) fn begin(&mut self, at: u32, turn: usize, limit: u32) {
        self.rows[0].start = at;
        self.count = 0;
        self.first = turn;
        self.at = at;
        self.place = 0;
        self.limit = limit;
    }

    /// Whether it reaches its limit, or has all the blocks that there is room for.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.limit || self.count >= MAX_COUNT
    }

    /// Gives up: what was found so far remains.
    pub(super) fn stop(&mut self) {
        self.limit = 0;
    }

    /// Where this part, from its block `from` on, comes upon a block of `other`: the numbers of both.
    ///
    /// That block must begin at the same bit, and in the same place of a unit, whose tables come again after `period`
    /// blocks, so that the same tables decode it: then all that follows is the same too. Bits from `total` on don't count.
    pub(super) fn meets(
        &self,
        from: usize,
        other: &Self,
        period: usize,
        total: u32,
    ) -> Option<(usize, usize)> {
        let mut own = (from..).zip(self.rows.get(from..=self.count)?).peekable();
        for (theirs, &Row { start, .. }) in (0..).zip(other.rows.get(..=other.count)?) {
            if start > total {
                return None;
            }
            while own.next_if(|(_, own)| own.start < start).is_some() {}
            let &(
                own,
                &Row {
                    start: own_start, ..
                },
            ) = own.peek()?;
            if own_start == start && (self.first + own) % period == (other.first + theirs) % period
            {
                return Some((own, theirs));
            }
        }
        None
    }

    /// Begins anew behind the byte that can't be decoded.
    pub(super) fn retry(&mut self) {
        self.begin((self.at | 7) + 1, 0, self.limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(first: usize, starts: &[u32]) -> Part {
        let mut part = Part::new();
        part.begin(0, first, 100);
        for (row, &start) in part.rows.iter_mut().zip(starts) {
            row.start = start;
        }
        part.count = starts.len() - 1;
        part
    }

    #[test]
    fn parts_meet_at_the_same_bit_and_place_before_the_end() {
        let meet = |first, total| {
            let own = part(first, &[5, 20, 30, 31, 47, 60]);
            own.meets(1, &part(0, &[20, 33, 47, 60]), 3, total)
        };
        // Both are at bit 20 in different places of a unit of three, at 47 and 60 in the same.
        assert_eq!(meet(1, 60), Some((4, 2)));
        assert_eq!(meet(1, 47), Some((4, 2)));
        assert_eq!(meet(1, 46), None);
        assert_eq!(meet(0, 60), None);
        assert_eq!(part(0, &[5, 20]).meets(0, &part(0, &[33]), 1, 60), None);
    }
}
