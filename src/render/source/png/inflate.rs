//! The inflater of picture data (RFC 1950 and RFC 1951): piece by piece into a window that its reader moves on.
//!
//! A block's symbols are decoded one after the other ([`symbols`]), or, where nearly all of them are literals, several
//! parts of the block at once ([`ahead`]): photographs are nearly all literals, and take two thirds of the time that
//! libraries take for them.

mod ahead;
mod codes;
mod copy;
mod entry;
mod input;
mod lanes;
mod lengths;
mod part;
mod symbols;
#[cfg(test)]
mod tests;

use ahead::Ahead;
use codes::Codes;
use input::Input;
use symbols::{Reached, Stop};
use zlib_rs::adler32::adler32;

/// How far back a match may begin.
pub(super) const LOOKBACK: usize = 32 << 10;

/// How much room the window must have at its end.
pub(super) const ROOM: usize = ahead::ROOM;

/// How many bytes are decoded before it is asked anew whether to look ahead.
const STRETCH: usize = 8 << 10;

/// Why data can't be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It ends early.
    Cut,
    /// It breaks the format, as this says.
    Corrupt(&'static str),
    /// The checksum is another.
    WrongChecksum,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Block,
    /// So many bytes of a block that isn't compressed.
    Stored(usize),
    /// Symbols.
    Coded,
    Checksum,
    Done,
}

/// What zlib data stands for, if it is sound and no more than `most` bytes.
pub(super) fn whole(data: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut inflater = Inflater::new();
    let mut window = vec![0; 2 * LOOKBACK + ROOM];
    let (mut rest, mut end, mut whole) = (data, 0, Vec::new());
    while !inflater.is_done() {
        if window.len() - end < ROOM {
            window.copy_within(end - LOOKBACK..end, 0);
            end = LOOKBACK;
        }
        let taken = inflater.input.append(rest);
        rest = rest.get(taken..)?;
        if rest.is_empty() {
            inflater.input.complete();
        }
        let start = end;
        end = inflater.inflate(&mut window, start).ok()?;
        let bytes = window.get(start..end)?;
        if whole.len() + bytes.len() > most {
            return None;
        }
        whole.extend_from_slice(bytes);
    }
    whole.shrink_to_fit();
    Some(whole)
}

/// An inflater of zlib data.
pub(super) struct Inflater {
    input: Input,
    state: State,
    /// Whether the block is the last.
    last: bool,
    codes: Codes,
    ahead: Ahead,
    sum: u32,
}

impl Inflater {
    /// An upper bound of its heap.
    pub(super) const MEMORY: usize = Input::MEMORY + Codes::MEMORY + Ahead::MEMORY;

    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            state: State::Head,
            last: false,
            codes: Codes::new(),
            ahead: Ahead::new(),
            sum: 1,
        }
    }

    /// Whether the data ended, its checksum included.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// What it inflates: more is to be given before each call of [`Self::inflate`], if it wants more.
    pub(super) fn input(&mut self) -> &mut Input {
        &mut self.input
    }

    /// Inflates to the window from `start` on and returns the new end; the window must have [`ROOM`] there.
    ///
    /// The [`LOOKBACK`] before must hold what was inflated last. It writes to the room behind the end too.
    pub(super) fn inflate(&mut self, window: &mut [u8], start: usize) -> Result<usize, Fault> {
        let mut end = start;
        while window.len() - end >= ROOM && !self.input.is_short() {
            match self.state {
                State::Head => self.read_head()?,
                State::Block => self.read_block()?,
                State::Stored(0) => self.end_block(),
                State::Stored(left) => {
                    let copied = self
                        .input
                        .copy(left, window.get_mut(end..).unwrap_or_default());
                    if copied == 0 {
                        return Err(Fault::Cut);
                    }
                    end += copied;
                    self.state = State::Stored(left - copied);
                }
                State::Coded => end = self.decode(window, end)?,
                State::Checksum | State::Done => break,
            }
        }
        self.sum = adler32(self.sum, window.get(start..end).unwrap_or_default());
        if self.state == State::Checksum && !self.input.is_short() {
            self.check()?;
        }
        Ok(end)
    }

    /// The header of all data (RFC 1950, section 2.2). The window is always as large as can be.
    fn read_head(&mut self) -> Result<(), Fault> {
        let method = self.input.take(8)?;
        let flags = self.input.take(8)?;
        let (dictionary, fits) = (flags & 0x20 != 0, (method << 8 | flags) % 31 == 0);
        if method & 15 != 8 || method >> 4 > 7 || dictionary || !fits {
            return Err(Fault::Corrupt("the header"));
        }
        self.state = State::Block;
        Ok(())
    }

    fn read_block(&mut self) -> Result<(), Fault> {
        self.ahead.begin_block(self.input.position());
        self.last = self.input.take(1)? == 1;
        self.state = State::Coded;
        match self.input.take(2)? {
            0 => {
                self.input.align();
                let length = self.input.take(16)?;
                if self.input.take(16)? != !length & 0xFFFF {
                    return Err(Fault::Corrupt("the length of a block"));
                }
                self.state = State::Stored(length as usize);
                Ok(())
            }
            1 => self.codes.set_fixed(),
            2 => lengths::read(&mut self.input, &mut self.codes),
            _ => Err(Fault::Corrupt("an unknown kind of block")),
        }
    }

    fn end_block(&mut self) {
        self.ahead.end_block(self.input.position());
        self.state = if self.last {
            State::Checksum
        } else {
            State::Block
        };
    }

    /// Decodes more of a block.
    fn decode(&mut self, window: &mut [u8], end: usize) -> Result<usize, Fault> {
        let (at, limit) = (self.input.at(), self.input.limit());
        let available = limit.saturating_sub(at);
        let (codes, bytes) = (&self.codes, self.input.bytes());
        let reached =
            if let Some(part_bits) = self.ahead.part_bits(self.input.position(), available) {
                let place = (at, part_bits, limit);
                self.ahead.decode(codes, bytes, place, window, end)
            } else {
                let most = end + STRETCH;
                let (reached, matches) =
                    symbols::decode(codes, bytes, (at, limit), window, (end, most));
                self.ahead
                    .learn(reached.at - at, reached.end - end, matches);
                reached
            };
        let Reached { at, end, stop } = reached;
        self.input.seek(at)?;
        match stop {
            Stop::Within => {}
            Stop::BlockEnd => self.end_block(),
            Stop::Corrupt(fault) => return Err(self.input.cut_or(fault)),
        }
        Ok(end)
    }

    fn check(&mut self) -> Result<(), Fault> {
        self.input.align();
        if self.input.take(32)?.swap_bytes() != self.sum {
            return Err(Fault::WrongChecksum);
        }
        self.state = State::Done;
        Ok(())
    }
}
