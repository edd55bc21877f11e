//! The passes of an interlaced PNG (PNG specification, section 8).

use crate::render::resize::Grid;

/// Which rows and columns of the picture a pass holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) rows: Grid,
    pub(super) columns: Grid,
}

/// A pass that starts at `(x, y)` and steps by `dx` and `dy`.
const fn pass(x: usize, y: usize, dx: usize, dy: usize) -> Pass {
    Pass {
        rows: Grid { first: y, step: dy },
        columns: Grid { first: x, step: dx },
    }
}

/// The only pass of a picture that isn't interlaced.
pub(super) const WHOLE: [Pass; 1] = [pass(0, 0, 1, 1)];

/// The seven passes of an interlaced picture.
pub(super) const ADAM7: [Pass; 7] = [
    pass(0, 0, 8, 8),
    pass(4, 0, 8, 8),
    pass(0, 4, 4, 8),
    pass(2, 0, 4, 4),
    pass(0, 2, 2, 4),
    pass(1, 0, 2, 2),
    pass(0, 1, 1, 2),
];
