//! The head of a block with codes of its own (RFC 1951, section 3.2.7).

use super::Fault;
use super::codes::{Codes, LengthTable};
use super::input::Input;

/// The order in which the lengths of the codes for lengths come.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The most symbols for literals and lengths, and the most for distances, that a block may name.
const MAX_SYMBOLS: usize = 286;
const MAX_DISTANCES: usize = 30;

/// Reads the codes.
pub(super) fn read(input: &mut Input, codes: &mut Codes) -> Result<(), Fault> {
    let symbols = 257 + input.take(5)? as usize;
    let distances = 1 + input.take(5)? as usize;
    let named = 4 + input.take(4)? as usize;
    if symbols > MAX_SYMBOLS || distances > MAX_DISTANCES {
        return Err(Fault::Corrupt("too many codes"));
    }
    let mut lengths = [0; ORDER.len()];
    for symbol in ORDER.into_iter().take(named) {
        lengths[symbol] = u8::try_from(input.take(3)?).unwrap_or_default();
    }
    codes.set_lengths(&lengths)?;
    let mut lengths = [0; MAX_SYMBOLS + MAX_DISTANCES];
    let lengths = lengths.get_mut(..symbols + distances).unwrap_or_default();
    read_lengths(input, &codes.lengths, lengths)?;
    let (symbols, distances) = lengths.split_at(symbols);
    codes.set(symbols, distances)
}

fn read_lengths(input: &mut Input, code: &LengthTable, lengths: &mut [u8]) -> Result<(), Fault> {
    let mut at = 0;
    let mut previous = None;
    while at < lengths.len() {
        let entry = code.first(input.peek());
        input.take(entry.bits())?;
        let (length, repeat) = if entry.is_literal() {
            let [length, _] = entry.literals();
            (Some(length), 1)
        } else {
            let repeat = entry.value(input.peek());
            input.take(entry.extra())?;
            (
                if entry.repeats_previous() {
                    previous
                } else {
                    Some(0)
                },
                repeat,
            )
        };
        let places = lengths.get_mut(at..at + repeat);
        let (Some(length), Some(places)) = (length, places) else {
            return Err(Fault::Corrupt(
                "a repetition of nothing, or beyond the last length",
            ));
        };
        places.fill(length);
        at += repeat;
        previous = Some(length);
    }
    Ok(())
}
