//! The scan header (ITU-T T.81, B.2.3) and the order of a scan's blocks (A.2).

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

/// What a scan header says.
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

/// Counts the minimum coded units to the next restart marker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Restarts {
    interval: u32,
    left: u32,
    turn: u8,
}

impl Restarts {
    pub(super) fn new(interval: u32) -> Self {
        Self {
            interval,
            left: interval,
            turn: 0,
        }
    }

    /// Counts one unit; the number of the marker if one comes before it.
    #[inline(always)]
    pub(super) fn due(&mut self) -> Option<u8> {
        if self.interval == 0 {
            return None;
        }
        if self.left > 0 {
            self.left -= 1;
            return None;
        }
        self.left = self.interval - 1;
        let turn = self.turn;
        self.turn = (turn + 1) & 7;
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_due_before_every_interval_but_the_first() {
        let mut restarts = Restarts::new(2);
        let due: Vec<_> = (0..7).map(|_| restarts.due()).collect();
        assert_eq!(due, [None, None, Some(0), None, Some(1), None, Some(2)]);
        assert_eq!(Restarts::new(0).due(), None);
    }
}
