//! Markers and marker segments (ITU-T T.81, B.1.1.2 to B.1.1.4).

use super::Refusal;

pub(super) const SOF0: u8 = 0xC0;
pub(super) const SOF1: u8 = 0xC1;
pub(super) const SOF2: u8 = 0xC2;
pub(super) const DHT: u8 = 0xC4;
pub(super) const JPG: u8 = 0xC8;
pub(super) const SOF9: u8 = 0xC9;
pub(super) const DAC: u8 = 0xCC;
pub(super) const SOF15: u8 = 0xCF;
pub(super) const RST0: u8 = 0xD0;
pub(super) const RST7: u8 = 0xD7;
pub(super) const SOI: u8 = 0xD8;
pub(super) const EOI: u8 = 0xD9;
pub(super) const SOS: u8 = 0xDA;
pub(super) const DQT: u8 = 0xDB;
pub(super) const DRI: u8 = 0xDD;
pub(super) const APP0: u8 = 0xE0;
pub(super) const APP1: u8 = 0xE1;
pub(super) const APP2: u8 = 0xE2;
pub(super) const APP14: u8 = 0xEE;
const TEM: u8 = 0x01;

/// More segments than this are an attack: the longest honest files (extended XMP of 100 MB) have about 1,500.
const MAX_SEGMENTS: u32 = 10_000;

/// One marker with the bytes that its length field announces (none for the markers that stand alone).
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    pub(super) payload: &'a [u8],
    /// Where in the file the marker is.
    pub(super) start: usize,
}

/// The marker segments of a file in their order.
///
/// Behind an SOS segment it searches through the scan's data for the next marker, unless [`Segments::seek`] tells where
/// the data ends.
#[derive(Debug, Clone)]
pub(super) struct Segments<'a> {
    source: &'a [u8],
    position: usize,
    seen: u32,
}

impl<'a> Segments<'a> {
    /// Starts behind the SOI marker.
    pub(super) fn new(source: &'a [u8]) -> Result<Self, Refusal> {
        match source {
            [0xFF, SOI, 0xFF, ..] => Ok(Self {
                source,
                position: 2,
                seen: 0,
            }),
            [0xFF, SOI] => Err(Refusal::Truncated),
            _ => Err(Refusal::NotAnImage),
        }
    }

    /// Where the last segment ends, hence where a scan's data begins.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Continues at `position`.
    pub(super) fn seek(&mut self, position: usize) {
        self.position = position;
    }

    /// The next segment. Restart markers, and bytes before it that are no marker, are skipped as in libjpeg.
    pub(super) fn next(&mut self) -> Result<Segment<'a>, Refusal> {
        let (marker, behind) = loop {
            let (marker, behind) =
                next_marker(self.source, self.position).ok_or(Refusal::Truncated)?;
            self.position = behind;
            if !(RST0..=RST7).contains(&marker) {
                break (marker, behind);
            }
        };
        self.seen += 1;
        if self.seen > MAX_SEGMENTS {
            return Err(Refusal::TooComplex(
                "JPEG with more than 10,000 marker segments",
            ));
        }
        if matches!(marker, SOI | EOI | TEM) {
            return Ok(Segment {
                marker,
                payload: &[],
                start: behind - 2,
            });
        }
        let rest = self.source.get(behind..).unwrap_or_default();
        let (length, _) = rest.split_first_chunk().ok_or(Refusal::Truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length < 2 {
            return Err(Refusal::Corrupt(
                "JPEG segment with a length below 2".into(),
            ));
        }
        let payload = rest.get(2..length).ok_or(Refusal::Truncated)?;
        self.position = behind + length;
        Ok(Segment {
            marker,
            payload,
            start: behind - 2,
        })
    }
}

/// The first marker at or behind `position`, and where the bytes behind it begin.
///
/// A marker is an 0xFF (or several, B.1.1.2) before a byte that is neither 0x00 nor 0xFF. Blocks of 64 bytes are tested
/// as a whole, which is vectorized: that makes it cheap to skip a scan, stuffed 0xFF00 included.
pub(super) fn next_marker(source: &[u8], position: usize) -> Option<(u8, usize)> {
    const BLOCK: usize = 64;
    let mut at = position;
    loop {
        let rest = source.get(at..)?;
        if let (Some(first), Some(second)) = (
            rest.first_chunk::<BLOCK>(),
            rest.get(1..).and_then(|rest| rest.first_chunk::<BLOCK>()),
        ) {
            // Adding 1 makes 0 and 1 of the bytes 0xFF and 0x00.
            let found = first
                .iter()
                .zip(second)
                .fold(0, |found, (&first, &second)| {
                    found | (u8::from(first == 0xFF) & u8::from(second.wrapping_add(1) > 1))
                });
            if found == 0 {
                at += BLOCK;
                continue;
            }
        }
        let found = rest
            .windows(2)
            .take(BLOCK)
            .position(|pair| matches!(pair, [0xFF, 1..=0xFE]));
        if let Some(offset) = found {
            let marker = *rest.get(offset + 1)?;
            return Some((marker, at + offset + 2));
        }
        if rest.len() <= BLOCK {
            return None;
        }
        at += BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_marker_is_found_at_every_offset_behind_stuffing_and_fill() {
        for offset in 0..200 {
            let mut source: Vec<u8> = [0x00, 0xFF, 0x00, 0x17]
                .into_iter()
                .cycle()
                .take(offset)
                .collect();
            source.push(0x00);
            source.extend([0xFF, 0xFF, EOI, 0x00]);
            assert_eq!(next_marker(&source, 0), Some((EOI, offset + 4)));
            source.truncate(offset + 3);
            assert_eq!(next_marker(&source, 0), None);
        }
    }

    #[test]
    fn a_segment_longer_than_the_file_is_truncated() {
        let source = [0xFF, SOI, 0xFF, APP1, 0x00, 0x08, 1, 2, 3];
        assert_eq!(
            Segments::new(&source).unwrap().next().unwrap_err(),
            Refusal::Truncated
        );
    }

    #[test]
    fn restart_markers_and_stray_bytes_are_passed_over() {
        let source = [0xFF, SOI, 0xFF, 0xD1, 7, 7, 0xFF, APP1, 0x00, 0x03, 9];
        let segment = Segments::new(&source).unwrap().next().unwrap();
        assert_eq!((segment.marker, segment.payload), (APP1, &[9_u8][..]));
    }

    #[test]
    fn a_hundred_thousand_segments_are_too_complex() {
        let mut source = vec![0xFF, SOI];
        source.extend([0xFF, APP1, 0x00, 0x02].repeat(100_000));
        let mut segments = Segments::new(&source).unwrap();
        let refusal = loop {
            if let Err(refusal) = segments.next() {
                break refusal;
            }
        };
        assert!(matches!(refusal, Refusal::TooComplex(_)), "{refusal:?}");
    }
}
