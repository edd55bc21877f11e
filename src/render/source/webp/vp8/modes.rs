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
