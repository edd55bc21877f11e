//! The frame header (ITU-T T.81, B.2.2) and the sizes that follow from it (A.1.1, A.2).

use super::{
    Refusal,
    markers::{self, Segment},
};

/// The size at which a component is decoded: how many samples an 8x8 block gives on each side.
///
/// Fewer than eight are the inverse transform of the block's low frequencies alone. Once the resizer has halved the
/// result, it is nearer to a Lanczos reduction of the picture than means of samples are, and needs fewer coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BlockSide {
    /// 1/8 of the size: the mean of the block.
    One,
    /// 1/4 of the size.
    Two,
    /// 1/2 of the size.
    Four,
    /// The full size.
    Eight,
}

impl BlockSide {
    /// The number of samples: 1, 2, 4 or 8.
    #[must_use]
    pub(crate) fn samples(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// The sizes at which a component is decoded, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sides(u32);

impl Sides {
    /// One size.
    #[must_use]
    pub(crate) fn one(side: BlockSide) -> Self {
        // Each is a power of two, so that a sum is a set.
        Self(side.samples())
    }

    /// These sizes and another.
    #[must_use]
    pub(crate) fn with(self, side: BlockSide) -> Self {
        Self(self.0 | side.samples())
    }

    /// The sizes, largest first.
    pub(crate) fn iter(self) -> impl Iterator<Item = BlockSide> {
        use BlockSide::{Eight, Four, One, Two};
        let all = [Eight, Four, Two, One].into_iter();
        all.filter(move |side| self.0 & side.samples() > 0)
    }

    /// The largest of the sizes.
    #[must_use]
    pub(crate) fn largest(self) -> BlockSide {
        self.iter().next().unwrap_or(BlockSide::Eight)
    }

    /// The sizes but the largest.
    pub(crate) fn smaller(self) -> impl Iterator<Item = BlockSide> {
        self.iter().skip(1)
    }
}

/// One colour component of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    /// The identifier by which scans name it.
    pub(super) id: u8,
    /// The horizontal sampling factor, 1 to 4.
    pub h: u32,
    /// The vertical sampling factor, 1 to 4.
    pub v: u32,
    /// The number of its quantization table.
    pub(super) quantization: u8,
    /// How many samples it has horizontally at full size.
    pub width: u32,
    /// How many samples it has vertically at full size.
    pub height: u32,
    /// How many blocks those samples fill horizontally.
    pub(super) blocks_across: u32,
    /// How many blocks those samples fill vertically.
    pub(super) blocks_down: u32,
}

impl Component {
    /// The width and height of the component's plane at a reduced size.
    #[must_use]
    pub(crate) fn plane_size(&self, side: BlockSide) -> (u32, u32) {
        let samples = side.samples();
        (
            (self.width * samples).div_ceil(8),
            (self.height * samples).div_ceil(8),
        )
    }
}

/// A parsed frame header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) progressive: bool,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    /// The minimum coded units of interleaved scans, horizontally.
    pub(super) mcus_across: u32,
    /// The minimum coded units of interleaved scans, vertically.
    pub(super) mcus_down: u32,
}

impl Frame {
    /// The frame if `segment` is the header of one that is decoded: Huffman-coded, not lossless, of 8 bits.
    pub(super) fn read(segment: &Segment) -> Result<Option<Self>, Refusal> {
        match segment.marker {
            markers::SOF0 | markers::SOF1 => Self::parse(segment.payload, false).map(Some),
            markers::SOF2 => Self::parse(segment.payload, true).map(Some),
            markers::DHT | markers::JPG | markers::DAC => Ok(None),
            0xC3 => Err(Refusal::Unsupported("lossless JPEG")),
            0xC5..=0xC7 => Err(Refusal::Unsupported("hierarchical JPEG")),
            markers::SOF9..=markers::SOF15 => Err(Refusal::Unsupported("arithmetic-coded JPEG")),
            0xF7 => Err(Refusal::Unsupported("JPEG-LS")),
            _ => Ok(None),
        }
    }

    fn parse(payload: &[u8], progressive: bool) -> Result<Self, Refusal> {
        let corrupt = |what: &str| Refusal::Corrupt(what.into());
        let (header, components) = payload
            .split_first_chunk()
            .ok_or_else(|| corrupt("JPEG frame header cut short"))?;
        let &[precision, y1, y0, x1, x0, count] = header;
        if precision != 8 {
            return Err(Refusal::Unsupported("JPEG with more than 8 bits a sample"));
        }
        let width = u32::from(u16::from_be_bytes([x1, x0]));
        let height = u32::from(u16::from_be_bytes([y1, y0]));
        if width == 0 {
            return Err(corrupt("JPEG of zero width"));
        }
        if height == 0 {
            return Err(Refusal::Unsupported(
                "JPEG that tells its height behind the picture",
            ));
        }
        let (components, rest) = components.as_chunks::<3>();
        if components.len() != usize::from(count) || !rest.is_empty() {
            return Err(corrupt("JPEG frame header of a wrong length"));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Refusal::Unsupported(
                "JPEG of neither 1, 3 nor 4 components",
            ));
        }
        Self::new(progressive, width, height, components)
    }

    fn new(
        progressive: bool,
        width: u32,
        height: u32,
        components: &[[u8; 3]],
    ) -> Result<Self, Refusal> {
        let factors =
            |&[_, factors, _]: &[u8; 3]| (u32::from(factors >> 4), u32::from(factors & 15));
        let legal = 1..=4;
        if components
            .iter()
            .map(factors)
            .any(|(h, v)| !legal.contains(&h) || !legal.contains(&v))
        {
            return Err(Refusal::Corrupt(
                "JPEG sampling factor that is not 1 to 4".into(),
            ));
        }
        let h_max = components
            .iter()
            .map(|each| factors(each).0)
            .max()
            .unwrap_or(1);
        let v_max = components
            .iter()
            .map(|each| factors(each).1)
            .max()
            .unwrap_or(1);
        let components = components.iter().map(|each| {
            let (h, v) = factors(each);
            let &[id, _, quantization] = each;
            let (width, height) = ((width * h).div_ceil(h_max), (height * v).div_ceil(v_max));
            let (blocks_across, blocks_down) = (width.div_ceil(8), height.div_ceil(8));
            Component {
                id,
                h,
                v,
                quantization,
                width,
                height,
                blocks_across,
                blocks_down,
            }
        });
        Ok(Self {
            progressive,
            width,
            height,
            components: components.collect(),
            mcus_across: width.div_ceil(8 * h_max),
            mcus_down: height.div_ceil(8 * v_max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32, factors: &[u8]) -> Result<Frame, Refusal> {
        let components: Vec<_> = factors.iter().map(|&factors| [1, factors, 0]).collect();
        Frame::new(false, width, height, &components)
    }

    #[test]
    fn planes_and_blocks_round_up_as_annex_a_says() {
        let frame = frame(35, 17, &[0x22, 0x11, 0x12]).unwrap();
        assert_eq!((frame.mcus_across, frame.mcus_down), (3, 2));
        let sizes: Vec<_> = frame
            .components
            .iter()
            .map(|c| (c.width, c.height))
            .collect();
        assert_eq!(sizes, [(35, 17), (18, 9), (18, 17)]);
        let blocks: Vec<_> = frame
            .components
            .iter()
            .map(|c| (c.blocks_across, c.blocks_down))
            .collect();
        assert_eq!(blocks, [(5, 3), (3, 2), (3, 3)]);
        assert_eq!(frame.components[0].plane_size(BlockSide::One), (5, 3));
        assert_eq!(frame.components[0].plane_size(BlockSide::Two), (9, 5));
        assert_eq!(frame.components[1].plane_size(BlockSide::Four), (9, 5));
    }

    #[test]
    fn sampling_factors_of_0_and_5_are_corrupt() {
        assert!(matches!(frame(8, 8, &[0x01]), Err(Refusal::Corrupt(_))));
        assert!(matches!(frame(8, 8, &[0x15]), Err(Refusal::Corrupt(_))));
    }

    #[test]
    fn other_kinds_of_jpeg_are_unsupported_by_name() {
        for (marker, name) in [(0xC3, "lossless JPEG"), (0xC9, "arithmetic-coded JPEG")] {
            let refusal = Frame::read(&Segment {
                marker,
                payload: &[],
                start: 0,
            })
            .unwrap_err();
            assert_eq!(refusal, Refusal::Unsupported(name));
        }
    }
}
