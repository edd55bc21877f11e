//! The head of a block with codes of its own (RFC 1951, section 3.2.7).

use super::Fault;
use super::codes::Codes;
use super::input::Input;

/// The order in which the lengths of the codes for lengths come.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The longest code for a length.
const MAX_LENGTH: usize = 7;

/// The most symbols for literals and lengths, and the most for distances, that a block may name.
const MAX_SYMBOLS: usize = 286;
const MAX_DISTANCES: usize = 30;

/// What the next bits stand for.
#[derive(Clone, Copy, Default)]
struct Meaning {
    symbol: u8,
    /// The bits of its code.
    bits: u8,
}

type Meanings = [Meaning; 1 << MAX_LENGTH];

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
    let meanings = meanings(lengths)?;
    let mut lengths = [0; MAX_SYMBOLS + MAX_DISTANCES];
    let lengths = lengths.get_mut(..symbols + distances).unwrap_or_default();
    read_lengths(input, &meanings, lengths)?;
    let (symbols, distances) = lengths.split_at(symbols);
    codes.set(symbols, distances)
}

/// The symbols by the bits of their codes.
fn meanings(lengths: [u8; ORDER.len()]) -> Result<Meanings, Fault> {
    let mut meanings = [Meaning::default(); 1 << MAX_LENGTH];
    let mut code = 0;
    for bits in 1_u8..=7 {
        let having = (0_u8..).zip(lengths).filter(|(_, length)| *length == bits);
        for (symbol, _) in having {
            // Codes begin at their highest bit, the looked up bits at their lowest.
            let first = usize::from(u8::reverse_bits(u8::try_from(code).unwrap_or_default()) >> 1);
            let places = meanings.iter_mut().skip(first).step_by(1 << bits);
            places.for_each(|place| *place = Meaning { symbol, bits });
            code += 1 << (MAX_LENGTH - usize::from(bits));
            if code > 1 << MAX_LENGTH {
                break;
            }
        }
    }
    if code != 1 << MAX_LENGTH {
        return Err(Fault::Corrupt("an incomplete code for lengths"));
    }
    Ok(meanings)
}

fn read_lengths(input: &mut Input, meanings: &Meanings, lengths: &mut [u8]) -> Result<(), Fault> {
    let mut at = 0;
    let mut previous = None;
    while at < lengths.len() {
        let bits_ahead = input.peek();
        let Meaning { symbol, bits } = meanings[(bits_ahead % (1 << MAX_LENGTH)) as usize];
        input.take(bits.into())?;
        let (length, repeat) = match symbol {
            ..16 => (Some(symbol), 1),
            16 => (previous, 3 + input.take(2)?),
            17 => (Some(0), 3 + input.take(3)?),
            _ => (Some(0), 11 + input.take(7)?),
        };
        let places = lengths.get_mut(at..at + repeat as usize);
        let (Some(length), Some(places)) = (length, places) else {
            return Err(Fault::Corrupt(
                "a repetition of nothing, or beyond the last length",
            ));
        };
        places.fill(length);
        at += repeat as usize;
        previous = Some(length);
    }
    Ok(())
}
