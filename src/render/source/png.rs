//! PNG (W3C PNG specification, third edition): scanline by scanline from the file to the finished pixels.
//!
//! Only the picture data and the few chunks that change how it looks are read. Interlaced pictures need no more memory than
//! others: sums of boxes can be added up in any order, so each pass goes straight into the resizer.

mod adam7;
mod chunks;
mod header;
mod samples;
mod scanlines;
#[cfg(test)]
mod tests;
mod unfilter;

pub(super) use header::Header;

use adam7::Pass;
use header::ColourType;
use samples::{
    Table, add_alpha_bytes, add_alpha_words, add_bytes, add_indexed, add_keyed, add_words,
};
use scanlines::Scanlines;

use crate::render::pixels::{Pixels, from_planes};
use crate::render::resize::{Axis, Grid, Shrink, Sum};
use crate::render::size::{self, Framing};
use crate::render::{Refusal, colour};

/// Renders the picture in each framing, not yet turned.
pub(super) fn render(header: &Header<'_>, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal> {
    let axes = framings
        .iter()
        .map(|framing| framing.axes(header.width, header.height));
    let picture = Picture {
        header,
        framings,
        axes: axes.collect(),
    };
    picture.render()
}

/// The longest ICC profile that is inflated; real ones are smaller.
const MAX_PROFILE_BYTES: usize = 4 << 20;

/// The profile in the content of an iCCP chunk: a name, a zero, the method (0) and zlib data.
fn profile(content: &[u8]) -> Option<Vec<u8>> {
    let end = content.iter().take(80).position(|byte| *byte == 0)?;
    match content.get(end + 1..)? {
        [0, deflated @ ..] => fdeflate::decompress_to_vec_bounded(deflated, MAX_PROFILE_BYTES).ok(),
        _ => None,
    }
}

/// An upper bound of the heap that [`render`] takes.
pub(super) fn memory_bytes(header: &Header<'_>, framings: &[Framing]) -> u64 {
    let row = (u64::from(header.width) * header.pixel_bits()).div_ceil(8);
    let size = (header.width, header.height);
    let resizer = |framing: &Framing| Shrink::<u32, 4>::memory_bytes(size, framing.size());
    let resizer: u64 = framings.iter().map(resizer).sum();
    let profile = header.profile.as_ref();
    let profile = profile.map_or(0, |profile| colour::memory_bytes(profile.len()));
    Scanlines::memory_bytes(row) + resizer + profile
}

struct Picture<'a> {
    header: &'a Header<'a>,
    framings: &'a [Framing],
    axes: Vec<(Axis, Axis)>,
}

/// How outputs gather their samples; the numbers are the outputs'.
enum Gatherer<'a, S, const C: usize> {
    /// Those that shrink by the same boxes.
    Shrink(Vec<usize>, Box<Shrink<'a, S, C>>),
    /// All samples as they are: the resizer's fractions would change some of them by one.
    Copy(Vec<usize>, [Vec<f32>; C]),
}

impl<'a, S: Sum, const C: usize> Gatherer<'a, S, C> {
    /// The outputs, to which another may be added that gathers the same.
    fn shares(
        &mut self,
        whole: bool,
        columns: &'a Axis,
        rows: &'a Axis,
    ) -> Option<&mut Vec<usize>> {
        match self {
            Self::Shrink(outputs, shrink) => {
                (!whole && shrink.shares(columns, rows)).then_some(outputs)
            }
            Self::Copy(outputs, _) => whole.then_some(outputs),
        }
    }
}

impl Picture<'_> {
    fn render(&self) -> Result<Vec<Pixels>, Refusal> {
        let header = self.header;
        let key = header.transparency;
        match (header.colour_type, header.depth) {
            (ColourType::Palette, _) => self.render_indexed(&palette(header)),
            (ColourType::Grey, depth @ ..8) => self.render_indexed(&greys(depth, key)),
            (ColourType::Grey, 8) if key.len() >= 2 => self.render_indexed(&greys(8, key)),
            (ColourType::Grey, 8) => self.shrink(1, add_bytes::<1>),
            (ColourType::Grey, _) => match key_of::<2, 1>(key) {
                Some(key) => self.shrink(257, |row, sums| add_keyed::<2, 1, 2>(row, key, sums)),
                None => self.shrink(257, add_words::<1>),
            },
            (ColourType::Rgb, 8) => match key_of::<2, 3>(key) {
                Some(key) => {
                    let key = key.map(|[_, low]| [low]);
                    self.shrink(1, |row, sums| add_keyed::<1, 3, 4>(row, key, sums))
                }
                None => self.shrink(1, add_bytes::<3>),
            },
            (ColourType::Rgb, _) => match key_of::<2, 3>(key) {
                Some(key) => self.shrink(257, |row, sums| add_keyed::<2, 3, 4>(row, key, sums)),
                None => self.shrink(257, add_words::<3>),
            },
            (ColourType::GreyAlpha, 8) => self.shrink(255, add_alpha_bytes::<2>),
            (ColourType::GreyAlpha, _) => {
                let exact = |row: &[u8], sums: &mut [_]| add_alpha_bytes::<2>(&high(row), sums);
                self.gather(257, add_alpha_words::<2>, 255, exact)
            }
            (ColourType::Rgba, 8) => self.shrink(255, add_alpha_bytes::<4>),
            (ColourType::Rgba, _) => {
                let exact = |row: &[u8], sums: &mut [_]| add_alpha_bytes::<4>(&high(row), sums);
                self.gather(257, add_alpha_words::<4>, 255, exact)
            }
        }
    }

    /// Renders a picture of single samples whose values stand for the entries of `colours`.
    fn render_indexed(&self, colours: &[[u8; 4]]) -> Result<Vec<Pixels>, Refusal> {
        let depth = usize::from(self.header.depth);
        let opaque = colours.iter().all(|colour| colour[3] == u8::MAX);
        let grey = colours.iter().all(|[r, g, b, _]| r == g && g == b);
        if opaque && grey {
            let table = table(colours, |[grey, ..]| [u32::from(grey)]);
            self.shrink(1, |row, sums| add_indexed::<1>(row, depth, &table, sums))
        } else if opaque {
            let table = table(colours, |[r, g, b, _]| [r, g, b].map(u32::from));
            self.shrink(1, |row, sums| add_indexed::<3>(row, depth, &table, sums))
        } else {
            let table = table(colours, |[r, g, b, alpha]| {
                [r, g, b, u8::MAX].map(|sample| u32::from(sample) * u32::from(alpha))
            });
            self.shrink(255, |row, sums| {
                add_indexed::<4>(row, depth, &table, sums);
            })
        }
    }

    /// Adds up all scanlines by `add`; `unit` is what a sample of 1 of 255 adds.
    fn shrink<S: Sum, const C: usize>(
        &self,
        unit: u32,
        add: impl Fn(&[u8], &mut [[S; C]]),
    ) -> Result<Vec<Pixels>, Refusal> {
        self.gather(unit, &add, unit, &add)
    }

    /// Adds up all scanlines by `add` where the picture is resized, and by `copy` where it keeps its size.
    fn gather<S: Sum, const C: usize>(
        &self,
        unit: u32,
        add: impl Fn(&[u8], &mut [[S; C]]),
        copy_unit: u32,
        copy: impl Fn(&[u8], &mut [[S; C]]),
    ) -> Result<Vec<Pixels>, Refusal> {
        let (width, height) = (self.header.width, self.header.height);
        let samples = size::index(width) * size::index(height);
        let mut gatherers: Vec<Gatherer<S, C>> = Vec::new();
        for (output, (framing, (columns, rows))) in self.framings.iter().zip(&self.axes).enumerate()
        {
            let whole = framing.is_whole(width, height);
            let mut all = gatherers.iter_mut();
            if let Some(outputs) = all.find_map(|each| each.shares(whole, columns, rows)) {
                outputs.push(output);
            } else if whole {
                let planes = std::array::from_fn(|_| vec![0.0; samples]);
                gatherers.push(Gatherer::Copy(vec![output], planes));
            } else {
                let shrink = Shrink::new(columns, rows, unit);
                gatherers.push(Gatherer::Shrink(vec![output], Box::new(shrink)));
            }
        }
        let width = size::index(width);
        let mut line_sums = vec![[S::default(); C]; width];
        let mut pass = Grid::WHOLE;
        self.walk(|grid, y, line| {
            for gatherer in &mut gatherers {
                match gatherer {
                    Gatherer::Shrink(_, shrink) => {
                        if pass != grid {
                            shrink.start_pass(grid);
                        }
                        add(line, shrink.row(y));
                    }
                    Gatherer::Copy(_, planes) => {
                        line_sums.fill([S::default(); C]);
                        let sums = &mut line_sums[..grid.columns_before(width)];
                        copy(line, sums);
                        for (index, sums) in sums.iter().enumerate() {
                            let position = y * width + grid.first + index * grid.step;
                            for (plane, sum) in planes.iter_mut().zip(sums) {
                                plane[position] = level((*sum).into(), copy_unit);
                            }
                        }
                    }
                }
            }
            pass = grid;
        })?;
        let mut pixels = vec![None; self.framings.len()];
        let mut finish = |output: usize, planes: &[Vec<f32>; C]| {
            if let (Some(pixels), Some(framing)) =
                (pixels.get_mut(output), self.framings.get(output))
            {
                *pixels = Some(self.pixels(planes, *framing));
            }
        };
        for gatherer in gatherers {
            match gatherer {
                Gatherer::Shrink(outputs, shrink) => {
                    for (output, planes) in outputs.into_iter().zip(shrink.finish()) {
                        finish(output, &planes);
                    }
                }
                Gatherer::Copy(outputs, planes) => {
                    for output in outputs {
                        finish(output, &planes);
                    }
                }
            }
        }
        Ok(pixels.into_iter().flatten().collect())
    }

    /// Reads all scanlines, each with the columns that it holds and its row in the picture.
    fn walk(&self, mut take: impl FnMut(Grid, usize, &[u8])) -> Result<(), Refusal> {
        let bits = usize::try_from(self.header.pixel_bits()).unwrap_or(usize::MAX);
        let (width, height) = (
            size::index(self.header.width),
            size::index(self.header.height),
        );
        let bytes = |pixels: usize| (pixels * bits).div_ceil(8);
        let (first, rest) = (self.header.first, self.header.rest.clone());
        let mut lines = Scanlines::new(first, rest, bytes(width), bits.div_ceil(8));
        for Pass { rows, columns } in self.passes() {
            let length = bytes(columns.columns_before(width));
            if length == 0 {
                continue;
            }
            lines.start_pass();
            for y in (rows.first..height).step_by(rows.step) {
                take(*columns, y, lines.next(length)?);
            }
        }
        lines.finish()
    }

    fn pixels<const C: usize>(&self, planes: &[Vec<f32>; C], framing: Framing) -> Pixels {
        let columns = size::index(framing.size().0);
        let pixels = from_planes(planes.each_ref().map(Vec::as_slice), columns);
        colour::to_srgb(pixels, self.header.profile.as_deref())
    }

    fn passes(&self) -> &'static [Pass] {
        if self.header.interlaced {
            &adam7::ADAM7
        } else {
            &adam7::WHOLE
        }
    }
}

/// 16-bit samples as 8-bit ones, rounded.
fn high(row: &[u8]) -> Vec<u8> {
    let samples = row.as_chunks().0.iter();
    let rounded = samples.map(|sample| (u32::from(u16::from_be_bytes(*sample)) + 128) / 257);
    rounded
        .map(|sample| u8::try_from(sample).unwrap_or(u8::MAX))
        .collect()
}

/// A sum as a sample of 0 to 255.
#[expect(
    clippy::cast_precision_loss,
    reason = "a single sample's sum is below 2^24"
)]
fn level(sum: u64, unit: u32) -> f32 {
    sum as f32 / unit as f32
}

/// The colours of a palette with their alpha. Values beyond the palette are black, as viewers show them.
fn palette(header: &Header<'_>) -> Vec<[u8; 4]> {
    let alphas = header
        .transparency
        .iter()
        .copied()
        .chain(std::iter::repeat(u8::MAX));
    let colours = header.palette.as_chunks::<3>().0.iter().zip(alphas);
    colours
        .map(|([r, g, b], alpha)| [*r, *g, *b, alpha])
        .take(1 << header.depth)
        .collect()
}

/// The greys of samples of `depth` bits, of which the one that `key` names is transparent.
fn greys(depth: u8, key: &[u8]) -> Vec<[u8; 4]> {
    let highest = u8::MAX >> (8 - depth);
    let key = key
        .get(1)
        .filter(|_| key.len() >= 2)
        .map(|low| low & highest);
    (0..=highest)
        .map(|value| {
            let grey = value * (u8::MAX / highest);
            [
                grey,
                grey,
                grey,
                if key == Some(value) { 0 } else { u8::MAX },
            ]
        })
        .collect()
}

/// What each value of a sample adds, by its colour.
fn table<const C: usize>(colours: &[[u8; 4]], entry: impl Fn([u8; 4]) -> [u32; C]) -> Table<C> {
    let mut table = [entry([0, 0, 0, u8::MAX]); 256];
    for (slot, colour) in table.iter_mut().zip(colours) {
        *slot = entry(*colour);
    }
    table
}

/// The colour that tRNS makes transparent: `S` samples of `B` bytes.
fn key_of<const B: usize, const S: usize>(transparency: &[u8]) -> Option<[[u8; B]; S]> {
    transparency.as_chunks::<B>().0.first_chunk().copied()
}
