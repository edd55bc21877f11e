//! How macroblocks are predicted (RFC 6386, section 11).

use super::bool_decoder::{BoolDecoder, branch};
use super::tables::SUBBLOCK_MODES;

/// How a block of luma or chroma is predicted whole (section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The mean of what is above and to the left.
    Mean,
    /// The row above.
    Vertical,
    /// The column to the left.
    Horizontal,
    /// The row above and the column to the left, as planes continue.
    TrueMotion,
}

/// How a subblock of luma is predicted (section 11.2); the numbers are those of the table of probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SubblockMode {
    #[default]
    Mean,
    TrueMotion,
    Vertical,
    Horizontal,
    LeftDown,
    RightDown,
    VerticalRight,
    VerticalLeft,
    HorizontalDown,
    HorizontalUp,
}

/// How a macroblock's luma is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Luma {
    Whole(Mode),
    Subblocks([SubblockMode; 16]),
}

/// What the first partition says of a macroblock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modes {
    pub(super) segment: usize,
    /// Whether coefficients follow.
    pub(super) coded: bool,
    pub(super) luma: Luma,
    pub(super) chroma: Mode,
}

/// The modes of the subblocks at a macroblock's edge, which tell those of the next macroblock's.
pub(super) type Edge = [SubblockMode; 4];

impl Modes {
    /// Reads the next macroblock's modes, given the header's probabilities of its segment and of its coefficients, and keeps its
    /// edges (section 19.3).
    pub(super) fn read(
        bits: &mut BoolDecoder<'_>,
        (segment_tree, coded): (Option<[u8; 3]>, Option<u8>),
        above: &mut Edge,
        left: &mut Edge,
    ) -> Self {
        let segment = segment_tree.map_or(0, |[first, low, high]| {
            if bits.read(first) {
                2 + usize::from(bits.read(high))
            } else {
                usize::from(bits.read(low))
            }
        });
        let skipped = coded.is_some_and(|coded| bits.read(coded));
        Self {
            segment,
            coded: !skipped,
            luma: luma(bits, above, left),
            chroma: chroma(bits),
        }
    }
}

/// Section 11.2 and 11.3.
fn luma(bits: &mut BoolDecoder<'_>, above: &mut Edge, left: &mut Edge) -> Luma {
    if !bits.read(145) {
        let mut modes = [[SubblockMode::Mean; 4]; 4];
        // A copy stays in registers.
        let mut reader = bits.clone();
        for (row, left) in modes.iter_mut().zip(left) {
            for (mode, above) in row.iter_mut().zip(&mut *above) {
                *mode = subblock(&mut reader, *above, *left);
                (*above, *left) = (*mode, *mode);
            }
        }
        *bits = reader;
        let mut all = [SubblockMode::Mean; 16];
        all.copy_from_slice(modes.as_flattened());
        return Luma::Subblocks(all);
    }
    let (mode, edge) = if !bits.read(156) {
        if bits.read(163) {
            (Mode::Vertical, SubblockMode::Vertical)
        } else {
            (Mode::Mean, SubblockMode::Mean)
        }
    } else if bits.read(128) {
        (Mode::TrueMotion, SubblockMode::TrueMotion)
    } else {
        (Mode::Horizontal, SubblockMode::Horizontal)
    };
    (*above, *left) = ([edge; 4], [edge; 4]);
    Luma::Whole(mode)
}

/// Section 11.4.
fn chroma(bits: &mut BoolDecoder<'_>) -> Mode {
    if !bits.read(142) {
        Mode::Mean
    } else if !bits.read(114) {
        Mode::Vertical
    } else if !bits.read(183) {
        Mode::Horizontal
    } else {
        Mode::TrueMotion
    }
}

/// The tree of section 11.2, with the probabilities of section 11.5.
#[inline(always)]
fn subblock(bits: &mut BoolDecoder<'_>, above: SubblockMode, left: SubblockMode) -> SubblockMode {
    let nodes = &SUBBLOCK_MODES[above as usize][left as usize];
    branch!(bits, nodes[0], {}, return SubblockMode::Mean);
    branch!(bits, nodes[1], {}, return SubblockMode::TrueMotion);
    branch!(bits, nodes[2], {}, return SubblockMode::Vertical);
    branch!(bits, nodes[3], {}, {
        branch!(bits, nodes[4], {}, return SubblockMode::Horizontal);
        branch!(bits, nodes[5], {}, return SubblockMode::RightDown);
        return SubblockMode::VerticalRight;
    });
    branch!(bits, nodes[6], {}, return SubblockMode::LeftDown);
    branch!(bits, nodes[7], {}, return SubblockMode::VerticalLeft);
    branch!(bits, nodes[8], {}, return SubblockMode::HorizontalDown);
    SubblockMode::HorizontalUp
}

#[cfg(test)]
mod tests {
    use super::super::coder::{PlainDecoder, Random};
    use super::*;

    /// The trees of sections 10 and 11; of modes, the order is that of [`Mode`], and 4 is that subblocks are predicted.
    const SEGMENTS: [i8; 6] = [2, 4, 0, -1, -2, -3];
    const LUMA: [i8; 8] = [-4, 2, 4, 6, 0, -1, -2, -3];
    const CHROMA: [i8; 6] = [0, 2, -1, 4, -2, -3];
    const SUBBLOCKS: [i8; 18] = [
        0, 2, -1, 4, -2, 6, 8, 12, -3, 10, -5, -6, -4, 14, -7, 16, -8, -9,
    ];
    const MODES: [Mode; 4] = [
        Mode::Mean,
        Mode::Vertical,
        Mode::Horizontal,
        Mode::TrueMotion,
    ];

    #[test]
    fn modes_are_read_by_the_trees_of_the_specification() {
        let mut random = Random(3);
        let partition = random.bytes(6000);
        let (mut bits, mut plain) = (BoolDecoder::new(&partition), PlainDecoder::new(&partition));
        let (mut above, mut left) = (Edge::default(), Edge::default());
        let (mut plain_above, mut plain_left) = ([0_i8; 4], [0_i8; 4]);
        for _ in 0..400 {
            let modes = Modes::read(
                &mut bits,
                (Some([90, 7, 200]), Some(180)),
                &mut above,
                &mut left,
            );
            let segment = plain.tree(&SEGMENTS, &[90, 7, 200], 0);
            let skipped = plain.read(180);
            assert_eq!(modes.segment, usize::try_from(segment).unwrap());
            assert_eq!(modes.coded, !skipped);
            let luma = plain.tree(&LUMA, &[145, 156, 163, 128], 0);
            match modes.luma {
                Luma::Whole(mode) => {
                    let number = usize::try_from(luma).unwrap();
                    assert_eq!(mode, MODES[number]);
                    let edge = [0, 2, 3, 1][number];
                    (plain_above, plain_left) = ([edge; 4], [edge; 4]);
                }
                Luma::Subblocks(subblocks) => {
                    assert_eq!(luma, 4);
                    for (index, mode) in subblocks.into_iter().enumerate() {
                        let (x, y) = (index % 4, index / 4);
                        let [above, left] = [plain_above[x], plain_left[y]]
                            .map(|mode| usize::try_from(mode).unwrap());
                        let read = plain.tree(&SUBBLOCKS, &SUBBLOCK_MODES[above][left], 0);
                        assert_eq!(mode as i8, read);
                        (plain_above[x], plain_left[y]) = (read, read);
                    }
                }
            }
            let chroma = plain.tree(&CHROMA, &[142, 114, 183], 0);
            assert_eq!(modes.chroma, MODES[usize::try_from(chroma).unwrap()]);
        }
        assert!(!plain.input.is_empty());
    }

    #[test]
    fn what_the_header_does_not_announce_is_not_read() {
        // Ones: the last value of each tree.
        let partition = [0xFE; 9];
        let (mut above, mut left) = (Edge::default(), Edge::default());
        let mut bits = BoolDecoder::new(&partition);
        let modes = Modes::read(&mut bits, (None, None), &mut above, &mut left);
        assert_eq!((modes.segment, modes.coded), (0, true));
        assert_eq!(modes.luma, Luma::Whole(Mode::TrueMotion));
        assert_eq!([above, left], [[SubblockMode::TrueMotion; 4]; 2]);
    }
}
