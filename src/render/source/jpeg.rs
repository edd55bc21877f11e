//! The JPEG renderer: each component is resized on its own, and colours are converted only then.
//!
//! So chroma isn't brought to the size of luma, and only the thumbnail's pixels are converted. Small pictures are an
//! exception ([`joined`]).

mod decode;
mod joined;
mod view;

use self::decode::{BlockSide, Colour, Header, Sides};
use self::view::{View, Way, columns_of, keeps_components, stored_chroma};
use crate::render::orientation::Orientation;
use crate::render::output::{Picture, Planes};
use crate::render::pixels::{Pixels, from_planes};
use crate::render::resize::{Axis, Resized};
use crate::render::source::planes::PlaneResizers;
use crate::render::{Limits, Refusal, Target, colour};

/// A JPEG whose header has been read.
pub(in crate::render) struct Photo<'a> {
    pub(super) header: Header<'a>,
    pub(super) orientation: Orientation,
    source: &'a [u8],
    views: Vec<View>,
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

    /// The size of each target's output, before orientation.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (u32, u32)> {
        self.views.iter().map(|view| view.framing.size())
    }

    /// An upper bound of the heap that [`Self::render`] takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let joined = self.views_of(true).next().map(|_| {
            decode::memory_bytes(&self.header, &[Sides::one(BlockSide::Eight); 3])
                + joined::memory_bytes(&self.header)
        });
        let views: Vec<_> = self.views_of(false).collect();
        let apart = Some(views).filter(|views| !views.is_empty());
        let apart = apart.map(|views| decode::memory_bytes(&self.header, &sides(&views)));
        let decoder = joined.max(apart).unwrap_or(0);
        let resizers = self
            .views
            .iter()
            .map(|view| view.memory_bytes(&self.header));
        let profile = self
            .header
            .icc()
            .map_or(0, |icc| colour::memory_bytes(icc.len()));
        decoder + resizers.sum::<u64>() + profile
    }

    /// Renders the picture for each target, and passes the target's index and output, before orientation, to `take`.
    ///
    /// The file is decoded once for all targets whose components are resized on their own, and once for those whose
    /// components are joined before. Pixels depend on the target alone, not on the other targets.
    pub(super) fn render(
        &self,
        take: &mut impl FnMut(usize, Picture) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let views: Vec<_> = self.views_of(true).collect();
        if !views.is_empty() {
            let framings: Vec<_> = views.iter().map(|(_, view)| view.framing).collect();
            let rendered = joined::render(&self.header, self.source, &framings)?;
            for ((index, view), [r, g, b]) in views.iter().zip(rendered) {
                let pixels = from_planes([r, g, b], columns_of(view.framing));
                let pixels = colour::to_srgb(pixels, self.header.icc().as_deref());
                take(*index, Picture::Pixels(pixels))?;
            }
        }
        let views: Vec<_> = self.views_of(false).collect();
        if views.is_empty() {
            return Ok(());
        }
        let planes = self.planes(&views)?;
        for ((index, view), planes) in views.into_iter().zip(planes) {
            let width = columns_of(view.framing);
            let picture = match view.way {
                Way::Kept { halved } => Picture::Planes(Planes::new(planes, width, halved)),
                Way::Joined | Way::Converted => Picture::Pixels(self.convert(planes, width)?),
            };
            take(index, picture)?;
        }
        Ok(())
    }

    /// The views that are [`Way::Joined`], or those that aren't.
    fn views_of(&self, joined: bool) -> impl Iterator<Item = (usize, &View)> {
        let views = self.views.iter().enumerate();
        views.filter(move |(_, view)| (view.way == Way::Joined) == joined)
    }

    /// Decodes and resizes the planes of each of these views.
    fn planes(&self, views: &[(usize, &View)]) -> Result<Vec<Vec<Resized>>, Refusal> {
        let axes: Vec<Vec<(Axis, Axis)>> = views.iter().map(|(_, view)| view.axes()).collect();
        let mut planes = PlaneResizers::new();
        for (number, (axes, (_, view))) in axes.iter().zip(views).enumerate() {
            for (component, (axes, side)) in axes.iter().zip(view.sides()).enumerate() {
                planes.add(number, component, side, axes, view.form());
            }
        }
        let mut sink =
            |component: usize, side: BlockSide, row: &[u8]| planes.take(component, side, row);
        decode::decode(&self.header, self.source, &sides(views), &mut sink)?;
        Ok(planes.finish(views.len()))
    }

    /// Converts the components' planes to sRGB pixels.
    fn convert(&self, planes: Vec<Resized>, width: usize) -> Result<Pixels, Refusal> {
        let icc = self.header.icc();
        let profile = icc.as_deref();
        let wrong = |_| Refusal::Corrupt("colours of the JPEG".to_owned());
        match self.header.colour {
            Colour::Grey => {
                let grey = <[_; 1]>::try_from(planes).map_err(wrong)?;
                Ok(colour::to_srgb(from_planes(grey, width), profile))
            }
            Colour::Rgb => {
                let rgb = <[_; 3]>::try_from(planes).map_err(wrong)?;
                Ok(colour::to_srgb(from_planes(rgb, width), profile))
            }
            Colour::YCbCr => {
                let planes = <[_; 3]>::try_from(planes).map_err(wrong)?;
                let mut planes = planes.map(Resized::exact);
                ycc_to_rgb(&mut planes);
                let rgb = planes.map(Resized::Exact);
                Ok(colour::to_srgb(from_planes(rgb, width), profile))
            }
            Colour::Cmyk => {
                let inks = <[_; 4]>::try_from(planes).map_err(wrong)?;
                let inks = inks.map(Resized::exact);
                let inverted = self.header.adobe;
                Ok(colour::cmyk_to_srgb(inks, inverted, width, profile))
            }
            Colour::Ycck => {
                // The first three are luma and chroma of the inverted inks.
                let [y, cb, cr, black] = <[_; 4]>::try_from(planes).map_err(wrong)?;
                let mut light = [y, cb, cr].map(Resized::exact);
                ycc_to_rgb(&mut light);
                let [c, m, y] =
                    light.map(|light| light.iter().map(|light| 255.0 - light).collect());
                let inks = [c, m, y, black.exact()];
                let inverted = self.header.adobe;
                Ok(colour::cmyk_to_srgb(inks, inverted, width, profile))
            }
        }
    }
}

/// The sizes at which the views need each component.
fn sides(views: &[(usize, &View)]) -> Vec<Sides> {
    let mut all: Vec<Sides> = Vec::new();
    for (_, view) in views {
        for (index, side) in view.sides().enumerate() {
            match all.get_mut(index) {
                Some(sides) => *sides = sides.with(side),
                None => all.push(Sides::one(side)),
            }
        }
    }
    all
}

/// Converts full-range `Y'CbCr` to `R'G'B'` in place (ITU-T T.871, section 7).
fn ycc_to_rgb([y, cb, cr]: &mut [Vec<f32>; 3]) {
    for ((y, cb), cr) in y.iter_mut().zip(cb).zip(cr) {
        let (luma, blue, red) = (*y, *cb - 128.0, *cr - 128.0);
        *y = luma + 1.402 * red;
        *cb = luma - 0.344_136 * blue - 0.714_136 * red;
        *cr = luma + 1.772 * blue;
    }
}
