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
    [0, 4]
        .map(|offset| std::array::from_fn(|index| i32::from(pair.0[index / 4][offset + index % 4])))
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
