//! An output's size, and the part of the picture that it shows.

use super::resize::{Axis, Sampling};
use super::target::{BoxSize, Fit, Target};

/// The part of a picture that a target shows, and the size that it becomes.
///
/// Both axes are as stored or as shown, whichever the caller means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Framing {
    pub(super) columns: Stretch,
    pub(super) rows: Stretch,
}

/// The interval of one axis that is shown, and the number of output pixels that it becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// The first pixel's position, 0 for the whole axis.
    pub(super) start: f64,
    /// The length in pixels of the picture.
    pub(super) extent: f64,
    /// The number of output pixels, at least 1.
    pub(super) outputs: u32,
}

impl Framing {
    /// Frames a picture of `width` x `height` as shown, that is after orientation.
    pub(super) fn new(width: u32, height: u32, target: &Target) -> Self {
        match (target.fit, target.size) {
            (Fit::Cover, BoxSize::Both(across, down)) => {
                Self::cover(width, height, across.get(), down.get())
            }
            (Fit::Inside | Fit::Cover, size) => {
                let (columns, rows) = inside(width, height, size);
                Self {
                    columns: Stretch::whole(width, columns),
                    rows: Stretch::whole(height, rows),
                }
            }
        }
    }

    /// Crops to the largest centred part of the box's ratio, and scales that to the box unless it is smaller.
    fn cover(width: u32, height: u32, across: u32, down: u32) -> Self {
        // The ratios are compared by cross products, in integers.
        let (by_height, by_width) = (
            u64::from(width) * u64::from(down),
            u64::from(height) * u64::from(across),
        );
        if by_height >= by_width {
            let (columns, rows) = (cut(across, down, height), down.min(height));
            Self {
                columns: Stretch::middle(width, exact(across, down, height), columns),
                rows: Stretch::whole(height, rows),
            }
        } else {
            let (columns, rows) = (across.min(width), cut(down, across, width));
            Self {
                columns: Stretch::whole(width, columns),
                rows: Stretch::middle(height, exact(down, across, width), rows),
            }
        }
    }

    /// Swaps rows and columns.
    pub(super) fn transposed(self) -> Self {
        Self {
            columns: self.rows,
            rows: self.columns,
        }
    }

    /// The resampling axes for a picture of `width` x `height` pixels.
    pub(super) fn axes(&self, width: u32, height: u32) -> (Axis, Axis) {
        let axis = |length, stretch: Stretch| {
            Axis::new(Sampling::stretch(length, stretch), stretch.outputs)
        };
        (axis(width, self.columns), axis(height, self.rows))
    }

    /// Whether all pixels of a picture of `width` x `height` are kept as they are.
    pub(super) fn is_whole(&self, width: u32, height: u32) -> bool {
        self.size() == (width, height)
    }

    /// The framing of a plane whose samples stand for 2x2 output pixels each; the last of an odd side reaches beyond.
    pub(super) fn halved(self) -> Self {
        let halved = |stretch: Stretch| {
            let outputs = stretch.outputs.div_ceil(2);
            let reached = f64::from(outputs) * 2.0 / f64::from(stretch.outputs);
            Stretch {
                start: stretch.start,
                extent: stretch.extent * reached,
                outputs,
            }
        };
        Self {
            columns: halved(self.columns),
            rows: halved(self.rows),
        }
    }

    /// Columns and rows of the output.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.columns.outputs, self.rows.outputs)
    }
}

impl Stretch {
    fn whole(length: u32, outputs: u32) -> Self {
        Self {
            start: 0.0,
            extent: f64::from(length),
            outputs,
        }
    }

    fn middle(length: u32, extent: f64, outputs: u32) -> Self {
        let length = f64::from(length);
        if extent <= f64::from(outputs) + 0.5 {
            // Not reduced, hence aligned to whole pixels, which are kept as they are.
            let extent = f64::from(outputs);
            return Self {
                start: ((length - extent) / 2.0).floor(),
                extent,
                outputs,
            };
        }
        Self {
            start: (length - extent) / 2.0,
            extent,
            outputs,
        }
    }
}

/// A 32-bit count as an index; it saturates only on a machine that couldn't hold such a picture.
pub(super) fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// `this * length / other`: this side's exact length in the ratio `this` : `other`.
fn exact(this: u32, other: u32, length: u32) -> f64 {
    f64::from(this) * f64::from(length) / f64::from(other)
}

/// The output length of the cropped side: the box's, or [`exact`] rounded where the other side doesn't fill the box.
fn cut(this: u32, other: u32, length: u32) -> u32 {
    if length >= other {
        return this;
    }
    let (this, other, length) = (u64::from(this), u64::from(other), u64::from(length));
    let rounded = (2 * this * length + other) / (2 * other);
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

/// The size at which a picture of `width` x `height` fits a box.
///
/// A picture that fits keeps its size. Otherwise the side that limits the scale becomes the box's. The other is its
/// exact length rounded to the integer, at least 1, that brings width / height nearer to the source's (down if both are
/// as near).
fn inside(width: u32, height: u32, size: BoxSize) -> (u32, u32) {
    let (across, down) = match size {
        BoxSize::Both(across, down) => (across.get(), down.get()),
        BoxSize::Width(across) => (across.get(), u32::MAX),
        BoxSize::Height(down) => (u32::MAX, down.get()),
    };
    if width <= across && height <= down {
        return (width, height);
    }
    // `off` is |width / height - w / h| times height * h, an integer.
    let off = |w: u32, h: u32| {
        (u128::from(width) * u128::from(h)).abs_diff(u128::from(w) * u128::from(height))
    };
    if u64::from(width) * u64::from(down) > u64::from(height) * u64::from(across) {
        let low = floor(height, across, width);
        let high = low + 1;
        let low_wins = off(across, low) * u128::from(high) <= off(across, high) * u128::from(low);
        (across, if low_wins { low.max(1) } else { high })
    } else {
        let low = floor(width, down, height);
        let high = low + 1;
        let low_wins = off(low, down) <= off(high, down);
        (if low_wins { low.max(1) } else { high }, down)
    }
}

/// `free * side / length` rounded down, at most the free side of the box.
fn floor(free: u32, side: u32, length: u32) -> u32 {
    let exact = u64::from(free) * u64::from(side) / u64::from(length);
    u32::try_from(exact).unwrap_or(u32::MAX - 1)
}

#[cfg(test)]
mod tests;
