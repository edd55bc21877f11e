//! The coefficients of a macroblock (RFC 6386, section 13).

use super::bool_decoder::{BoolDecoder, branch};
use super::header::Steps;
use super::tables::{Bands, Node};
use super::transform::{Pair, means};

/// The nodes of a kind of block by a coefficient's place in it, and one place more, which is reached but not read.
type Places = [[Node; 3]; 17];

/// The nodes of the four kinds of blocks (section 13.3).
pub(super) struct Nodes([Places; 4]);

/// The band of each place.
const BANDS: [usize; 17] = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0];

/// Where coefficients come in a [`Pair`], which has room for another block between the rows (section 13).
const ZIGZAG: [usize; 16] = {
    let natural = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];
    let mut places = [0; 16];
    let mut index = 0;
    while index < 16 {
        places[index] = natural[index] / 4 * 8 + natural[index] % 4;
        index += 1;
    }
    places
};

/// Luma without its first coefficients, the block of these, chroma, and luma with them.
const LUMA_AFTER_MEANS: usize = 0;
const MEANS: usize = 1;
const CHROMA: usize = 2;
const LUMA: usize = 3;

impl Nodes {
    pub(super) fn new(tokens: &[Bands; 4]) -> Self {
        Self(tokens.map(|bands| BANDS.map(|band| bands[band])))
    }
}

/// Which blocks at a macroblock's edge had coefficients, as 0 or 1: it is the context of the next macroblock's first ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    luma: [u8; 4],
    chroma: [[u8; 2]; 2],
    means: u8,
}

impl Edge {
    /// That of no coefficients, as beyond the picture.
    pub(super) const NONE: Self = Self {
        luma: [0; 4],
        chroma: [[0; 2]; 2],
        means: 0,
    };

    /// That of a macroblock without coefficients. One whose subblocks are predicted says nothing about means.
    pub(super) fn clear(&mut self, has_means: bool) {
        *self = Self {
            means: if has_means { 0 } else { self.means },
            ..Self::NONE
        };
    }
}

/// What pairs of blocks hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    #[default]
    Nothing,
    /// Only the first coefficients.
    First,
    Any,
}

/// A macroblock's coefficients, and later its residue: two blocks side by side each, eight pairs of luma and two each of chroma.
#[derive(Default)]
pub(super) struct Residue {
    pub(super) pairs: [Pair; 12],
    pub(super) contents: [Content; 12],
}

impl Residue {
    /// Reads the coefficients of a macroblock; `self` has only zeros. Says whether any isn't zero.
    pub(super) fn read(
        &mut self,
        bits: &mut BoolDecoder<'_>,
        nodes: &Nodes,
        steps: &Steps,
        has_means: bool,
        (above, left): (&mut Edge, &mut Edge),
    ) -> bool {
        // A copy stays in registers.
        let mut reader = bits.clone();
        let (kind, first) = if has_means {
            let mut block = Pair::default();
            let context = above.means + left.means;
            let end = coefficients(
                &mut reader,
                &nodes.0[MEANS],
                usize::from(context),
                0,
                steps.means,
                &mut block,
                0,
            );
            let any = u8::from(end > 0);
            (above.means, left.means) = (any, any);
            if end > 0 {
                for (pair, [a, b]) in self.pairs.iter_mut().zip(means(&block).as_chunks().0) {
                    (pair.0[0][0], pair.0[0][4]) = (*a, *b);
                }
            }
            (LUMA_AFTER_MEANS, 1)
        } else {
            (LUMA, 0)
        };
        let (luma, chroma) = self.pairs.split_at_mut(8);
        let (luma_contents, chroma_contents) = self.contents.split_at_mut(8);
        for ((pairs, contents), left) in luma
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(luma_contents.as_chunks_mut::<2>().0)
            .zip(&mut left.luma)
        {
            let above = above.luma.as_chunks_mut::<2>().0;
            for ((pair, content), above) in pairs.iter_mut().zip(contents).zip(above) {
                let places = &nodes.0[kind];
                *content = read_pair(&mut reader, places, first, steps.luma, pair, (above, left));
            }
        }
        let edges = above.chroma.iter_mut().zip(&mut left.chroma);
        for ((pairs, contents), (above, left)) in chroma
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(chroma_contents.as_chunks_mut::<2>().0)
            .zip(edges)
        {
            for ((pair, content), left) in pairs.iter_mut().zip(contents).zip(left) {
                let places = &nodes.0[CHROMA];
                *content = read_pair(&mut reader, places, 0, steps.chroma, pair, (above, left));
            }
        }
        *bits = reader;
        self.contents != [Content::Nothing; 12]
    }

    /// Makes all coefficients zero again.
    pub(super) fn clear(&mut self) {
        for (pair, content) in self.pairs.iter_mut().zip(&mut self.contents) {
            if *content != Content::Nothing {
                *pair = Pair::default();
                *content = Content::Nothing;
            }
        }
    }
}

/// Reads two blocks side by side.
#[inline(always)]
fn read_pair(
    bits: &mut BoolDecoder<'_>,
    places: &Places,
    first: usize,
    steps: [i32; 2],
    pair: &mut Pair,
    (above, left): (&mut [u8; 2], &mut u8),
) -> Content {
    let mut furthest = 0;
    for (offset, above) in [0, 4].into_iter().zip(above) {
        let context = usize::from(*above + *left);
        let end = coefficients(bits, places, context, first, steps, pair, offset);
        let any = u8::from(end > first);
        (*above, *left) = (any, any);
        furthest = furthest.max(end);
    }
    if furthest > 1 {
        Content::Any
    } else if pair.0[0][0] != 0 || pair.0[0][4] != 0 {
        Content::First
    } else {
        Content::Nothing
    }
}

/// Reads a block from its coefficient `first` on, and says how many coefficients it has, those before the first included.
#[inline(always)]
fn coefficients(
    bits: &mut BoolDecoder<'_>,
    places: &Places,
    context: usize,
    first: usize,
    [dc, ac]: [i32; 2],
    pair: &mut Pair,
    offset: usize,
) -> usize {
    let values = pair.0.as_flattened_mut();
    let mut place = first;
    let mut nodes = &places[first][context];
    let mut step = if first == 0 { dc } else { ac };
    loop {
        branch!(bits, nodes[0], {}, return place);
        // After a zero the block can't end.
        loop {
            branch!(bits, nodes[1], break, {});
            place += 1;
            step = ac;
            if place >= 16 {
                return 16;
            }
            nodes = &places[place][0];
        }
        let next = &places[place + 1];
        let magnitude = branch!(
            bits,
            nodes[2],
            {
                let magnitude = large(bits, nodes);
                nodes = &next[2];
                magnitude
            },
            {
                nodes = &next[1];
                1
            }
        );
        values[(ZIGZAG[place] + offset) & 31] = coefficient(bits.signed(magnitude) * step);
        place += 1;
        step = ac;
        if place >= 16 {
            return 16;
        }
    }
}

/// A coefficient in the size that all sound files' fit into.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "wraps in broken files only"
)]
fn coefficient(value: i32) -> i16 {
    value as i16
}

/// A magnitude of 2 or more (section 13.2).
#[inline(always)]
fn large(bits: &mut BoolDecoder<'_>, nodes: &Node) -> i32 {
    branch!(bits, nodes[3], {}, {
        branch!(bits, nodes[4], {}, return 2);
        return branch!(bits, nodes[5], 4, 3);
    });
    branch!(bits, nodes[6], {}, {
        return branch!(
            bits,
            nodes[7],
            7 + extra(bits, &[165, 145]),
            5 + extra(bits, &[159])
        );
    });
    branch!(bits, nodes[8], {}, {
        return branch!(
            bits,
            nodes[9],
            19 + extra(bits, &[176, 155, 140, 135]),
            11 + extra(bits, &[173, 148, 140])
        );
    });
    branch!(
        bits,
        nodes[10],
        {},
        return 35 + extra(bits, &[180, 157, 141, 134, 130])
    );
    67 + extra(
        bits,
        &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129],
    )
}

/// The bits that tell a magnitude within its category.
#[inline(always)]
fn extra<const N: usize>(bits: &mut BoolDecoder<'_>, probabilities: &[u8; N]) -> i32 {
    let bit = |bits: &mut BoolDecoder<'_>, probability: &u8| i32::from(bits.read(*probability));
    probabilities
        .iter()
        .fold(0, |value, probability| value << 1 | bit(bits, probability))
}

#[cfg(test)]
mod tests;
