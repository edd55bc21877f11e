//! The scanlines of a PNG's picture, inflated and unfiltered a few at a time (PNG specification, sections 9 and 10).

use flate2::Crc;

use super::chunks::{Chunk, Chunks};
use super::inflate::{Fault, Inflater, LOOKBACK, ROOM};
use super::unfilter::{AT_ONCE, unfilter};
use crate::render::Refusal;

/// The fewest bytes that are inflated before the window is moved: they stay in the cache until they are unfiltered.
const BATCH: usize = 64 * 1024;

/// The most bytes of scanlines that are inflated only so that several are unfiltered at once.
const WIDE: u64 = 512 * 1024;

/// The bytes that are inflated before the window is moved: several scanlines, if the longest of them isn't too long.
fn batch(longest: u64) -> u64 {
    let line = longest + 1;
    let lines = (WIDE / line).clamp(1, AT_ONCE as u64);
    (lines * line).max(BATCH as u64)
}

/// A reader of the scanlines in consecutive IDAT chunks, with a few rows and the inflater's window in memory.
pub(super) struct Scanlines<'a> {
    data: PictureData<'a>,
    inflater: Inflater,
    /// Inflated bytes, of which `start..end` are yet to be unfiltered.
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Unfiltered scanlines, of which `next..unfiltered` are yet to be passed on.
    rows: [Vec<u8>; AT_ONCE],
    next: usize,
    unfiltered: usize,
    above: Vec<u8>,
    /// Bytes in a whole pixel, at least 1.
    pixel: usize,
}

impl<'a> Scanlines<'a> {
    /// `first` is the first IDAT chunk, `rest` follows it, and `longest` is the longest scanline's length, unfiltered.
    pub(super) fn new(first: Chunk<'a>, rest: Chunks<'a>, longest: usize, pixel: usize) -> Self {
        let batch = usize::try_from(batch(longest as u64)).unwrap_or(usize::MAX);
        Self {
            data: PictureData::new(first, rest),
            inflater: Inflater::new(),
            window: vec![0; LOOKBACK + batch + ROOM],
            start: 0,
            end: 0,
            rows: std::array::from_fn(|_| vec![0; longest]),
            next: 0,
            unfiltered: 0,
            above: vec![0; longest],
            pixel,
        }
    }

    /// The heap that a reader takes for scanlines of up to `longest` bytes.
    pub(super) fn memory_bytes(longest: u64) -> u64 {
        let inflater = (LOOKBACK + ROOM + Inflater::MEMORY) as u64;
        longest * (AT_ONCE as u64 + 1) + batch(longest) + inflater
    }

    /// Starts a pass: its first scanline has none above it.
    pub(super) fn start_pass(&mut self) {
        (self.next, self.unfiltered) = (0, 0);
        self.above.fill(0);
    }

    /// The next scanline of `length` bytes, without its filter byte, of the `left` that are left of its pass.
    pub(super) fn next(&mut self, length: usize, left: usize) -> Result<&[u8], Refusal> {
        if self.next == self.unfiltered {
            self.unfilter(length, left)?;
        }
        self.next += 1;
        Ok(&self.rows[self.next - 1][..length])
    }

    /// Unfilters the next scanline, and others with it if that is faster.
    fn unfilter(&mut self, length: usize, left: usize) -> Result<(), Refusal> {
        let line = 1 + length;
        let held = (self.window.len() - LOOKBACK - ROOM) / line;
        let wanted = line * left.min(held).min(AT_ONCE);
        while self.end - self.start < wanted {
            self.inflate()?;
        }
        if let Some(last) = self.unfiltered.checked_sub(1) {
            std::mem::swap(&mut self.above, &mut self.rows[last]);
        }
        let coded = &self.window[self.start..self.start + wanted];
        let rows = self.rows.each_mut().map(|row| &mut row[..length]);
        self.unfiltered = unfilter(coded, self.pixel, &self.above[..length], rows);
        if self.unfiltered == 0 {
            return Err(Refusal::Corrupt(format!("scanline filter {}", coded[0])));
        }
        self.next = 0;
        self.start += self.unfiltered * line;
        Ok(())
    }

    /// Checks what follows the last scanline: the checksum of the stream and those of the chunks.
    ///
    /// Surplus data and its checksum are ignored, as by viewers.
    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        self.start = self.end;
        while self.start == self.end && !self.inflater.is_done() {
            self.inflate()?;
        }
        while self.data.advance()? {}
        Ok(())
    }

    /// Inflates more into the window. It may give no byte, but then it takes some, or the stream ends.
    fn inflate(&mut self) -> Result<(), Refusal> {
        if self.inflater.is_done() {
            return Err(Refusal::Corrupt(
                "less picture data than the header says".to_owned(),
            ));
        }
        self.make_room();
        let input = self.inflater.input();
        while input.wants_more() {
            if self.data.piece.is_empty() && !self.data.advance()? {
                input.complete();
                break;
            }
            let taken = input.append(self.data.piece);
            self.data.piece = self.data.piece.get(taken..).unwrap_or_default();
        }
        let end = self.inflater.inflate(&mut self.window, self.end);
        self.end = end.map_err(|fault| self.data.refusal(fault))?;
        Ok(())
    }

    /// Moves the lookback and what is yet to be unfiltered to the window's start, once there is no more room.
    fn make_room(&mut self) {
        if self.window.len() - self.end < ROOM {
            let kept = self.start.min(self.end.saturating_sub(LOOKBACK));
            self.window.copy_within(kept..self.end, 0);
            self.start -= kept;
            self.end -= kept;
        }
    }
}

/// The content of consecutive IDAT chunks in small pieces, each chunk checked against its checksum at its end.
struct PictureData<'a> {
    /// What the inflater may read now.
    piece: &'a [u8],
    /// What is left of the chunk after the piece.
    content: &'a [u8],
    checksum: Option<u32>,
    sum: Crc,
    rest: Chunks<'a>,
}

impl<'a> PictureData<'a> {
    /// Small enough to stay in the cache between checksum and inflater.
    const PIECE: usize = 16 * 1024;

    fn new(first: Chunk<'a>, rest: Chunks<'a>) -> Self {
        let mut data = Self {
            piece: &[],
            content: &[],
            checksum: None,
            sum: Crc::new(),
            rest,
        };
        data.open(first);
        data
    }

    fn open(&mut self, chunk: Chunk<'a>) {
        self.content = chunk.content;
        self.checksum = chunk.checksum();
        self.sum.reset();
        self.sum.update(&chunk.kind);
    }

    /// Takes the next piece; false after the last.
    fn advance(&mut self) -> Result<bool, Refusal> {
        while self.content.is_empty() {
            match self.checksum {
                None => return Err(Refusal::Truncated),
                Some(checksum) if checksum != self.sum.sum() => {
                    return Err(Refusal::Corrupt(
                        "wrong checksum of an IDAT chunk".to_owned(),
                    ));
                }
                Some(_) => {}
            }
            match self.rest.clone().next() {
                Some(chunk) if chunk.kind == *b"IDAT" => {
                    self.rest.next();
                    self.open(chunk);
                }
                _ => return Ok(false),
            }
        }
        let (piece, content) = self.content.split_at(self.content.len().min(Self::PIECE));
        self.sum.update(piece);
        (self.piece, self.content) = (piece, content);
        Ok(true)
    }

    /// Why it can't be inflated. Where data is wanting, the file ends, or something else follows.
    fn refusal(&self, fault: Fault) -> Refusal {
        Refusal::Corrupt(match fault {
            Fault::Cut if self.rest.clone().next().is_none() => return Refusal::Truncated,
            Fault::Cut => "less picture data than the header says".to_owned(),
            Fault::Corrupt(what) => format!("picture data: {what}"),
            Fault::WrongChecksum => "wrong checksum of the picture data".to_owned(),
        })
    }
}
