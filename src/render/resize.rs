//! Resizing row by row: means of whole-number boxes first, then Lanczos3 to the exact size.
//!
//! A full Lanczos3 costs six multiplications per sample and axis. [`Shrink`] first adds up boxes of whole samples, one
//! addition each, and leaves a factor of at least 4 to the filter, whose weights undo the boxes' blur. Positions are
//! exact throughout: the last box may be short, and a plane may end within its last sample. Memory is a few rows and
//! the output.

mod axis;
mod filter;
mod sampling;
mod shrink;

pub(super) use axis::Axis;
pub(super) use filter::{Form, Resized};
pub(super) use sampling::{Full, Sampling};
pub(super) use shrink::{Grid, Shrink, Sum};
