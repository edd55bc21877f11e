//! WebP: lossy frames are decoded by [`vp8`], row by row; lossless ones and those that have an alpha beside them by
//! `image-webp`, whole and at once.
//!
//! `image-webp` doesn't bound its memory, so it is computed beforehand: from the header, and for lossless streams from
//! their prefix codes, which [`lossless`] parses. The crate gets a file of the frame alone, which is placed on the
//! canvas here.

mod container;
mod lossless;
mod lossy;
mod vp8;

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use self::container::{Coding, Container, Frame};
use super::check_size;
use super::rows::{Cover, Resizers, Rows, TakeRow};
use super::samples::{add_alpha_bytes, add_bytes, add_opaque_bytes};
use crate::render::orientation::Orientation;
use crate::render::pixels::Pixels;
use crate::render::resize::Grid;
use crate::render::size::{Framing, index};
use crate::render::{Limits, Refusal};

/// The header of a WebP.
pub(super) struct Header<'a> {
    container: Container<'a>,
    orientation: Orientation,
    /// The heap that lossless streams take beyond their pixels.
    codes_bytes: u64,
}

impl<'a> Header<'a> {
    /// Reads the header of `source`.
    pub(super) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let container = Container::read(source)?;
        check_size(container.canvas, limits)?;
        let Frame { size, coding, .. } = container.frame;
        let codes_bytes = match coding {
            Coding::Lossless { stream, .. } => {
                lossless::memory_bytes(stream.get(5..).unwrap_or_default(), size)?
            }
            Coding::Lossy {
                alpha: Some([info, stream @ ..]),
                ..
            } if info & 3 == 1 => lossless::memory_bytes(stream, size)?,
            Coding::Lossy { .. } => 0,
        };
        let exif = container.exif.unwrap_or_default();
        let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        Ok(Self {
            orientation: Orientation::from_exif(exif),
            container,
            codes_bytes,
        })
    }

    fn cover(&self) -> Cover {
        Cover {
            left: index(self.container.frame.corner.0),
            whole: self.container.frame.size == self.container.canvas,
        }
    }

    fn walk(&self, take: &mut TakeRow<'_>) -> Result<(), Refusal> {
        let frame = self.container.frame;
        let top = index(frame.corner.1);
        if let Coding::Lossy {
            colours,
            alpha: None,
        } = frame.coding
        {
            return vp8::decode_rgb(colours, |y, row| take(Grid::WHOLE, top + y, row));
        }
        let file = frame.file();
        let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|error| refusal(&error))?;
        let row = index(frame.size.0) * if frame.coding.has_alpha() { 4 } else { 3 };
        let mut samples = vec![0; row * index(frame.size.1)];
        decoder
            .read_image(&mut samples)
            .map_err(|error| refusal(&error))?;
        for (y, row) in samples.chunks_exact(row).enumerate() {
            take(Grid::WHOLE, top + y, row);
        }
        Ok(())
    }
}

impl Rows for Header<'_> {
    fn size(&self) -> (u32, u32) {
        self.container.canvas
    }

    fn orientation(&self) -> Orientation {
        self.orientation
    }

    fn profile(&self) -> Option<&[u8]> {
        self.container.profile
    }

    fn decoder_bytes(&self) -> u64 {
        let frame = self.container.frame;
        let (width, height) = (u64::from(frame.size.0), u64::from(frame.size.1));
        let pixels = width * height;
        let stored = frame.coding.length();
        let picture = match frame.coding {
            Coding::Lossy { alpha: None, .. } => return vp8::memory_bytes(frame.size.0),
            // Partitions are copied twice, and memory for one that is cut off is allocated before that is noticed.
            Coding::Lossy { alpha: Some(_), .. } => {
                let planes = width.next_multiple_of(16) * height.next_multiple_of(16) * 3 / 2;
                planes + pixels * 9 + width * 64 + stored * 3 + (17 << 20)
            }
            Coding::Lossless { alpha: true, .. } => pixels * 4,
            Coding::Lossless { alpha: false, .. } => pixels * 7,
        };
        // The file that the frame is decoded from.
        picture + self.codes_bytes + stored + (1 << 20)
    }

    fn in_order(&self) -> bool {
        true
    }

    fn resizer_bytes(&self, framings: &[Framing]) -> u64 {
        let (apart, joined) = self.parted(framings);
        let planes = apart
            .iter()
            .map(|framing| lossy::memory_bytes(self.size(), framing));
        planes.sum::<u64>() + Resizers::memory_bytes(self, &joined)
    }

    fn render(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
        let (apart, joined) = self.parted(framings);
        let (mut planes, mut pixels) = (Vec::new(), Vec::new());
        if let Some(frame) = self.plain()
            && !apart.is_empty()
        {
            planes = lossy::render(frame, self.size(), self.profile(), &apart)?;
        }
        if !joined.is_empty() {
            pixels = self.render_pixels(&joined)?;
        }
        let (mut planes, mut pixels) = (planes.into_iter(), pixels.into_iter());
        let outputs = framings.iter().map(|framing| {
            if self.is_apart(framing) {
                planes.next()
            } else {
                pixels.next()
            }
        });
        Ok(outputs.flatten().collect())
    }
}

impl Header<'_> {
    /// A lossy frame without an alpha that covers the canvas.
    fn plain(&self) -> Option<&[u8]> {
        match self.container.frame.coding {
            Coding::Lossy {
                colours,
                alpha: None,
            } if self.cover().whole => Some(colours),
            _ => None,
        }
    }

    /// Whether an output's planes are resized on their own.
    fn is_apart(&self, framing: &Framing) -> bool {
        self.plain().is_some() && lossy::is_apart(self.size(), framing)
    }

    /// The outputs whose planes are resized on their own, and the others.
    fn parted(&self, framings: &[Framing]) -> (Vec<Framing>, Vec<Framing>) {
        let framings = framings.iter().copied();
        framings.partition(|framing| self.is_apart(framing))
    }

    /// Renders rows of whole pixels.
    fn render_pixels(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
        let resizers = Resizers::new(self, framings);
        let walk = |take: &mut TakeRow<'_>| self.walk(take);
        let cover = self.cover();
        if self.container.frame.coding.has_alpha() {
            let add = |row: &[u8], sums: &mut [_]| {
                add_alpha_bytes::<4>(row, sums.get_mut(cover.left..).unwrap_or_default());
            };
            resizers.shrink(255, add, walk)
        } else if cover.whole {
            resizers.shrink(1, add_bytes::<3>, walk)
        } else {
            let add = |row: &[u8], sums: &mut [_]| {
                add_opaque_bytes::<3, 4>(row, sums.get_mut(cover.left..).unwrap_or_default());
            };
            resizers.shrink(255, add, walk)
        }
    }
}

impl Coding<'_> {
    fn has_alpha(self) -> bool {
        match self {
            Self::Lossy { alpha, .. } => alpha.is_some(),
            Self::Lossless { alpha, .. } => alpha,
        }
    }

    /// The number of stored bytes.
    fn length(self) -> u64 {
        let bytes = match self {
            Self::Lossy { colours, alpha } => colours.len() + alpha.map_or(0, <[u8]>::len),
            Self::Lossless { stream, .. } => stream.len(),
        };
        bytes as u64
    }
}

impl Frame<'_> {
    /// A file of only this frame.
    fn file(self) -> Vec<u8> {
        let mut chunks =
            Vec::with_capacity(usize::try_from(self.coding.length()).unwrap_or(0) + 64);
        chunks.extend(b"RIFF\0\0\0\0WEBP");
        match self.coding {
            Coding::Lossy { colours, alpha } => {
                if let Some(alpha) = alpha {
                    let side = |side: u32| (side - 1).to_le_bytes();
                    let (width, height) = (side(self.size.0), side(self.size.1));
                    let extended = [&[0x10, 0, 0, 0], &width[..3], &height[..3]].concat();
                    push_chunk(&mut chunks, *b"VP8X", &extended);
                    push_chunk(&mut chunks, *b"ALPH", alpha);
                }
                push_chunk(&mut chunks, *b"VP8 ", colours);
            }
            Coding::Lossless { stream, .. } => push_chunk(&mut chunks, *b"VP8L", stream),
        }
        let length = u32::try_from(chunks.len() - 8).unwrap_or(u32::MAX);
        chunks[4..8].copy_from_slice(&length.to_le_bytes());
        chunks
    }
}

fn push_chunk(chunks: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    chunks.extend(kind);
    chunks.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    chunks.extend(content);
    if content.len() % 2 == 1 {
        chunks.push(0);
    }
}

fn refusal(error: &DecodingError) -> Refusal {
    match error {
        DecodingError::IoError(_) => Refusal::Truncated,
        DecodingError::UnsupportedFeature(_) => Refusal::Unsupported("this kind of WebP"),
        error => Refusal::Corrupt(error.to_string()),
    }
}
