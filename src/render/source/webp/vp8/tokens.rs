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
        let planes = above.chroma.iter_mut().zip(&mut left.chroma);
        for ((pairs, contents), (above, left)) in chroma
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(chroma_contents.as_chunks_mut::<2>().0)
            .zip(planes)
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
mod tests {
    use super::super::coder::{PlainDecoder, Random};
    use super::super::tables::TOKENS;
    use super::super::transform::Pair;
    use super::*;

    /// The tree of section 13.2: 11 ends the block, 0 to 4 are values, 5 to 10 are categories.
    const TREE: [i8; 22] = [
        -11, 2, 0, 4, -1, 6, 8, 12, -2, 10, -3, -4, 14, 16, -5, -6, 18, 20, -7, -8, -9, -10,
    ];
    const CATEGORIES: [(i32, &[u8]); 6] = [
        (5, &[159]),
        (7, &[165, 145]),
        (11, &[173, 148, 140]),
        (19, &[176, 155, 140, 135]),
        (35, &[180, 157, 141, 134, 130]),
        (67, &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129]),
    ];
    const NATURAL: [usize; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

    /// A block as the specification reads it, and whether it has any coefficients.
    fn plain_block(
        bits: &mut PlainDecoder<'_>,
        (kind, first): (usize, usize),
        context: u8,
        steps: [i32; 2],
    ) -> ([i32; 16], bool) {
        let (mut block, mut any, mut context, mut start) = ([0; 16], false, context, 0);
        for place in first..16 {
            let nodes = &TOKENS[kind][BANDS[place]][usize::from(context)];
            let token = bits.tree(&TREE, nodes, start);
            if token == 11 {
                break;
            }
            any = true;
            let magnitude = match usize::try_from(token).unwrap() {
                value @ 0..=4 => i32::try_from(value).unwrap(),
                category => {
                    let (base, extra) = CATEGORIES[category - 5];
                    let bits = extra.iter().map(|probability| bits.read(*probability));
                    base + bits.fold(0, |value, bit| value << 1 | i32::from(bit))
                }
            };
            (context, start) = (u8::try_from(magnitude.min(2)).unwrap(), 0);
            if magnitude == 0 {
                start = 2;
                continue;
            }
            let value = if bits.read(128) {
                -magnitude
            } else {
                magnitude
            };
            block[NATURAL[place]] = value * steps[usize::from(place > 0)];
        }
        (block, any)
    }

    fn halves(pair: &Pair) -> [[i32; 16]; 2] {
        [0, 4].map(|offset| {
            std::array::from_fn(|index| i32::from(pair.0[index / 4][offset + index % 4]))
        })
    }

    #[test]
    fn coefficients_are_read_as_the_specification_reads_them() {
        let mut random = Random(4);
        let partition = random.bytes(120_000);
        let (mut bits, mut plain) = (BoolDecoder::new(&partition), PlainDecoder::new(&partition));
        let nodes = Nodes::new(&TOKENS);
        let steps = Steps {
            luma: [5, 7],
            means: [8, 9],
            chroma: [3, 4],
        };
        let (mut above, mut left) = (Edge::NONE, Edge::NONE);
        // Contexts of means, luma, blue and red differences.
        let (mut tops, mut sides) = ([[0_u8; 4]; 4], [[0_u8; 4]; 4]);
        for number in 0..60 {
            let has_means = number % 3 > 0;
            let mut residue = Residue::default();
            residue.read(
                &mut bits,
                &nodes,
                &steps,
                has_means,
                (&mut above, &mut left),
            );
            let mut block = |plane: usize, kind, x: usize, y: usize, steps| {
                let context = tops[plane][x] + sides[plane][y];
                let (block, any) = plain_block(&mut plain, kind, context, steps);
                (tops[plane][x], sides[plane][y]) = (u8::from(any), u8::from(any));
                block
            };
            let mut firsts = None;
            if has_means {
                let coded = block(0, (MEANS, 0), 0, 0, steps.means);
                let mut pair = Pair::default();
                for (index, value) in coded.into_iter().enumerate() {
                    pair.0[index / 4][index % 4] = i16::try_from(value).unwrap();
                }
                firsts = Some(means(&pair));
            }
            let kind = if has_means {
                (LUMA_AFTER_MEANS, 1)
            } else {
                (LUMA, 0)
            };
            for index in 0..16 {
                let mut expected = block(1, kind, index % 4, index / 4, steps.luma);
                if let Some(firsts) = firsts {
                    expected[0] = firsts[index].into();
                }
                assert_eq!(
                    halves(&residue.pairs[index / 2])[index % 2],
                    expected,
                    "{number}"
                );
            }
            for index in 0..8 {
                let (x, y) = (index % 2, index % 4 / 2);
                let expected = block(2 + index / 4, (CHROMA, 0), x, y, steps.chroma);
                assert_eq!(
                    halves(&residue.pairs[8 + index / 2])[index % 2],
                    expected,
                    "{number}"
                );
            }
            for (pair, content) in residue.pairs.iter().zip(residue.contents) {
                let [a, b] = halves(pair);
                let rest = a[1..].iter().chain(&b[1..]).any(|value| *value != 0);
                assert!(content == Content::Any || !rest);
                assert!(content != Content::Nothing || *pair == Pair::default());
            }
            residue.clear();
            assert!(residue.pairs == [Pair::default(); 12]);
        }
        assert!(!plain.input.is_empty());
    }

    #[test]
    fn macroblocks_without_coefficients_keep_the_context_of_means_they_do_not_have() {
        let coded = Edge {
            luma: [1; 4],
            chroma: [[1; 2]; 2],
            means: 1,
        };
        let (mut with, mut without) = (coded, coded);
        with.clear(true);
        without.clear(false);
        assert_eq!(with, Edge::NONE);
        assert_eq!(
            without,
            Edge {
                means: 1,
                ..Edge::NONE
            }
        );
    }
}
