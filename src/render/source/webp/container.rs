//! The chunks of a WebP file (RFC 9649, section 2) up to its first frame.

use crate::render::Refusal;

/// The parts of a file that are needed.
#[derive(Debug)]
pub(super) struct Container<'a> {
    /// Columns and rows of the canvas.
    pub(super) canvas: (u32, u32),
    pub(super) profile: Option<&'a [u8]>,
    pub(super) exif: Option<&'a [u8]>,
    pub(super) frame: Frame<'a>,
}

/// A still picture, or the first frame of an animation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// Its first column and row on the canvas.
    pub(super) corner: (u32, u32),
    pub(super) size: (u32, u32),
    pub(super) coding: Coding<'a>,
}

/// A frame's coded samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Coding<'a> {
    /// VP8, with the content of the ALPH chunk beside it.
    Lossy {
        colours: &'a [u8],
        alpha: Option<&'a [u8]>,
    },
    /// VP8L; whether it has an alpha.
    Lossless { stream: &'a [u8], alpha: bool },
}

impl<'a> Container<'a> {
    /// Reads the chunks of `source`, which starts with `RIFF`, a size, and `WEBP`.
    pub(super) fn read(source: &'a [u8]) -> Result<Self, Refusal> {
        let mut chunks = Chunks(source);
        let (_, content) = chunks.next().ok_or(Refusal::Truncated)??;
        let content = content.strip_prefix(b"WEBP").ok_or_else(malformed)?;
        let mut chunks = Chunks(content);
        let (kind, first) = chunks.next().ok_or_else(malformed)??;
        if kind != *b"VP8X" {
            let coding = Coding::read(kind, first, None)?;
            let size = coding.size()?;
            return Ok(Self {
                canvas: size,
                profile: None,
                exif: None,
                frame: Frame {
                    corner: (0, 0),
                    size,
                    coding,
                },
            });
        }
        let canvas = first.get(4..).ok_or_else(malformed)?;
        let canvas = (triple(canvas, 0)? + 1, triple(canvas, 3)? + 1);
        Self::read_extended(canvas, chunks)
    }

    fn read_extended(canvas: (u32, u32), chunks: Chunks<'a>) -> Result<Self, Refusal> {
        let (mut profile, mut exif, mut alpha, mut frame) = (None, None, None, None);
        for chunk in chunks {
            let (kind, content) = match chunk {
                Ok(chunk) => chunk,
                // Chunks behind the picture may be cut off, as they only describe it.
                Err(_) if frame.is_some() => break,
                Err(refusal) => return Err(refusal),
            };
            match &kind {
                b"ICCP" => profile = Some(content),
                b"EXIF" => exif = Some(content),
                b"ALPH" => alpha = Some(content),
                b"VP8 " | b"VP8L" if frame.is_none() => {
                    let coding = Coding::read(kind, content, alpha)?;
                    let size = coding.size()?;
                    // Only an animation's frame may be smaller; no viewer shows another.
                    if size != canvas {
                        return Err(malformed());
                    }
                    frame = Some(Frame {
                        corner: (0, 0),
                        size,
                        coding,
                    });
                }
                b"ANMF" if frame.is_none() => frame = Some(Frame::read(content)?),
                _ => {}
            }
        }
        let frame = frame.ok_or_else(malformed)?;
        let fits = |corner: u32, side: u32, canvas: u32| {
            corner.checked_add(side).is_some_and(|end| end <= canvas)
        };
        if !fits(frame.corner.0, frame.size.0, canvas.0)
            || !fits(frame.corner.1, frame.size.1, canvas.1)
        {
            return Err(malformed());
        }
        Ok(Self {
            canvas,
            profile,
            exif,
            frame,
        })
    }
}

impl<'a> Frame<'a> {
    /// Reads the content of an ANMF chunk.
    fn read(content: &'a [u8]) -> Result<Self, Refusal> {
        let corner = (triple(content, 0)? * 2, triple(content, 3)? * 2);
        let size = (triple(content, 6)? + 1, triple(content, 9)? + 1);
        let mut alpha = None;
        for chunk in Chunks(content.get(16..).ok_or_else(malformed)?) {
            let (kind, content) = chunk?;
            match &kind {
                b"VP8 " | b"VP8L" => {
                    let coding = Coding::read(kind, content, alpha)?;
                    if coding.size()? != size {
                        return Err(malformed());
                    }
                    return Ok(Self {
                        corner,
                        size,
                        coding,
                    });
                }
                b"ALPH" => alpha = Some(content),
                _ => {}
            }
        }
        Err(malformed())
    }
}

impl<'a> Coding<'a> {
    fn read(kind: [u8; 4], content: &'a [u8], alpha: Option<&'a [u8]>) -> Result<Self, Refusal> {
        match &kind {
            b"VP8 " => Ok(Self::Lossy {
                colours: content,
                alpha,
            }),
            b"VP8L" => {
                let bits = content.get(1..5).and_then(|bits| bits.first_chunk());
                let bits = u32::from_le_bytes(*bits.ok_or(Refusal::Truncated)?);
                Ok(Self::Lossless {
                    stream: content,
                    alpha: bits >> 28 & 1 == 1,
                })
            }
            _ => Err(malformed()),
        }
    }

    /// Columns and rows (RFC 6386, section 9.1, and RFC 9649, section 3.4).
    fn size(self) -> Result<(u32, u32), Refusal> {
        let (width, height) = match self {
            Self::Lossy { colours, .. } => {
                let header: &[u8; 10] = colours.first_chunk().ok_or(Refusal::Truncated)?;
                let [a, _, _, _, _, _, w0, w1, h0, h1] = *header;
                if a & 1 == 1 {
                    return Err(malformed());
                }
                let [width, height] = [[w0, w1], [h0, h1]].map(u16::from_le_bytes);
                (u32::from(width & 0x3FFF), u32::from(height & 0x3FFF))
            }
            Self::Lossless { stream, .. } => {
                let header: &[u8; 5] = stream.first_chunk().ok_or(Refusal::Truncated)?;
                let [_, bits @ ..] = *header;
                let bits = u32::from_le_bytes(bits);
                ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            }
        };
        if width == 0 || height == 0 {
            return Err(malformed());
        }
        Ok((width, height))
    }
}

/// An iterator over chunks, each padded to an even length. The last one's padding may be missing.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<([u8; 4], &'a [u8]), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.0.split_first_chunk::<4>()?;
        let Some((length, rest)) = rest.split_first_chunk() else {
            self.0 = &[];
            return Some(Err(Refusal::Truncated));
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((content, rest)) = rest.split_at_checked(length) else {
            self.0 = &[];
            return Some(Err(Refusal::Truncated));
        };
        self.0 = rest.get(length % 2..).unwrap_or_default();
        Some(Ok((*kind, content)))
    }
}

/// Reads a 24-bit little-endian number.
fn triple(content: &[u8], at: usize) -> Result<u32, Refusal> {
    let bytes = content.get(at..).and_then(|rest| rest.first_chunk());
    let [a, b, c] = *bytes.ok_or_else(malformed)?;
    Ok(u32::from_le_bytes([a, b, c, 0]))
}

fn malformed() -> Refusal {
    Refusal::Corrupt("a WebP's chunks".to_owned())
}
