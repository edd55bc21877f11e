//! Huffman codes made for the occurrences of symbols (ITU-T T.81, annexes C and K.2).

/// The longest code that a file can hold.
const LONGEST: usize = 16;

/// A Huffman code for the symbols that occur.
pub(super) struct Code {
    /// How many codes of 1 to 16 bits there are.
    pub(super) counts: [u8; LONGEST],
    /// The symbols in the order of their codes.
    pub(super) symbols: Vec<u8>,
    /// By symbol: the code and its length in bits.
    words: [(u16, u8); 256],
}

impl Code {
    /// The code that takes the fewest bits for these occurrences.
    pub(super) fn best(occurrences: &[u32; 256]) -> Self {
        let mut symbols: Vec<u8> = (0..=u8::MAX)
            .filter(|symbol| occurrences[usize::from(*symbol)] > 0)
            .collect();
        symbols.sort_by_key(|symbol| occurrences[usize::from(*symbol)]);
        let counted = symbols.iter().map(|s| occurrences[usize::from(*s)]);
        let counts = limited(depths(counted.collect()));
        // The rarest have the longest codes.
        symbols.reverse();
        let mut code = Self {
            counts,
            symbols,
            words: [(0, 0); 256],
        };
        code.assign();
        code
    }

    /// The code of a symbol and its length in bits.
    #[inline(always)]
    pub(super) fn word(&self, symbol: u8) -> (u16, u8) {
        self.words[usize::from(symbol)]
    }

    /// Assigns the codes in order of length (C.2).
    fn assign(&mut self) {
        let mut symbols = self.symbols.iter();
        let mut next = 0_u16;
        for (length, count) in (1..).zip(self.counts) {
            for symbol in symbols.by_ref().take(count.into()) {
                self.words[usize::from(*symbol)] = (next, length);
                next += 1;
            }
            next <<= 1;
        }
    }
}

/// The number of leaves at each depth of the Huffman tree of ascending `occurrences`.
///
/// One leaf more, the rarest of all, reserves the code of all ones, which padding may look like.
fn depths(occurrences: Vec<u32>) -> Vec<u32> {
    let leaves = occurrences.len() + 1;
    let mut weights: Vec<u64> = std::iter::once(0)
        .chain(occurrences.into_iter().map(u64::from))
        .collect();
    // Joints are made in order of weight, so that they and the leaves are two queues.
    let (mut leaf, mut joint) = (0, leaves);
    let mut parents = vec![0; 2 * leaves];
    while weights.len() < 2 * leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let from_leaves =
                leaf < leaves && (joint == weights.len() || weights[leaf] <= weights[joint]);
            let rarest = if from_leaves { &mut leaf } else { &mut joint };
            weight += weights[*rarest];
            parents[*rarest] = weights.len();
            *rarest += 1;
        }
        weights.push(weight);
    }
    let mut depths = vec![0; 2 * leaves];
    let mut counts = vec![0; leaves.max(LONGEST + 1)];
    for node in (0..2 * leaves - 2).rev() {
        depths[node] = depths[parents[node]] + 1;
        if node < leaves {
            counts[depths[node]] += 1;
        }
    }
    counts
}

/// The number of codes of 1 to 16 bits, without the reserved one (figures K.3 and K.4).
fn limited(mut counts: Vec<u32>) -> [u8; LONGEST] {
    for depth in (LONGEST + 1..counts.len()).rev() {
        while counts[depth] > 0 {
            // Two siblings: one takes their parent's place, the other becomes the sibling of a leaf higher up.
            let above = (1..depth - 1).rev().find(|d| counts[*d] > 0).unwrap_or(1);
            counts[depth] -= 2;
            counts[depth - 1] += 1;
            counts[above] -= 1;
            counts[above + 1] += 2;
        }
    }
    if let Some(longest) = counts.iter_mut().rev().find(|count| **count > 0) {
        *longest -= 1;
    }
    let mut limited = [0; LONGEST];
    for (limited, count) in limited.iter_mut().zip(&counts[1..]) {
        // At most 256 symbols occur, and never all in one length.
        *limited = u8::try_from(*count).unwrap_or(u8::MAX);
    }
    limited
}
