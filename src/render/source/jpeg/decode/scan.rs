//! The scan header (ITU-T T.81, B.2.3) and the order of a scan's blocks (A.2).

use std::ops::Range;

use super::{Refusal, header::Header};

/// One component of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScanComponent {
    /// Its index among the frame's components.
    pub(super) index: usize,
    /// The numbers of its Huffman tables.
    pub(super) dc: u8,
    pub(super) ac: u8,
    /// How many blocks of it a minimum coded unit has, across and down.
    pub(super) h: usize,
    pub(super) v: usize,
}

/// A parsed scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) components: Vec<ScanComponent>,
    /// The band of coefficients, in zigzag order, both ends included.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The point transform of the scan before, 0 for a first scan of a band.
    pub(super) high: u32,
    /// The point transform: how many low bits are still missing.
    pub(super) low: u32,
    /// How many minimum coded units there are.
    pub(super) across: u32,
    pub(super) down: u32,
}

impl Scan {
    pub(super) fn read(payload: &[u8], header: &Header) -> Result<Self, Refusal> {
        let corrupt = |what: &str| Refusal::Corrupt(what.into());
        let (&count, rest) = payload
            .split_first()
            .ok_or_else(|| corrupt("JPEG scan header cut short"))?;
        let (named, rest) = rest
            .split_at_checked(2 * usize::from(count))
            .ok_or_else(|| corrupt("JPEG scan header cut short"))?;
        let &[start, end, approximation] = rest
            .try_into()
            .map_err(|_| corrupt("JPEG scan header of a wrong length"))?;
        let interleaved = count > 1;
        let mut components: Vec<ScanComponent> = Vec::with_capacity(4);
        for &[id, tables] in named.as_chunks().0 {
            let index = header
                .components
                .iter()
                .position(|component| component.id == id);
            let index = index.ok_or_else(|| corrupt("JPEG scan of an unknown component"))?;
            if components.iter().any(|component| component.index == index) {
                return Err(corrupt("JPEG scan that names a component twice"));
            }
            let (h, v) = header
                .components
                .get(index)
                .map_or((1, 1), |component| (component.h, component.v));
            let (h, v) = if interleaved {
                (h as usize, v as usize)
            } else {
                (1, 1)
            };
            components.push(ScanComponent {
                index,
                dc: tables >> 4,
                ac: tables & 15,
                h,
                v,
            });
        }
        let first = components
            .first()
            .and_then(|first| header.components.get(first.index));
        let first = first.ok_or_else(|| corrupt("JPEG scan without components"))?;
        let (across, down) = if interleaved {
            header.mcus
        } else {
            (first.blocks_across, first.blocks_down)
        };
        let (start, end) = (u32::from(start), u32::from(end));
        let (high, low) = (u32::from(approximation >> 4), u32::from(approximation & 15));
        Ok(Self {
            components,
            start,
            end,
            high,
            low,
            across,
            down,
        })
    }

    /// Whether it has data of the component.
    pub(super) fn names(&self, index: usize) -> bool {
        let mut components = self.components.iter();
        components.any(|component| component.index == index)
    }

    /// The band of coefficients as a set of bits in zigzag order.
    pub(super) fn band(&self) -> u64 {
        (u64::MAX >> (63 - self.end)) & (u64::MAX << self.start)
    }

    /// How many blocks there are, padding included.
    pub(super) fn blocks(&self) -> u64 {
        let per_unit = self
            .components
            .iter()
            .map(|component| component.h * component.v);
        u64::from(self.across) * u64::from(self.down) * per_unit.sum::<usize>() as u64
    }

    /// Fails unless a progressive frame may have such a scan (G.1.1.1).
    pub(super) fn check_progressive(&self) -> Result<(), Refusal> {
        let dc = self.start == 0;
        let band = if dc {
            self.end == 0
        } else {
            self.end >= self.start && self.end < 64
        };
        if !band || (!dc && self.components.len() > 1) || self.low > 13 {
            return Err(Refusal::Corrupt(
                "JPEG progressive scan of an impossible band".into(),
            ));
        }
        Ok(())
    }
}

/// Minimum coded units of one row that no restart marker interrupts.
///
/// The hot loops run over these, so that they know nothing of markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The number of the restart marker before the run, if there is one.
    pub(super) restart: Option<u8>,
    pub(super) y: usize,
    pub(super) x: Range<usize>,
    pub(super) ends_row: bool,
}

/// The runs of a scan in their order (A.2, E.2.4).
#[derive(Debug, Clone)]
pub(super) struct Runs {
    across: usize,
    down: usize,
    /// Units between restart markers.
    interval: usize,
    x: usize,
    y: usize,
    left: usize,
    /// The number of the next restart marker.
    turn: u8,
}

impl Runs {
    /// `interval` is 0 if there are no restart markers.
    pub(super) fn new(scan: &Scan, interval: u32) -> Self {
        let interval = if interval == 0 {
            usize::MAX
        } else {
            interval as usize
        };
        let (across, down) = (scan.across as usize, scan.down as usize);
        Self {
            across,
            down,
            interval,
            x: 0,
            y: 0,
            left: interval,
            turn: 0,
        }
    }
}

impl Iterator for Runs {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        if self.y == self.down {
            return None;
        }
        let restart = (self.left == 0).then_some(self.turn);
        if restart.is_some() {
            self.left = self.interval;
            self.turn = (self.turn + 1) & 7;
        }
        let end = self.across.min(self.x.saturating_add(self.left));
        let ends_row = end == self.across;
        let run = Run {
            restart,
            y: self.y,
            x: self.x..end,
            ends_row,
        };
        self.left -= end - self.x;
        (self.x, self.y) = if ends_row {
            (0, self.y + 1)
        } else {
            (end, self.y)
        };
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(across: u32, down: u32, interval: u32) -> Vec<(Option<u8>, usize, Range<usize>)> {
        let scan = Scan {
            components: Vec::new(),
            start: 0,
            end: 63,
            high: 0,
            low: 0,
            across,
            down,
        };
        Runs::new(&scan, interval)
            .map(|run| (run.restart, run.y, run.x))
            .collect()
    }

    #[test]
    fn runs_end_with_rows_and_before_restart_markers() {
        assert_eq!(runs(3, 2, 0), [(None, 0, 0..3), (None, 1, 0..3)]);
        assert_eq!(
            runs(3, 2, 2),
            [
                (None, 0, 0..2),
                (Some(0), 0, 2..3),
                (None, 1, 0..1),
                (Some(1), 1, 1..3)
            ]
        );
        assert_eq!(runs(2, 2, 4), [(None, 0, 0..2), (None, 1, 0..2)]);
        assert_eq!(runs(1, 10, 1).last(), Some(&(Some(0), 9, 0..1)));
    }
}
