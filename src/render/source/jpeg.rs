//! A JPEG's components to finished pixels: each is resized on its own, and colours are converted only then.
//!
//! So chroma is never brought to the size of luma, and colour conversion touches the thumbnail's pixels alone.

mod decode;
mod joined;

use self::decode::{BlockSide, Colour, Component, Header};
use crate::render::orientation::Orientation;
use crate::render::output::{self, Picture, Planes};
use crate::render::pixels::{Pixels, from_planes};
use crate::render::resize::{Axis, Full, Sampling, Shrink};
use crate::render::size::{Framing, Stretch};
use crate::render::{Encoding, Limits, Refusal, Target, colour};

/// A JPEG that is about to be rendered.
pub(in crate::render) struct Photo<'a> {
    pub(super) header: Header<'a>,
    pub(super) orientation: Orientation,
    source: &'a [u8],
    views: Vec<View>,
}

/// What one target makes of a JPEG.
struct View {
    framing: Framing,
    planes: Vec<Plane>,
    way: Way,
}

/// How a view's samples become finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Components are joined to pixels before they are resized.
    Joined,
    /// Components are resized on their own, and converted to red, green and blue.
    Converted,
    /// Components stay what they are; chroma is halved where the output stores it so.
    Kept { halved: bool },
}

impl<'a> Photo<'a> {
    /// Reads the header and decides at which sizes to decode.
    pub(super) fn read(
        source: &'a [u8],
        limits: Limits,
        targets: &[Target],
    ) -> Result<Self, Refusal> {
        let header = Header::read(source)?;
        limits.check(header.width, header.height)?;
        let orientation = header.exif.map(Orientation::from_exif).unwrap_or_default();
        let keeps_components = keeps_components(&header);
        let view = |target: &Target| {
            let framing = orientation.frame(header.width, header.height, target);
            let chroma = keeps_components.then(|| stored_chroma(target.encoding));
            View::new(&header, framing, chroma.flatten())
        };
        let views = targets.iter().map(view).collect();
        Ok(Self {
            header,
            orientation,
            source,
            views,
        })
    }

    /// The size of each target's output, not yet turned.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (u32, u32)> {
        self.views.iter().map(|view| view.framing.size())
    }

    /// An upper bound of the heap that [`Self::render`] takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let decoders = self.passes().into_iter().map(|pass| match pass {
            Pass::Joined => {
                decode::memory_bytes(&self.header, &[BlockSide::Eight; 3])
                    + joined::memory_bytes(&self.header)
            }
            Pass::Apart(sides) => decode::memory_bytes(&self.header, &sides),
        });
        let resizers = self
            .views
            .iter()
            .map(|view| view.memory_bytes(&self.header));
        let profile = self
            .header
            .icc()
            .map_or(0, |icc| colour::memory_bytes(icc.len()));
        decoders.max().unwrap_or(0) + resizers.sum::<u64>() + profile
    }

    /// Renders the picture for each target, not yet turned, and hands the pixels on with the target's index.
    ///
    /// The file is decoded once for each set of sizes that some target wants, so that pixels depend on the target alone and
    /// not on its siblings.
    pub(super) fn render(
        &self,
        take: &mut impl FnMut(usize, Picture) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        for pass in self.passes() {
            let wanted = |(_, view): &(usize, &View)| view.pass() == pass;
            let views: Vec<_> = self.views.iter().enumerate().filter(wanted).collect();
            let framings: Vec<_> = views.iter().map(|(_, view)| view.framing).collect();
            match &pass {
                Pass::Joined => {
                    let rendered = joined::render(&self.header, self.source, &framings)?;
                    for ((index, view), [r, g, b]) in views.iter().zip(rendered) {
                        let pixels = from_planes([&r, &g, &b], columns_of(view.framing));
                        let pixels = colour::to_srgb(pixels, self.header.icc().as_deref());
                        take(*index, Picture::Pixels(pixels))?;
                    }
                }
                Pass::Apart(sides) => {
                    let planes = self.planes(sides, &views)?;
                    for ((index, view), mut planes) in views.into_iter().zip(planes) {
                        let width = columns_of(view.framing);
                        let picture = match view.way {
                            Way::Kept { halved } => {
                                Picture::Planes(Planes::from_samples(&planes, width, halved))
                            }
                            Way::Joined | Way::Converted => {
                                Picture::Pixels(self.convert(&mut planes, width)?)
                            }
                        };
                        take(index, picture)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The passes over the file, each for the views that share it.
    fn passes(&self) -> Vec<Pass> {
        let mut passes = Vec::new();
        for pass in self.views.iter().map(View::pass) {
            if !passes.contains(&pass) {
                passes.push(pass);
            }
        }
        passes
    }

    /// The planes of each of these views, decoded at these sizes.
    fn planes(
        &self,
        sides: &[BlockSide],
        views: &[(usize, &View)],
    ) -> Result<Vec<Vec<Vec<f32>>>, Refusal> {
        let axes: Vec<Vec<(Axis, Axis)>> = views.iter().map(|(_, view)| view.axes()).collect();
        let mut shrinks: Vec<Vec<Shrink<u16, 1>>> = axes
            .iter()
            .map(|axes| {
                let shrinks = axes.iter();
                shrinks
                    .map(|(columns, rows)| Shrink::new(columns, rows, 1))
                    .collect()
            })
            .collect();
        let mut rows = vec![0; sides.len()];
        let mut sink = |component: usize, samples: &[u8]| {
            let Some(y) = rows.get_mut(component) else {
                return;
            };
            for shrink in shrinks
                .iter_mut()
                .filter_map(|view| view.get_mut(component))
            {
                let sums = shrink.row(*y).as_flattened_mut();
                sums.iter_mut()
                    .zip(samples)
                    .for_each(|(sum, sample)| *sum += u16::from(*sample));
            }
            *y += 1;
        };
        decode::decode(&self.header, self.source, sides, &mut sink)?;
        let finished = shrinks.into_iter().map(|view| {
            let planes = view.into_iter().map(|shrink| shrink.finish().concat());
            planes.collect()
        });
        Ok(finished.collect())
    }

    /// The pixels of the components' planes, in sRGB.
    fn convert(&self, planes: &mut [Vec<f32>], width: usize) -> Result<Pixels, Refusal> {
        let icc = self.header.icc();
        let profile = icc.as_deref();
        match (self.header.colour, planes) {
            (Colour::Grey, [grey]) => Ok(colour::to_srgb(from_planes([grey], width), profile)),
            (Colour::YCbCr, [y, cb, cr]) => {
                ycc_to_rgb(y, cb, cr);
                Ok(colour::to_srgb(from_planes([y, cb, cr], width), profile))
            }
            (Colour::Rgb, [r, g, b]) => Ok(colour::to_srgb(from_planes([r, g, b], width), profile)),
            (Colour::Cmyk, [c, m, y, k]) => {
                let stored_inverted = self.header.adobe;
                Ok(colour::cmyk_to_srgb(
                    [c, m, y, k],
                    stored_inverted,
                    width,
                    profile,
                ))
            }
            (Colour::Ycck, [c, m, y, k]) => {
                // The first three are luma and chroma of what the inks leave of the light.
                ycc_to_rgb(c, m, y);
                for light in c.iter_mut().chain(&mut **m).chain(&mut **y) {
                    *light = 255.0 - *light;
                }
                let planes: [&[f32]; 4] = [c, m, y, k];
                Ok(colour::cmyk_to_srgb(
                    planes,
                    self.header.adobe,
                    width,
                    profile,
                ))
            }
            _ => Err(Refusal::Corrupt("colours of the JPEG".to_owned())),
        }
    }
}

/// Converts full-range `Y'CbCr` to `R'G'B'` in place (ITU-T T.871, section 7).
pub(super) fn ycc_to_rgb(y: &mut [f32], cb: &mut [f32], cr: &mut [f32]) {
    for ((y, cb), cr) in y.iter_mut().zip(cb).zip(cr) {
        let (luma, blue, red) = (*y, *cb - 128.0, *cr - 128.0);
        *y = luma + 1.402 * red;
        *cb = luma - 0.344_136 * blue - 0.714_136 * red;
        *cr = luma + 1.772 * blue;
    }
}

/// A way through the file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pass {
    /// At full size, components joined to pixels before they are resized.
    Joined,
    /// At these sizes, each component on its own.
    Apart(Vec<BlockSide>),
}

/// The most pixels of a picture that is held whole for a target that isn't tiny.
const MAX_JOINED_PIXELS: u64 = 1 << 20;

/// Whether luma and chroma are those of sRGB, so that they may stay what they are.
fn keeps_components(header: &Header<'_>) -> bool {
    let profile = header.icc();
    let is_srgb = profile.is_none_or(|profile| colour::is_srgb(&profile));
    is_srgb && matches!(header.colour, Colour::Grey | Colour::YCbCr)
}

/// Whether an output of a JPEG stores chroma halved, `None` where it stores none.
fn stored_chroma(encoding: Encoding) -> Option<bool> {
    match encoding {
        Encoding::Png => None,
        Encoding::Jpeg(quality, _) | Encoding::Source(quality, _) => {
            Some(output::halves_chroma(quality))
        }
        Encoding::WebP(_) => Some(true),
    }
}

impl View {
    /// `chroma` says how the output stores chroma, where the components may stay what they are.
    fn new(header: &Header<'_>, framing: Framing, chroma: Option<bool>) -> Self {
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
            planes,
            way,
        }
    }

    fn pass(&self) -> Pass {
        match self.way {
            Way::Joined => Pass::Joined,
            Way::Converted | Way::Kept { .. } => {
                Pass::Apart(self.planes.iter().map(|plane| plane.side).collect())
            }
        }
    }

    fn axes(&self) -> Vec<(Axis, Axis)> {
        self.planes.iter().map(Plane::axes).collect()
    }

    fn memory_bytes(&self, header: &Header<'_>) -> u64 {
        if self.way == Way::Joined {
            return joined::view_memory_bytes(header, self.framing.size());
        }
        let planes = self.planes.iter();
        planes
            .map(|plane| {
                let samples = (plane.columns.count, plane.rows.count);
                Shrink::<u16, 1>::memory_bytes(samples, plane.outputs)
            })
            .sum()
    }
}

/// Whether too few samples make a pixel to resize components on their own.
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

fn columns_of(framing: Framing) -> usize {
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
    /// Decides on the smallest size that leaves enough to the resizer in both directions.
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

/// The factor that decoding must leave to the resizer, lest it shows.
///
/// Less than 2 costs 3 to 9 dB. Subsampled chroma is smooth enough to do with less, unless block means are all there is.
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
    /// The picture's largest.
    largest: u32,
}

impl Direction {
    /// How many samples of the component so many pixels cover at full size; they may end within the last.
    fn samples(&self, pixels: f64) -> f64 {
        pixels * f64::from(self.factor) / f64::from(self.largest)
    }

    /// How many samples at full size make one of the output.
    fn shrink(&self) -> f64 {
        self.samples(self.shown.extent) / f64::from(self.shown.outputs)
    }

    fn sampling(&self, side: BlockSide, count: u32) -> Sampling {
        let reduced = f64::from(side.samples()) / 8.0;
        let halved = self.factor * 2 == self.largest;
        // A block's mean is blurred like any mean; the larger sizes are samples of its frequencies, which aren't.
        let means = if side == BlockSide::One {
            Sampling::blur_of_means(8)
        } else {
            0.0
        };
        // Doubling halved chroma by threes and ones blurs it, and the picture to match has that done.
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
