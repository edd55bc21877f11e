//! The segments before the first scan (ITU-T T.81, B.2.1), and the colour model that follows from them.

use std::borrow::Cow;

use super::{
    Refusal,
    frame::{Component, Frame},
    markers::{self, Segment, Segments},
};

/// The colour model of the components, decided as libjpeg does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// One component: grey.
    Grey,
    /// Three components: luma and chroma (ITU-T T.871).
    YCbCr,
    /// Three components: red, green, blue.
    Rgb,
    /// Four components: cyan, magenta, yellow, black.
    Cmyk,
    /// Four components: luma and chroma of inverted CMY, then black.
    Ycck,
}

/// An ICC profile larger than this is ignored.
const MAX_ICC_BYTES: usize = 4 << 20;

/// The header of a JPEG: its segments before the first scan.
///
/// Reading it touches only the marker segments, whatever the picture's size.
#[derive(Debug, Clone)]
pub(crate) struct Header<'a> {
    /// The width in pixels, as stored.
    pub width: u32,
    /// The height in pixels, as stored.
    pub height: u32,
    /// The colour model.
    pub colour: Colour,
    /// Whether there is an Adobe segment, whose writers store CMYK inverted.
    pub adobe: bool,
    /// The components in the frame's order: one, three or four.
    pub components: Vec<Component>,
    /// Whether the picture comes in progressive scans.
    pub progressive: bool,
    /// The minimum coded units of an interleaved scan, across and down.
    pub(super) mcus: (u32, u32),
    /// The payload of the first EXIF segment, a TIFF header first.
    pub exif: Option<&'a [u8]>,
    icc: Vec<IccChunk<'a>>,
}

/// One part of an ICC profile (ICC.1:2022, B.4).
#[derive(Debug, Clone, Copy)]
struct IccChunk<'a> {
    number: u8,
    of: u8,
    bytes: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the segments up to the first scan.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotAnImage`] if the file doesn't begin like a JPEG, and others for what is broken, missing or not
    /// decoded here.
    pub(crate) fn read(source: &'a [u8]) -> Result<Self, Refusal> {
        let mut segments = Segments::new(source)?;
        let mut applications = Applications::default();
        let mut frame = None;
        loop {
            let segment = segments.next()?;
            match segment.marker {
                markers::SOS | markers::EOI => break,
                markers::SOI => return Err(Refusal::Corrupt("JPEG with a second start".into())),
                _ => {}
            }
            if let Some(read) = Frame::read(&segment)?
                && frame.replace(read).is_some()
            {
                return Err(Refusal::Corrupt("JPEG with a second frame".into()));
            }
            applications.read(&segment);
        }
        let frame = frame.ok_or_else(|| Refusal::Corrupt("JPEG without a frame header".into()))?;
        Ok(Self {
            width: frame.width,
            height: frame.height,
            colour: applications.colour(&frame.components),
            adobe: applications.adobe.is_some(),
            components: frame.components,
            progressive: frame.progressive,
            mcus: (frame.mcus_across, frame.mcus_down),
            exif: applications.exif,
            icc: applications.icc,
        })
    }

    /// The ICC profile, its chunks joined.
    ///
    /// None if there is none, a chunk is missing or comes twice, or it is larger than 4 MiB.
    #[must_use]
    pub(crate) fn icc(&self) -> Option<Cow<'a, [u8]>> {
        let first = self.icc.first()?;
        if self.icc.len() != usize::from(first.of) {
            return None;
        }
        if self
            .icc
            .iter()
            .map(|chunk| chunk.bytes.len())
            .sum::<usize>()
            > MAX_ICC_BYTES
        {
            return None;
        }
        if first.of == 1 {
            return (first.number == 1).then_some(Cow::Borrowed(first.bytes));
        }
        let mut joined = Vec::new();
        for number in 1..=first.of {
            let chunk = self
                .icc
                .iter()
                .find(|chunk| (chunk.number, chunk.of) == (number, first.of))?;
            joined.extend_from_slice(chunk.bytes);
        }
        Some(Cow::Owned(joined))
    }
}

/// The application segments that matter here.
#[derive(Debug, Default)]
struct Applications<'a> {
    jfif: bool,
    /// The colour transform of an Adobe segment.
    adobe: Option<u8>,
    exif: Option<&'a [u8]>,
    icc: Vec<IccChunk<'a>>,
}

impl<'a> Applications<'a> {
    fn read(&mut self, segment: &Segment<'a>) {
        match (segment.marker, segment.payload) {
            (markers::APP0, [b'J', b'F', b'I', b'F', 0, rest @ ..]) if rest.len() >= 9 => {
                self.jfif = true;
            }
            (markers::APP1, [b'E', b'x', b'i', b'f', 0, _, payload @ ..]) => {
                self.exif.get_or_insert(payload);
            }
            (markers::APP2, payload) => {
                if let Some([number, of, bytes @ ..]) = payload.strip_prefix(b"ICC_PROFILE\0") {
                    // A profile has at most 255 chunks; a 256th is kept so that it counts as none.
                    if self.icc.len() < 256 {
                        self.icc.push(IccChunk {
                            number: *number,
                            of: *of,
                            bytes,
                        });
                    }
                }
            }
            (
                markers::APP14,
                [
                    b'A',
                    b'd',
                    b'o',
                    b'b',
                    b'e',
                    _,
                    _,
                    _,
                    _,
                    _,
                    _,
                    transform,
                    ..,
                ],
            ) => {
                self.adobe = Some(*transform);
            }
            _ => {}
        }
    }

    /// Decides as `default_decompress_parms` of libjpeg does.
    fn colour(&self, components: &[Component]) -> Colour {
        let ids = components.iter().map(|component| component.id);
        match (components.len(), self.adobe) {
            (1, _) => Colour::Grey,
            (4, None | Some(0)) => Colour::Cmyk,
            (4, Some(_)) => Colour::Ycck,
            _ if self.jfif => Colour::YCbCr,
            (_, Some(0)) => Colour::Rgb,
            (_, None) if ids.eq(*b"RGB") => Colour::Rgb,
            _ => Colour::YCbCr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], &length[..], payload].concat()
    }

    fn file(segments: &[Vec<u8>]) -> Vec<u8> {
        let start = vec![0xFF, markers::SOI];
        let scan = segment(markers::SOS, &[1, 1, 0, 0, 63, 0]);
        [start, segments.concat(), scan].concat()
    }

    fn frame(ids: &[u8]) -> Vec<u8> {
        let count = u8::try_from(ids.len()).unwrap();
        let components = ids.iter().flat_map(|&id| [id, 0x11, 0]);
        let payload: Vec<u8> = [8, 0, 20, 0, 30, count]
            .into_iter()
            .chain(components)
            .collect();
        segment(markers::SOF0, &payload)
    }

    fn adobe(transform: u8) -> Vec<u8> {
        let mut payload = b"Adobe".to_vec();
        payload.extend([0, 100, 0, 0, 0, 0, transform]);
        segment(markers::APP14, &payload)
    }

    fn colour(segments: &[Vec<u8>]) -> Colour {
        Header::read(&file(segments)).unwrap().colour
    }

    #[test]
    fn the_colour_model_is_decided_as_libjpeg_does() {
        let jfif = segment(markers::APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        assert_eq!(colour(&[frame(&[1])]), Colour::Grey);
        assert_eq!(colour(&[frame(&[1, 2, 3])]), Colour::YCbCr);
        assert_eq!(colour(&[frame(&[9, 8, 7])]), Colour::YCbCr);
        assert_eq!(colour(&[frame(b"RGB")]), Colour::Rgb);
        assert_eq!(colour(&[adobe(0), frame(&[1, 2, 3])]), Colour::Rgb);
        assert_eq!(colour(&[adobe(1), frame(b"RGB")]), Colour::YCbCr);
        assert_eq!(colour(&[jfif, adobe(0), frame(b"RGB")]), Colour::YCbCr);
        assert_eq!(colour(&[frame(&[1, 2, 3, 4])]), Colour::Cmyk);
        assert_eq!(colour(&[adobe(0), frame(&[1, 2, 3, 4])]), Colour::Cmyk);
        assert_eq!(colour(&[adobe(2), frame(&[1, 2, 3, 4])]), Colour::Ycck);
    }

    #[test]
    fn the_first_exif_payload_is_told_without_its_name() {
        let [first, second] =
            [&b"Exif\0\0MM"[..], b"Exif\0\0II"].map(|p| segment(markers::APP1, p));
        let source = file(&[first, second, frame(&[1])]);
        let header = Header::read(&source).unwrap();
        assert_eq!(header.exif, Some(&b"MM"[..]));
        assert_eq!((header.width, header.height), (30, 20));
    }

    #[test]
    fn icc_chunks_are_joined_by_number_or_not_at_all() {
        let chunk = |number, of, bytes: &[u8]| {
            segment(
                markers::APP2,
                &[b"ICC_PROFILE\0", &[number, of][..], bytes].concat(),
            )
        };
        let icc = |segments: &[Vec<u8>]| {
            let source = file(&[segments.concat(), frame(&[1])]);
            Header::read(&source).unwrap().icc().map(Cow::into_owned)
        };
        assert_eq!(
            icc(&[chunk(2, 2, b"cd"), chunk(1, 2, b"ab")]),
            Some(b"abcd".to_vec())
        );
        assert_eq!(icc(&[chunk(1, 1, b"ab")]), Some(b"ab".to_vec()));
        assert_eq!(icc(&[chunk(1, 2, b"ab")]), None);
        assert_eq!(icc(&[chunk(1, 2, b"ab"), chunk(1, 2, b"ab")]), None);
        assert_eq!(icc(&[]), None);
    }

    #[test]
    fn a_scan_without_a_frame_is_corrupt_and_a_header_without_a_scan_truncated() {
        assert!(matches!(Header::read(&file(&[])), Err(Refusal::Corrupt(_))));
        let mut source = file(&[frame(&[1])]);
        source.truncate(source.len() - 8);
        assert_eq!(Header::read(&source).unwrap_err(), Refusal::Truncated);
        assert_eq!(Header::read(b"GIF89a").unwrap_err(), Refusal::NotAnImage);
    }
}
