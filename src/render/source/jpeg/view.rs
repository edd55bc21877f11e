//! The rendering of a JPEG for one target: each component's size in decoding, and how its samples are finished.

use super::decode::{BlockSide, Colour, Component, Header};
use super::joined;
use crate::render::resize::{Axis, Form, Full, Sampling, Shrink};
use crate::render::size::{Framing, Stretch};
use crate::render::{Encoding, colour, output};

/// The rendering of a JPEG for one target.
pub(super) struct View {
    pub(super) framing: Framing,
    pub(super) way: Way,
    planes: Vec<Plane>,
}

/// How a view's samples are finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Components are joined to pixels before they are resized.
    Joined,
    /// Components are resized on their own, and converted to red, green and blue.
    Converted,
    /// Components are resized on their own and stay luma and chroma, which is halved where the output stores it so.
    Kept { halved: bool },
}

/// The most pixels of a picture that is joined for a target of more than 128 pixels.
const MAX_JOINED_PIXELS: u64 = 1 << 20;

/// The largest sampling factor: how many output rows may lie within one row of samples (ITU-T T.81, B.2.2).
const MAX_FACTOR: u32 = 4;

/// Whether luma and chroma are those of sRGB, so that an output may store them unconverted.
pub(super) fn keeps_components(header: &Header<'_>) -> bool {
    let profile = header.icc();
    let is_srgb = profile.is_none_or(|profile| colour::is_srgb(&profile));
    is_srgb && matches!(header.colour, Colour::Grey | Colour::YCbCr)
}

/// Whether an output of a JPEG stores chroma halved, `None` where it stores none.
pub(super) fn stored_chroma(encoding: Encoding) -> Option<bool> {
    match encoding {
        Encoding::Png => None,
        Encoding::Jpeg(quality, _) | Encoding::Source(quality, _) => {
            Some(output::halves_chroma(quality))
        }
        Encoding::WebP(_) => Some(true),
    }
}

impl View {
    /// `chroma` is [`stored_chroma`] where the output may store the components unconverted.
    pub(super) fn new(header: &Header<'_>, framing: Framing, chroma: Option<bool>) -> Self {
        let planes = |halved: bool| -> Vec<Plane> {
            let components = header.components.iter().enumerate();
            let framed = |index: usize| {
                if halved && index > 0 {
                    framing.halved()
                } else {
                    framing
                }
            };
            components
                .map(|(index, component)| Plane::new(header, component, framed(index)))
                .collect()
        };
        let apart = planes(false);
        let (planes, way) = match chroma {
            _ if is_joined(header, framing, &apart) => (apart, Way::Joined),
            Some(halved) => (planes(halved), Way::Kept { halved }),
            None => (apart, Way::Converted),
        };
        Self {
            framing,
            way,
            planes,
        }
    }

    /// The size at which each component is decoded.
    pub(super) fn sides(&self) -> impl Iterator<Item = BlockSide> {
        self.planes.iter().map(|plane| plane.side)
    }

    pub(super) fn axes(&self) -> Vec<(Axis, Axis)> {
        self.planes.iter().map(Plane::axes).collect()
    }

    pub(super) fn memory_bytes(&self, header: &Header<'_>) -> u64 {
        if self.way == Way::Joined {
            return joined::view_memory_bytes(header, self.framing.size());
        }
        let planes = self.planes.iter();
        planes
            .map(|plane| {
                let samples = (plane.columns.count, plane.rows.count);
                Shrink::<u16, 1>::memory_bytes(samples, plane.outputs, self.form(), MAX_FACTOR)
            })
            .sum()
    }

    /// What the resizers make of each component. Its rows come from top to bottom.
    pub(super) fn form(&self) -> Form {
        match self.way {
            Way::Joined | Way::Kept { .. } => Form::Rounded,
            Way::Converted => Form::Exact,
        }
    }
}

/// Whether too few samples make an output pixel to resize components on their own.
fn is_joined(header: &Header<'_>, framing: Framing, planes: &[Plane]) -> bool {
    const FEW: f64 = 3.0;
    const TINY: u32 = 128;
    let few = |stretch: Stretch| stretch.extent < f64::from(stretch.outputs) * FEW;
    let (width, height) = framing.size();
    let pixels = u64::from(header.width) * u64::from(header.height);
    header.colour == Colour::YCbCr
        && (few(framing.columns) || few(framing.rows))
        && (width.max(height) <= TINY || pixels <= MAX_JOINED_PIXELS)
        && planes.iter().all(|plane| plane.side == BlockSide::Eight)
}

pub(super) fn columns_of(framing: Framing) -> usize {
    usize::try_from(framing.size().0).unwrap_or(usize::MAX)
}

/// One component as it will be decoded.
struct Plane {
    side: BlockSide,
    columns: Sampling,
    rows: Sampling,
    outputs: (u32, u32),
}

impl Plane {
    /// Decides on the smallest size that leaves [`kept`] to the resizer in both directions.
    fn new(header: &Header<'_>, component: &Component, framing: Framing) -> Self {
        let largest = |factor: fn(&Component) -> u32| header.components.iter().map(factor).max();
        let (h, v) = (largest(|c| c.h).unwrap_or(1), largest(|c| c.v).unwrap_or(1));
        let columns = Direction {
            pixels: header.width,
            shown: framing.columns,
            factor: component.h,
            largest: h,
        };
        let rows = Direction {
            pixels: header.height,
            shown: framing.rows,
            factor: component.v,
            largest: v,
        };
        let shrink = columns.shrink().min(rows.shrink());
        let chroma = columns.factor * rows.factor < h * v;
        let side = [BlockSide::One, BlockSide::Two, BlockSide::Four]
            .into_iter()
            .find(|side| shrink * f64::from(side.samples()) / 8.0 >= kept(*side, chroma))
            .unwrap_or(BlockSide::Eight);
        let (width, height) = component.plane_size(side);
        Self {
            side,
            columns: columns.sampling(side, width),
            rows: rows.sampling(side, height),
            outputs: framing.size(),
        }
    }

    fn axes(&self) -> (Axis, Axis) {
        let (columns, rows) = self.outputs;
        (Axis::new(self.columns, columns), Axis::new(self.rows, rows))
    }
}

/// The reduction that decoding must leave to the resizer, at least.
///
/// Less than 2 costs 3 to 9 dB. Subsampled chroma is smooth enough for less, except where it is block means.
fn kept(side: BlockSide, chroma: bool) -> f64 {
    if chroma && side != BlockSide::One {
        1.5
    } else {
        2.0
    }
}

/// A component along one axis of the picture.
struct Direction {
    pixels: u32,
    /// The part of them that is shown.
    shown: Stretch,
    /// The component's sampling factor.
    factor: u32,
    /// The largest sampling factor of all components.
    largest: u32,
}

impl Direction {
    /// The length of `pixels` of the picture in full-size samples of the component.
    fn samples(&self, pixels: f64) -> f64 {
        pixels * f64::from(self.factor) / f64::from(self.largest)
    }

    /// The number of full-size samples that make one of the output.
    fn shrink(&self) -> f64 {
        self.samples(self.shown.extent) / f64::from(self.shown.outputs)
    }

    fn sampling(&self, side: BlockSide, count: u32) -> Sampling {
        let reduced = f64::from(side.samples()) / 8.0;
        let halved = self.factor * 2 == self.largest;
        // Block means are blurred; the larger sizes are samples of the block's frequencies, which aren't.
        let means = if side == BlockSide::One {
            Sampling::blur_of_means(8)
        } else {
            0.0
        };
        // Viewers blur halved chroma when they double it by three quarters and one quarter; the output is to match.
        let doubling = if halved {
            3.0 / 32.0 * reduced * reduced
        } else {
            0.0
        };
        let full = Full {
            count: self.pixels,
            start: self.shown.start,
            extent: self.shown.extent,
        };
        Sampling {
            count,
            start: self.samples(self.shown.start) * reduced,
            extent: self.samples(self.shown.extent) * reduced,
            blur: means - doubling,
            doubled: Some(full).filter(|_| halved && side == BlockSide::Eight),
        }
    }
}
