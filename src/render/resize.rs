//! Resizing row by row: whole-number boxes on the fly, then Lanczos3 to the exact size.
//!
//! A full Lanczos3 costs six multiplications a sample and axis. Instead, [`Shrink`] adds up boxes of whole samples, which
//! costs one addition, and leaves a factor of at least 4 to the filter, which makes up for what boxes blur. Positions
//! are exact throughout: the last box may be short, and a plane may end within its last sample. Memory is a few rows and
//! the output.

mod axis;
mod filter;
mod sampling;
mod shrink;

pub(super) use axis::Axis;
pub(super) use filter::{Form, Plane};
pub(super) use sampling::{Full, Sampling};
pub(super) use shrink::{Grid, Shrink, Sum};
