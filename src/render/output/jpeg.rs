//! The JPEG encoder (ITU-T T.81): baseline, one interleaved scan, Huffman codes made for the picture.
//!
//! Colour is sRGB as luma and chroma (T.871), with halved chroma below quality 90. There is no profile and no metadata.
//!
//! A few rows at a time are transformed, and their nonzero coefficients kept and counted. Then the codes are made, and
//! the file is written.

#![expect(
    clippy::inline_always,
    reason = "kernels that are called for each block, symbol or pixel"
)]

mod codes;
mod forward;
mod strips;
#[cfg(test)]
mod tests;
mod tokens;

use codes::Code;
use forward::Steps;
use strips::Strips;
use tokens::{Bits, Codes, Occurrences, Tokens};

use super::planes::{Chroma, Planes};
use crate::render::pixels::Pixels;
use crate::render::{Background, Quality, Refusal};

/// Whether chroma is halved at this quality.
pub(in crate::render) fn halves_chroma(quality: Quality) -> bool {
    quality.get() < 90
}

/// Encodes pixels, transparent ones over `background`.
pub(in crate::render) fn encode(
    pixels: &Pixels,
    quality: Quality,
    background: Background,
) -> Result<Vec<u8>, Refusal> {
    let frame = Frame::new(
        pixels.width,
        pixels.height,
        strips::sampling(pixels, quality, background),
    )?;
    let mut converter = strips::Converter::new(pixels, background);
    Ok(frame.encode(quality, |strips, row| converter.fill(strips, row)))
}

/// Encodes planes with their chroma as it is; [`halves_chroma`] says which a quality should come with.
pub(in crate::render) fn encode_planes(
    planes: &Planes,
    quality: Quality,
) -> Result<Vec<u8>, Refusal> {
    let sampling = match &planes.chroma {
        None => Sampling::Grey,
        Some(Chroma { halved: true, .. }) => Sampling::Halved,
        Some(_) => Sampling::Full,
    };
    let frame = Frame::new(planes.width, planes.height, sampling)?;
    Ok(frame.encode(quality, |strips, row| strips.copy(planes, row)))
}

/// An upper bound of the heap that [`encode`] and [`encode_planes`] take, the file included.
pub(in crate::render) fn memory_bytes(width: u32, height: u32, quality: Quality) -> u64 {
    // A block keeps at most 64 symbols of 2 bytes. In the file, codes for at most 256 symbols take 8 bits each on
    // average, and by Parseval's theorem so do the values behind them: the 64 coefficients have the energy of 64
    // samples. Each byte may be followed by a stuffed one; then the file grows from 128 bytes a block to 256, and both
    // are held meanwhile.
    const BLOCK: u64 = 128 + 3 * 128;
    const FIXED: u64 = 32 << 10;
    let (width, height) = (u64::from(width), u64::from(height));
    let (luma, chroma) = if halves_chroma(quality) {
        let (across, down) = (width.div_ceil(16), height.div_ceil(16));
        (across * down * 4, across * down * 2)
    } else {
        let (across, down) = (width.div_ceil(8), height.div_ceil(8));
        (across * down, across * down * 2)
    };
    // The strips, the rows that they are made of, and a strip's symbols before they are packed.
    let strips = (width + 16) * (16 + 16 + 6 + 256);
    (luma + chroma) * BLOCK + strips + FIXED
}

/// The components and their subsampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sampling {
    Grey,
    Full,
    Halved,
}

impl Sampling {
    /// The luma blocks along a side of a minimum coded unit.
    fn factor(self) -> usize {
        match self {
            Self::Grey | Self::Full => 1,
            Self::Halved => 2,
        }
    }

    fn components(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Full | Self::Halved => 3,
        }
    }
}

/// The fields of the frame header.
struct Frame {
    width: u16,
    height: u16,
    sampling: Sampling,
}

impl Frame {
    fn new(width: usize, height: usize, sampling: Sampling) -> Result<Self, Refusal> {
        let side = |length: usize| {
            u16::try_from(length)
                .ok()
                .filter(|length| *length > 0)
                .ok_or(Refusal::TooComplex("a side that JPEG has no number for"))
        };
        Ok(Self {
            width: side(width)?,
            height: side(height)?,
            sampling,
        })
    }

    /// Encodes the picture; `fill` fills the strips from the given row on.
    fn encode(&self, quality: Quality, mut fill: impl FnMut(&mut Strips, usize)) -> Vec<u8> {
        let quality = quality.get();
        let steps = [Steps::luma(quality), Steps::chroma(quality)];
        let steps = &steps[..self.sampling.components().min(2)];
        let mut counts: Vec<_> = steps.iter().map(|_| Occurrences::new()).collect();
        let mut strips = Strips::new(self.width.into(), self.sampling);
        let mut means = [0; 3];
        let mut kept = Vec::with_capacity(usize::from(self.height).div_ceil(8));
        for row in (0..self.height.into()).step_by(8 * self.sampling.factor()) {
            fill(&mut strips, row);
            kept.push(strips.tokens(steps, &mut counts, &mut means));
        }
        let codes: Vec<_> = counts.iter().map(Occurrences::codes).collect();
        let bits: u64 = counts
            .iter()
            .zip(&codes)
            .map(|(c, code)| c.bits(code))
            .sum();
        self.write(steps, &codes, kept, bits)
    }

    fn write(&self, steps: &[Steps], codes: &[Codes], kept: Vec<Tokens>, bits: u64) -> Vec<u8> {
        let mut file = Vec::new();
        // On average every 256th byte is stuffed.
        file.reserve_exact(2048 + usize::try_from(bits / 8 + bits / 1024).unwrap_or(0));
        file.extend(b"\xFF\xD8");
        self.push_headers(&mut file, steps, codes);
        let mut bits = Bits::new(file);
        let luma = self.sampling.factor() * self.sampling.factor();
        let unit = codes.iter().take(1).cycle().take(luma);
        let unit = unit.chain(codes.iter().skip(1).cycle().take(2)).cycle();
        for tokens in kept {
            tokens.write(unit.clone(), &mut bits);
        }
        let mut file = bits.finished();
        file.extend(b"\xFF\xD9");
        file
    }

    /// Appends all segments before the coefficients (annex B.2).
    fn push_headers(&self, file: &mut Vec<u8>, steps: &[Steps], codes: &[Codes]) {
        // JFIF 1.02, square pixels, no thumbnail (T.871, 10.1).
        push_segment(file, 0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
        for (number, steps) in (0..).zip(steps) {
            push_segment(file, 0xDB, &[&[number][..], &steps.zigzag].concat());
        }
        let (components, factor) = match self.sampling {
            Sampling::Grey => (1, 1),
            Sampling::Full => (3, 1),
            Sampling::Halved => (3, 2),
        };
        let mut frame = vec![8];
        frame.extend(self.height.to_be_bytes());
        frame.extend(self.width.to_be_bytes());
        frame.push(components);
        frame.extend([1, factor << 4 | factor, 0]);
        let mut scan = vec![components, 1, 0x00];
        for chroma in [2, 3].into_iter().take(usize::from(components) - 1) {
            frame.extend([chroma, 0x11, 1]);
            scan.extend([chroma, 0x11]);
        }
        scan.extend([0, 63, 0]);
        push_segment(file, 0xC0, &frame);
        for (number, codes) in (0..).zip(codes) {
            push_code(file, number, &codes.means);
            push_code(file, 0x10 | number, &codes.others);
        }
        push_segment(file, 0xDA, &scan);
    }
}

/// Appends a Huffman table with its class and number (B.2.4.2).
fn push_code(file: &mut Vec<u8>, class_and_number: u8, code: &Code) {
    push_segment(
        file,
        0xC4,
        &[&[class_and_number][..], &code.counts, &code.symbols].concat(),
    );
}

/// Appends a marker segment.
fn push_segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    // None of them has more than a few hundred bytes.
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    file.extend([0xFF, marker]);
    file.extend(length.to_be_bytes());
    file.extend(content);
}
