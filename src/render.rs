//! Renders a picture's bytes to outputs: no I/O, no clock, no logging.
//!
//! [`Plan::new`] reads the header and knows the memory the rest will take; [`Plan::render`] does it.
//!
//! # Where a format goes
//!
//! - A format that comes in has its room in `source`: `source/jpeg`, `source/png`. It reads a header, tells the memory that
//!   decoding takes, and hands rows to the resizers, one for each target.
//! - `resize` takes rows of samples to the final size, whatever they come from.
//! - A format that goes out has its room in `output`: `output/png`, `output/jpeg`, `output/webp`.
//! - `target` says what is wanted, `size` what that means for a picture, `placeholder` makes its hash.
//!
//! # One decode, and outputs that don't know of each other
//!
//! An output's bytes depend on the source and its target alone. Each target chooses the size to decode at as if it were
//! alone. A JPEG's entropy-coded data are decoded once, for the largest of these sizes; the smaller ones are transforms of
//! the same coefficients, without those bits that they would have passed over.

mod colour;
mod heap;
mod lanes;
mod orientation;
mod output;
mod paeth;
mod pixels;
mod placeholder;
mod refusal;
mod resize;
mod size;
mod source;
mod target;

pub use output::{Encoded, Format};
pub use refusal::Refusal;
pub use source::{SourceFormat, SourceFormats};
pub use target::{
    Background, BoxSize, Encoding, Fit, InvalidTarget, MAX_BOX_SIDE, Quality, Side, Target,
};

use output::Picture;
use source::Source;

/// The pixels that a picture may have unless the operator says otherwise.
pub const DEFAULT_MAX_PIXELS: u64 = 250_000_000;

/// The operator's limits on a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width times height, as stored.
    pub max_pixels: u64,
    /// The formats that are read.
    pub formats: SourceFormats,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: DEFAULT_MAX_PIXELS,
            formats: SourceFormats::DEFAULT,
        }
    }
}

impl Limits {
    /// Refuses a picture of more pixels.
    fn check(self, width: u32, height: u32) -> Result<(), Refusal> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.max_pixels {
            return Err(Refusal::TooManyPixels {
                pixels,
                limit: self.max_pixels,
            });
        }
        Ok(())
    }
}

/// What a picture's header says of the work to come; nothing is decoded yet.
pub struct Plan<'a> {
    /// Columns as stored, before orientation.
    pub width: u32,
    /// Rows as stored, before orientation.
    pub height: u32,
    targets: Vec<Target>,
    source: Source<'a>,
}

impl<'a> Plan<'a> {
    /// Recognises the format by content, reads the header, and plans one output for each target.
    ///
    /// # Errors
    /// Refuses what is not a picture, not supported, over a limit, or malformed in its header.
    pub fn new(source: &'a [u8], limits: &Limits, targets: &[Target]) -> Result<Self, Refusal> {
        let source = Source::read(source, *limits, targets)?;
        let (width, height) = source.size();
        Ok(Self {
            width,
            height,
            targets: targets.to_vec(),
            source,
        })
    }

    /// Columns and rows as shown, after orientation.
    #[must_use]
    pub(crate) fn shown_size(&self) -> (u32, u32) {
        let orientation = self.source.orientation();
        orientation.turn_size((self.width, self.height))
    }

    /// An upper bound of the heap that [`Plan::render`] takes beyond the source, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let outputs = self.source.output_sizes().into_iter().zip(&self.targets);
        // Outputs are coded one after another. The pixels of those to come and the files of those done are held meanwhile.
        let (mut coder, mut waiting) = (0, 0);
        for (size, target) in outputs {
            let format = self.source.format_of(target);
            coder = coder.max(output::memory_bytes(size, format, target.encoding));
            waiting += output::waiting_bytes(size);
        }
        self.source.memory_bytes() + coder + waiting
    }

    /// Decodes the picture and renders its outputs, in the order of their targets.
    ///
    /// # Errors
    /// Refuses what turns out truncated, corrupt or too complex while decoding.
    pub fn render(self) -> Result<Rendered, Refusal> {
        let orientation = self.source.orientation();
        let mut outputs = vec![None; self.targets.len()];
        let hashed = self.hashed();
        let mut thumbhash = Vec::new();
        let mut take = |index: usize, picture: Picture| {
            let picture = picture.turned(orientation);
            if index == hashed {
                thumbhash = placeholder::hash(&picture);
            }
            if let (Some(target), Some(output)) = (self.targets.get(index), outputs.get_mut(index))
            {
                *output = Some(picture.encode(self.source.format_of(target), target.encoding)?);
            }
            Ok(())
        };
        self.source.render(&mut take)?;
        Ok(Rendered {
            outputs: outputs.into_iter().flatten().collect(),
            thumbhash,
        })
    }

    /// The target whose output is hashed: the first that shows the whole picture, if one does.
    fn hashed(&self) -> usize {
        let whole = |target: &Target| target.fit == Fit::Inside;
        self.targets.iter().position(whole).unwrap_or(0)
    }
}

/// All that is made of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One output for each target, in their order.
    pub outputs: Vec<Encoded>,
    /// The `ThumbHash` of the first output that shows the whole picture, or of the first.
    pub thumbhash: Vec<u8>,
}

/// The working memory of nearly every picture, assumed before its header is known; [`Plan::memory_bytes`] is the bound.
#[must_use]
pub(crate) fn usual_memory_bytes(targets: &[Target]) -> u64 {
    const DECODER: u64 = 6 << 20;
    let sides = |size: BoxSize| match size {
        BoxSize::Both(width, height) => (width.get(), height.get()),
        // Pictures are seldom longer than twice their width.
        BoxSize::Width(side) | BoxSize::Height(side) => (side.get(), 2 * side.get()),
    };
    let (mut coder, mut waiting) = (0, 0);
    for target in targets {
        let (width, height) = sides(target.size);
        // Planes of three colours while they are resized.
        waiting +=
            u64::from(width) * u64::from(height) * 12 + output::waiting_bytes((width, height));
        let format = match target.encoding {
            Encoding::Jpeg(..) => Format::Jpeg,
            Encoding::WebP(_) => Format::WebP,
            Encoding::Png | Encoding::Source(..) => Format::Png,
        };
        coder = coder.max(output::memory_bytes(
            (width, height),
            format,
            target.encoding,
        ));
    }
    DECODER + coder + waiting
}

/// Renders the default output of the picture in `source`: a PNG that fits 128x128.
///
/// # Errors
/// As [`Plan::new`] and [`Plan::render`].
pub fn render(source: &[u8], limits: &Limits) -> Result<Encoded, Refusal> {
    let rendered = Plan::new(source, limits, &[Target::default()])?.render()?;
    // There is one output for each target.
    let mut outputs = rendered.outputs.into_iter();
    outputs
        .next()
        .ok_or_else(|| Refusal::Corrupt("no output".to_owned()))
}
