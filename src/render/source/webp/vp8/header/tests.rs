use super::super::coder::BoolEncoder;
use super::*;

/// What the first partition says, by what tests vary.
#[derive(Clone, Copy)]
struct First {
    colour_space: bool,
    /// Whether segments' values replace the frame's, and those of each.
    segments: Option<(bool, [(i8, i8); 4])>,
    tree: bool,
    adjustments: Option<(i8, i8)>,
    partitions: u8,
    base: u8,
    deltas: [Option<i8>; 5],
}

const PLAIN: First = First {
    colour_space: false,
    segments: None,
    tree: false,
    adjustments: None,
    partitions: 0,
    base: 60,
    deltas: [None; 5],
};

fn coded(first: First) -> Vec<u8> {
    let mut coder = BoolEncoder::new();
    coder.flag(first.colour_space);
    coder.flag(true);
    coder.flag(first.segments.is_some());
    if let Some((absolute, values)) = first.segments {
        coder.flag(first.tree);
        coder.flag(true);
        coder.flag(absolute);
        for (quantizer, _) in values {
            coder.optional(7, Some(quantizer));
        }
        for (_, level) in values {
            coder.optional(6, Some(level));
        }
        if first.tree {
            coder.flag(true);
            coder.literal(8, 33);
            coder.flag(false);
            coder.flag(true);
            coder.literal(8, 44);
        }
    }
    coder.flag(true);
    coder.literal(6, 50);
    coder.literal(3, 5);
    coder.flag(first.adjustments.is_some());
    if let Some((frame, subblocks)) = first.adjustments {
        coder.flag(true);
        for delta in [frame, 9, 9, 9, subblocks, 9, 9, 9] {
            coder.optional(6, Some(delta));
        }
    }
    coder.literal(2, first.partitions);
    coder.literal(7, first.base);
    for delta in first.deltas {
        coder.optional(4, delta);
    }
    coder.flag(true);
    for (index, update) in TOKEN_UPDATES
        .as_flattened()
        .as_flattened()
        .iter()
        .enumerate()
    {
        for (node, probability) in update.iter().enumerate() {
            let updated = (index, node) == (40, 2);
            coder.write(*probability, updated);
            if updated {
                coder.literal(8, 222);
            }
        }
    }
    coder.flag(true);
    coder.literal(8, 77);
    coder.finish()
}

/// A frame of 20 x 9 pixels.
fn frame(first: &[u8], rest: &[u8]) -> Vec<u8> {
    let tag = u32::try_from(first.len()).unwrap() << 5 | 0x10;
    let head = [
        &tag.to_le_bytes()[..3],
        &[0x9D, 0x01, 0x2A, 20, 0x40, 9, 0x80],
    ]
    .concat();
    [&head, first, rest].concat()
}

#[test]
fn a_plain_header_is_read() {
    let file = frame(&coded(PLAIN), &[1, 2, 3]);
    let header = Header::read(&file).unwrap();
    // The upper two bits of each side only scale it for display.
    assert_eq!((header.width, header.height), (20, 9));
    let filter = Filter {
        simple: true,
        level: 50,
        sharpness: 5,
    };
    assert_eq!(header.filter, filter);
    assert_eq!((header.segment_tree, header.coded), (None, Some(77)));
    let steps = Steps {
        luma: [55, 70],
        means: [110, 108],
        chroma: [55, 70],
    };
    for segment in header.segments {
        assert_eq!((segment.steps, segment.levels), (steps, [50; 2]));
    }
    let mut tokens = TOKENS;
    tokens.as_flattened_mut().as_flattened_mut()[40][2] = 222;
    assert_eq!(*header.tokens, tokens);
    assert_eq!(header.partitions.len(), 1);
}

#[test]
fn steps_stay_in_their_ranges() {
    let steps = |base, deltas: [i8; 5]| {
        let first = First {
            base,
            deltas: deltas.map(Some),
            ..PLAIN
        };
        Header::read(&frame(&coded(first), &[])).unwrap().segments[0].steps
    };
    let least = Steps {
        luma: [4, 4],
        means: [8, 8],
        chroma: [4, 4],
    };
    assert_eq!(steps(0, [-15; 5]), least);
    let most = Steps {
        luma: [157, 284],
        means: [314, 440],
        chroma: [132, 284],
    };
    assert_eq!(steps(127, [15; 5]), most);
    let each = Steps {
        luma: [12, 14],
        means: [28, 26],
        chroma: [15, 19],
    };
    assert_eq!(steps(10, [-1, 1, 3, 2, 5]), each);
}

#[test]
fn segments_replace_or_add() {
    let values = [(10, 20), (-70, -60), (127, 63), (0, 0)];
    let segments = |absolute| {
        let first = First {
            segments: Some((absolute, values)),
            tree: true,
            ..PLAIN
        };
        let file = frame(&coded(first), &[]);
        let header = Header::read(&file).unwrap();
        assert_eq!(header.segment_tree, Some([33, 255, 44]));
        header
            .segments
            .map(|segment| (segment.steps.luma[1], segment.levels))
    };
    let absolute = [(14, [20; 2]), (4, [0; 2]), (284, [63; 2]), (4, [0; 2])];
    assert_eq!(segments(true), absolute);
    let added = [(90, [63; 2]), (4, [0; 2]), (284, [63; 2]), (70, [50; 2])];
    assert_eq!(segments(false), added);
}

#[test]
fn the_filter_is_adjusted_for_key_frames_and_subblocks() {
    let levels = |frame_delta, subblocks| {
        let first = First {
            adjustments: Some((frame_delta, subblocks)),
            ..PLAIN
        };
        Header::read(&frame(&coded(first), &[])).unwrap().segments[0].levels
    };
    assert_eq!(levels(3, -5), [53, 48]);
    assert_eq!(levels(63, 0), [63, 63]);
    assert_eq!(levels(-40, -40), [10, 0]);
}

#[test]
fn partitions_are_split_by_their_lengths() {
    let first = First {
        partitions: 1,
        ..PLAIN
    };
    let first = coded(first);
    let file = frame(&first, &[2, 0, 0, 0xF0, 0xF1, 0x10]);
    let mut partitions = Header::read(&file).unwrap().partitions;
    assert_eq!(partitions.len(), 2);
    let starts = [partitions[0].literal(4), partitions[1].literal(4)];
    assert_eq!(
        starts,
        [
            BoolDecoder::new(&[0xF0, 0xF1]).literal(4),
            BoolDecoder::new(&[0x10]).literal(4)
        ]
    );
    // The last may be empty, others must be whole.
    assert!(Header::read(&frame(&first, &[2, 0, 0, 0xF0, 0xF1])).is_ok());
    for rest in [&[2, 0, 0, 0xF0][..], &[2, 0]] {
        let refusal = Header::read(&frame(&first, rest)).err();
        assert!(matches!(refusal, Some(Refusal::Truncated)));
    }
}

#[test]
fn broken_headers_are_refused() {
    let sound = frame(&coded(PLAIN), &[]);
    let with = |at: usize, byte: u8| {
        let mut frame = sound.clone();
        frame[at] = byte;
        Header::read(&frame).err()
    };
    let unsupported = |refusal| matches!(refusal, Some(Refusal::Unsupported(_)));
    let corrupt = |refusal| matches!(refusal, Some(Refusal::Corrupt(_)));
    assert!(unsupported(with(0, sound[0] | 1)), "not a key frame");
    for at in 3..6 {
        assert!(corrupt(with(at, 0)), "start code");
    }
    assert!(corrupt(with(6, 0)), "no columns");
    assert!(corrupt(with(8, 0)), "no rows");
    let other = First {
        colour_space: true,
        ..PLAIN
    };
    assert!(unsupported(Header::read(&frame(&coded(other), &[])).err()));
    for length in 0..sound.len() {
        let cut = Header::read(&sound[..length]);
        assert!(matches!(cut, Err(Refusal::Truncated)), "cut to {length}");
    }
    // A first partition that says less than a header.
    assert!(corrupt(Header::read(&frame(&coded(PLAIN)[..5], &[])).err()));
}
