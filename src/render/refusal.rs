//! Why a picture has no thumbnail.

use thiserror::Error;

/// Why a picture has no thumbnail.
///
/// Only the picture's own bytes or a configured limit cause one, so the same bytes are refused again on every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The bytes begin like no known picture format, or there are none.
    #[error("not a picture")]
    NotAnImage,
    /// A named format or coding that is not rendered.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The bytes end before the picture does.
    #[error("the picture is cut off")]
    Truncated,
    /// The bytes contradict their format, as the text says.
    #[error("corrupt picture: {0}")]
    Corrupt(String),
    /// The header announces more pixels than [`Limits::max_pixels`](super::Limits::max_pixels).
    #[error("{pixels} pixels are more than the limit of {limit}")]
    TooManyPixels {
        /// Width times height, as the header says.
        pixels: u64,
        /// The limit in force.
        limit: u64,
    },
    /// Rendering would take unreasonable work for the picture's size, for the reason given.
    #[error("too complex: {0}")]
    TooComplex(&'static str),
}

impl Refusal {
    /// The refusal's short name, for logs and metadata.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotAnImage => "not_an_image",
            Self::Unsupported(_) => "unsupported",
            Self::Truncated => "truncated",
            Self::Corrupt(_) => "corrupt",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::TooComplex(_) => "too_complex",
        }
    }
}
