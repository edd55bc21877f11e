//! Huffman codes (RFC 1951, section 3.2.2).

use std::cmp::Reverse;

/// The lengths of the Huffman codes of symbols that occur as often as `counts` says, none above `limit` bits.
///
/// A symbol that doesn't occur gets 0, but at least two get a code, so that the set is complete.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], limit: u8) -> [u8; N] {
    let mut lengths = [0; N];
    let mut leaves: Vec<_> = counts.iter().zip((0..N).map(Reverse)).collect();
    leaves.sort_unstable();
    // The most frequent two, or the first of the alphabet, are coded even if they don't occur.
    let unused = leaves[..N - 2].partition_point(|(count, _)| **count == 0);
    let leaves = &leaves[unused..];
    let mut weights: Vec<u32> = leaves.iter().map(|(count, _)| **count).collect();
    let mut depths = depths(&weights);
    while depths[0] > limit {
        // Codes get shorter as the weights get more equal.
        for weight in &mut weights {
            *weight = *weight / 2 + 1;
        }
        depths = self::depths(&weights);
    }
    for ((_, Reverse(symbol)), depth) in leaves.iter().zip(depths) {
        lengths[*symbol] = depth;
    }
    lengths
}

/// The depths of the leaves in the Huffman tree of ascending `weights`; they descend.
fn depths(weights: &[u32]) -> Vec<u8> {
    // Nodes are made in ascending order too, so the lightest two are always at the fronts of leaves and nodes.
    let count = weights.len();
    let mut weights = weights.to_vec();
    let mut parents = vec![0; 2 * count - 2];
    let (mut leaf, mut node) = (0, count);
    for parent in count..2 * count - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            let is_leaf = leaf < count && (node == parent || weights[leaf] <= weights[node]);
            let next = if is_leaf { &mut leaf } else { &mut node };
            sum += weights[*next];
            parents[*next] = parent;
            *next += 1;
        }
        weights.push(sum);
    }
    let mut depths = vec![0; 2 * count - 1];
    for (child, parent) in parents.iter().enumerate().rev() {
        depths[child] = depths[*parent] + 1;
    }
    depths.truncate(count);
    depths
}

/// The canonical codes of these lengths, bit-reversed: the first bit is the least significant.
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut counts = [0; 16];
    for length in lengths.iter().filter(|length| **length > 0) {
        counts[usize::from(*length)] += 1;
    }
    let mut next = [0_u16; 16];
    for length in 1..16 {
        next[length] = (next[length - 1] + counts[length - 1]) << 1;
    }
    lengths.map(|length| {
        if length == 0 {
            return 0;
        }
        let code = &mut next[usize::from(length)];
        let packed = code.reverse_bits() >> (16 - length);
        *code += 1;
        packed
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lengths within the limit, of a set that is complete: the Kraft sum is one.
    fn check<const N: usize>(counts: &[u32; N], limit: u8) -> [u8; N] {
        let lengths = lengths(counts, limit);
        let used = lengths.iter().filter(|length| **length > 0);
        let sum: u32 = used.map(|length| 1 << (limit - length)).sum();
        assert_eq!(sum, 1 << limit, "{lengths:?}");
        for (count, length) in counts.iter().zip(lengths) {
            assert!(*count == 0 || length > 0);
        }
        lengths
    }

    #[test]
    fn codes_are_complete_and_within_the_limit() {
        check(&[0; 286], 15);
        check(&[7; 286], 15);
        check(&[7; 19], 7);
        let one: [u32; 286] = std::array::from_fn(|symbol| u32::from(symbol == 100));
        assert_eq!(check(&one, 15)[100], 1);
        let mut pair = (1, 1);
        let fibonacci = std::array::from_fn(|_| {
            pair = (pair.1, pair.0 + pair.1);
            pair.0
        });
        check::<19>(&fibonacci, 7);
        check::<40>(
            &std::array::from_fn(|n| *fibonacci.get(n).unwrap_or(&65_536)),
            15,
        );
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let expected = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111];
        assert_eq!(codes, expected);
    }

    proptest! {
        #[test]
        fn any_counts_have_codes(counts in prop::array::uniform32(0_u32..60_000)) {
            check(&counts, 15);
            check(&counts, 7);
        }
    }
}
