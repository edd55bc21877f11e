use super::super::ahead::Ahead;
use super::super::symbols::Matches;
use super::*;

/// An inflater at the first symbol of a last block.
fn at_first_symbol(data: &[u8]) -> Inflater {
    let mut inflater = Inflater::new();
    assert_eq!(inflater.input.append(data), data.len());
    inflater.input.complete();
    inflater.read_head().unwrap();
    inflater.read_block().unwrap();
    inflater
}

#[test]
fn parts_of_a_block_are_joined_where_they_meet() {
    const PART: usize = 12_345;
    let bytes = Noise(4).residues(30_000);
    let mut inflater = at_first_symbol(&deflated(&bytes, 6));
    let (at, limit) = (inflater.input.at(), inflater.input.limit());
    let mut window = vec![0; ROOM];
    let (codes, input) = (&inflater.codes, inflater.input.bytes());
    let reached = inflater
        .ahead
        .decode(codes, input, (at, PART, limit), &mut window, 0);
    assert!(reached.at >= at + 3 * PART);
    assert!(reached.end > 3 * PART / 8 && window[..reached.end] == bytes[..reached.end]);
}

#[test]
fn parts_that_never_meet_are_dropped_and_no_longer_tried() {
    // All codes have four bits, so that a part which begins between them stays there.
    const PART: usize = 8193;
    let mut noise = Noise(5);
    let bytes: Vec<u8> = (0..60_000)
        .map(|_| u8::try_from(noise.next(15)).unwrap())
        .collect();
    let head = (0..15).fold(Bits::head(257, 1, 1, 4), |head, _| head.code("10"));
    let head = head.zeros(138).zeros(103).code("10").code("00");
    let block = bytes
        .iter()
        .fold(head, |block, byte| block.code(&format!("{byte:04b}")));
    let data = block.code("1111").data(&bytes);
    assert!(inflated(&data, usize::MAX) == Ok(bytes.clone()));

    let mut inflater = at_first_symbol(&data);
    let mut window = vec![0; LOOKBACK + ROOM];
    let (mut at, mut end) = (inflater.input.at(), 0);
    let limit = inflater.input.limit();
    let (codes, input) = (&inflater.codes, inflater.input.bytes());
    for _ in 0..4 {
        inflater.ahead.learn(40_000, 8000, Matches::default());
        assert!(inflater.ahead.part_bits(100_000, limit).is_some());
        let reached = inflater
            .ahead
            .decode(codes, input, (at, PART, limit), &mut window, end);
        assert!(reached.at > at && reached.at < at + 2 * PART);
        (at, end) = (reached.at, reached.end);
        assert!(window[..end] == bytes[..end]);
    }
    assert_eq!(inflater.ahead.part_bits(100_000, limit), None);
}

#[test]
fn it_is_looked_ahead_only_where_nearly_all_symbols_are_literals() {
    let mut ahead = Ahead::new();
    let few = Matches {
        count: 10,
        length: 100,
    };
    let many = Matches {
        count: 200,
        length: 2000,
    };
    ahead.learn(40_000, 8000, many);
    assert_eq!(ahead.part_bits(100_000, 500_000), None);
    ahead.learn(40_000, 8000, few);
    // A third of what the block is taken to be long yet, or of what can be seen, or as much as a part has room for.
    assert_eq!(ahead.part_bits(90_000, 500_000), Some(30_000));
    assert_eq!(ahead.part_bits(90_000, 60_000), Some(20_000));
    assert_eq!(ahead.part_bits(900_000, 900_000), Some(12 * 1024 * 5));
    ahead.end_block(90_000);
    ahead.begin_block(100_000);
    assert_eq!(ahead.part_bits(100_000, 500_000), Some(30_000));
    assert_eq!(
        ahead.part_bits(180_000, 500_000),
        None,
        "too little of it is left"
    );
    ahead.learn(500, 100, many);
    assert!(
        ahead.part_bits(100_000, 500_000).is_some(),
        "nothing is learnt from few bytes"
    );
}
