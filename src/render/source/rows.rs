//! Row-by-row decoding into the resizers of all targets.

mod indexed;

use crate::render::orientation::Orientation;
use crate::render::pixels::{Pixels, from_planes};
use crate::render::resize::{Axis, Form, Grid, Resized, Shrink, Sum};
use crate::render::size::{self, Framing};
use crate::render::{Refusal, colour};

/// A picture that is decoded row by row, after its header was read.
pub(in crate::render) trait Rows {
    /// Columns and rows as stored.
    fn size(&self) -> (u32, u32);

    /// The orientation in which it is shown.
    fn orientation(&self) -> Orientation;

    /// The ICC profile, if there is one.
    fn profile(&self) -> Option<&[u8]>;

    /// An upper bound of the heap that decoding takes, that of [`Resizers`] aside.
    fn decoder_bytes(&self) -> u64;

    /// An upper bound of the heap that resizing takes.
    fn resizer_bytes(&self, framings: &[Framing]) -> u64 {
        Resizers::memory_bytes(self, framings)
    }

    /// Whether rows come from top to bottom, each once.
    fn in_order(&self) -> bool;

    /// Decodes all rows into the resizers of these framings.
    fn render(&self, framings: &[Framing]) -> Result<Vec<Pixels>, Refusal>;
}

/// A callback for rows: the columns that a row holds, its number in the picture, and its samples.
pub(super) type TakeRow<'a> = dyn FnMut(Grid, usize, &[u8]) + 'a;

/// The part of a picture that its rows cover; the rest is transparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cover {
    /// The column that a row's first sample belongs to.
    pub(super) left: usize,
    /// Whether the rows cover the whole picture.
    pub(super) whole: bool,
}

impl Cover {
    /// All of the picture.
    pub(super) const WHOLE: Self = Self {
        left: 0,
        whole: true,
    };
}

/// The resizers of all targets.
pub(in crate::render) struct Resizers<'a> {
    size: (u32, u32),
    profile: Option<&'a [u8]>,
    framings: &'a [Framing],
    axes: Vec<(Axis, Axis)>,
    /// What rows in such an order may be resized to.
    form: Form,
}

/// How a group of outputs, given by their indices, gathers samples.
enum Gatherer<'a, S, const C: usize> {
    /// Outputs that are resized with the same boxes.
    Shrink(Vec<usize>, Box<Shrink<'a, S, C>>),
    /// Outputs of the picture's own size: the resizer's fractions would change some samples by one.
    Copy(Vec<usize>, [Vec<f32>; C]),
}

impl<'a, S: Sum, const C: usize> Gatherer<'a, S, C> {
    /// The outputs of this group, if another with these axes may join it.
    fn shares(
        &mut self,
        whole: bool,
        columns: &'a Axis,
        rows: &'a Axis,
        form: Form,
    ) -> Option<&mut Vec<usize>> {
        match self {
            Self::Shrink(outputs, shrink) => {
                (!whole && shrink.shares(columns, rows, form)).then_some(outputs)
            }
            Self::Copy(outputs, _) => whole.then_some(outputs),
        }
    }
}

/// The samples of one output, channel by channel.
type Planes<const C: usize> = [Resized; C];

impl<'a> Resizers<'a> {
    /// Resizers for the picture, one for each framing.
    pub(super) fn new(picture: &'a impl Rows, framings: &'a [Framing]) -> Self {
        let size = picture.size();
        let axes = framings.iter().map(|framing| framing.axes(size.0, size.1));
        Self {
            size,
            profile: picture.profile(),
            framings,
            axes: axes.collect(),
            form: if picture.in_order() {
                Form::Rounded
            } else {
                Form::Exact
            },
        }
    }

    /// An upper bound of the heap that resizers for up to four channels take, conversion by the profile included.
    pub(super) fn memory_bytes(picture: &(impl Rows + ?Sized), framings: &[Framing]) -> u64 {
        // Alpha makes all channels exact.
        let resizer = |framing: &Framing| {
            Shrink::<u32, 4>::memory_bytes(picture.size(), framing.size(), Form::Exact, 1)
        };
        let resizers: u64 = framings.iter().map(resizer).sum();
        let profile = picture.profile();
        resizers + profile.map_or(0, |profile| colour::memory_bytes(profile.len()))
    }

    /// Resizes all rows that `walk` passes on; `add` adds them to sums, a sample of 1 of 255 as `unit`.
    pub(super) fn shrink<S: Sum, const C: usize>(
        &self,
        unit: u32,
        add: impl Fn(&[u8], &mut [[S; C]]),
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Pixels>, Refusal> {
        self.gather(unit, &add, unit, &add, walk)
    }

    /// As [`Self::shrink`], but with `copy` and `copy_unit` for outputs of the picture's own size.
    pub(super) fn gather<S: Sum, const C: usize>(
        &self,
        unit: u32,
        add: impl Fn(&[u8], &mut [[S; C]]),
        copy_unit: u32,
        copy: impl Fn(&[u8], &mut [[S; C]]),
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Pixels>, Refusal> {
        let add = |row: &[u8], _, sums: &mut [_]| add(row, sums);
        self.gather_together(unit, false, add, copy_unit, copy, walk)
    }

    /// As [`Self::gather`], but `add` adds so many columns to each sum.
    fn gather_together<S: Sum, const C: usize>(
        &self,
        unit: u32,
        together: bool,
        add: impl Fn(&[u8], usize, &mut [[S; C]]),
        copy_unit: u32,
        copy: impl Fn(&[u8], &mut [[S; C]]),
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Pixels>, Refusal> {
        let finish =
            |planes, columns| colour::to_srgb(from_planes::<C>(planes, columns), self.profile);
        // Alpha divides the other channels before they are rounded.
        let form = if C.is_multiple_of(2) {
            Form::Exact
        } else {
            self.form
        };
        let mut gatherers = self.gatherers(unit, form, together);
        self.fill(&mut gatherers, add, copy_unit, copy, walk)?;
        Ok(self.finish(gatherers, finish))
    }

    /// As [`Self::shrink`], for rows of cyan, magenta, yellow and black ink.
    pub(super) fn shrink_cmyk(
        &self,
        unit: u32,
        add: impl Fn(&[u8], &mut [[u32; 4]]),
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<Vec<Pixels>, Refusal> {
        let finish = |inks: Planes<4>, columns| {
            colour::cmyk_to_srgb(inks.map(Resized::exact), false, columns, self.profile)
        };
        let mut gatherers = self.gatherers(unit, Form::Exact, false);
        let add_apart = |row: &[u8], _, sums: &mut [_]| add(row, sums);
        self.fill(&mut gatherers, add_apart, unit, &add, walk)?;
        Ok(self.finish(gatherers, finish))
    }

    /// Gatherers to whose sums a sample of 1 of 255 adds `unit`, several columns `together` to one where that is possible.
    fn gatherers<S: Sum, const C: usize>(
        &self,
        unit: u32,
        form: Form,
        together: bool,
    ) -> Vec<Gatherer<'_, S, C>> {
        let (width, height) = self.size;
        let samples = size::index(width) * size::index(height);
        let mut gatherers: Vec<Gatherer<S, C>> = Vec::new();
        for (output, (framing, (columns, rows))) in self.framings.iter().zip(&self.axes).enumerate()
        {
            let whole = framing.is_whole(width, height);
            let mut all = gatherers.iter_mut();
            if let Some(outputs) = all.find_map(|each| each.shares(whole, columns, rows, form)) {
                outputs.push(output);
            } else if whole {
                let planes = std::array::from_fn(|_| vec![0.0; samples]);
                gatherers.push(Gatherer::Copy(vec![output], planes));
            } else {
                let mut shrink = Shrink::new(columns, rows, unit, form);
                if together {
                    shrink.sum_boxes();
                }
                gatherers.push(Gatherer::Shrink(vec![output], Box::new(shrink)));
            }
        }
        gatherers
    }

    fn fill<S: Sum, const C: usize>(
        &self,
        gatherers: &mut [Gatherer<'_, S, C>],
        add: impl Fn(&[u8], usize, &mut [[S; C]]),
        copy_unit: u32,
        copy: impl Fn(&[u8], &mut [[S; C]]),
        walk: impl FnOnce(&mut TakeRow<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let width = size::index(self.size.0);
        let mut line_sums = vec![[S::default(); C]; width];
        let mut pass = Grid::WHOLE;
        walk(&mut |grid, y, line| {
            for gatherer in &mut *gatherers {
                match gatherer {
                    Gatherer::Shrink(_, shrink) => {
                        if pass != grid {
                            shrink.start_pass(grid);
                        }
                        let together = shrink.together();
                        add(line, together, shrink.row(y));
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
        })
    }

    /// The outputs in the order of their framings; `finish` makes pixels of planes and their width.
    fn finish<S: Sum, const C: usize>(
        &self,
        gatherers: Vec<Gatherer<'_, S, C>>,
        finish: impl Fn(Planes<C>, usize) -> Pixels,
    ) -> Vec<Pixels> {
        let mut pixels = vec![None; self.framings.len()];
        let mut put = |output: usize, planes: Planes<C>| {
            if let (Some(pixels), Some(framing)) =
                (pixels.get_mut(output), self.framings.get(output))
            {
                *pixels = Some(finish(planes, size::index(framing.size().0)));
            }
        };
        for gatherer in gatherers {
            match gatherer {
                Gatherer::Shrink(outputs, shrink) => {
                    for (output, planes) in outputs.into_iter().zip(shrink.finish()) {
                        put(output, planes);
                    }
                }
                Gatherer::Copy(outputs, planes) => {
                    let planes = std::iter::repeat_n(planes.map(Resized::Exact), outputs.len());
                    for (output, planes) in outputs.into_iter().zip(planes) {
                        put(output, planes);
                    }
                }
            }
        }
        pixels.into_iter().flatten().collect()
    }
}

/// A sum as a sample of 0 to 255.
#[expect(
    clippy::cast_precision_loss,
    reason = "a single sample's sum is below 2^24"
)]
fn level(sum: u64, unit: u32) -> f32 {
    sum as f32 / unit as f32
}
