//! A JPEG's components to finished pixels: each is resized on its own, and colours are converted only then.
//!
//! So chroma is never brought to the size of luma, and colour conversion touches the thumbnail's pixels alone.

use super::jpeg::{self, BlockSide, Colour, Component, Header};
use super::orientation::Orientation;
use super::pixels::{Pixels, from_planes};
use super::resize::{Axis, Sampling, Shrink};
use super::{Limits, Refusal, colour, joined};

/// A JPEG that is about to be rendered.
pub(super) struct Photo<'a> {
    pub(super) header: Header<'a>,
    pub(super) orientation: Orientation,
    source: &'a [u8],
    /// The thumbnail's size before it is turned.
    size: (u32, u32),
    planes: Vec<Plane>,
}

impl<'a> Photo<'a> {
    /// Reads the header and decides at which sizes to decode.
    pub(super) fn read(source: &'a [u8], limits: Limits) -> Result<Self, Refusal> {
        let header = Header::read(source)?;
        limits.check(header.width, header.height)?;
        let orientation = header.exif.map(Orientation::from_exif).unwrap_or_default();
        let size = orientation.fit(header.width, header.height);
        let components = header.components.iter();
        let planes = components
            .map(|component| Plane::new(&header, component, size))
            .collect();
        Ok(Self {
            header,
            orientation,
            source,
            size,
            planes,
        })
    }

    fn sides(&self) -> Vec<BlockSide> {
        self.planes.iter().map(|plane| plane.side).collect()
    }

    /// Whether too few samples make a pixel to resize components on their own.
    fn is_small(&self) -> bool {
        const FEW: u32 = 3;
        let (width, height) = self.size;
        self.header.colour == Colour::YCbCr
            && (self.header.width < width * FEW || self.header.height < height * FEW)
            && self
                .planes
                .iter()
                .all(|plane| plane.side == BlockSide::Eight)
    }

    /// An upper bound of the heap that [`Self::render`] takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let resizers = if self.is_small() {
            joined::memory_bytes(&self.header, self.size)
        } else {
            let sizes = self
                .planes
                .iter()
                .map(|plane| (plane.columns.count, plane.rows.count));
            sizes
                .map(|size| Shrink::<u16, 1>::memory_bytes(size, self.size))
                .sum()
        };
        let profile = self
            .header
            .icc()
            .map_or(0, |icc| colour::memory_bytes(icc.len()));
        jpeg::memory_bytes(&self.header, &self.sides()) + resizers + profile
    }

    /// Renders the picture, not yet turned.
    pub(super) fn render(&self) -> Result<Pixels, Refusal> {
        if self.is_small() {
            let [r, g, b] = joined::render(&self.header, self.source, self.size)?;
            let width = usize::try_from(self.size.0).unwrap_or(usize::MAX);
            let pixels = from_planes([&r, &g, &b], width);
            return Ok(colour::to_srgb(pixels, self.header.icc().as_deref()));
        }
        let axes: Vec<(Axis, Axis)> = self
            .planes
            .iter()
            .map(|plane| {
                (
                    Axis::new(plane.columns, self.size.0),
                    Axis::new(plane.rows, self.size.1),
                )
            })
            .collect();
        let mut shrinks: Vec<(usize, Shrink<u16, 1>)> = axes
            .iter()
            .map(|(columns, rows)| (0, Shrink::new(columns, rows, 1)))
            .collect();
        let mut sink = |component: usize, samples: &[u8]| {
            if let Some((y, shrink)) = shrinks.get_mut(component) {
                let sums = shrink.row(*y).as_flattened_mut();
                sums.iter_mut()
                    .zip(samples)
                    .for_each(|(sum, sample)| *sum += u16::from(*sample));
                *y += 1;
            }
        };
        jpeg::decode(&self.header, self.source, &self.sides(), &mut sink)?;
        let mut planes: Vec<Vec<f32>> = shrinks
            .into_iter()
            .map(|(_, shrink)| shrink.finish().concat())
            .collect();
        let width = axes.first().map_or(0, |(columns, _)| columns.outputs());
        self.convert(&mut planes, width)
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

/// One component as it will be decoded.
struct Plane {
    side: BlockSide,
    columns: Sampling,
    rows: Sampling,
}

impl Plane {
    /// Decides on the smallest size that leaves enough to the resizer in both directions.
    fn new(header: &Header<'_>, component: &Component, (width, height): (u32, u32)) -> Self {
        let largest = |factor: fn(&Component) -> u32| header.components.iter().map(factor).max();
        let (h, v) = (largest(|c| c.h).unwrap_or(1), largest(|c| c.v).unwrap_or(1));
        let columns = Direction {
            pixels: header.width,
            factor: component.h,
            largest: h,
        };
        let rows = Direction {
            pixels: header.height,
            factor: component.v,
            largest: v,
        };
        let shrink = (columns.extent() / f64::from(width)).min(rows.extent() / f64::from(height));
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
        }
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
    /// The component's sampling factor.
    factor: u32,
    /// The picture's largest.
    largest: u32,
}

impl Direction {
    /// How many samples of the component the picture covers at full size; it may end within the last.
    fn extent(&self) -> f64 {
        f64::from(self.pixels) * f64::from(self.factor) / f64::from(self.largest)
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
        Sampling {
            count,
            extent: self.extent() * reduced,
            blur: means - doubling,
            doubled: Some(self.pixels).filter(|_| halved && side == BlockSide::Eight),
        }
    }
}
