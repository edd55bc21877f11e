//! What a finished picture is coded as.
#![expect(dead_code, reason = "the renderer makes thumbnails alone so far")]

mod jpeg;
#[cfg(test)]
mod pictures;
mod planes;
mod webp;
