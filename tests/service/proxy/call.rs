//! Classifies a request as one of the service's storage calls.

use crate::http::decode;

use super::wire::Request;

/// The folder of thumbnails, by which one bucket can hold sources and thumbnails.
const PREFIX: &str = "thumbnails/";

/// A storage call that an event causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// The read of the source, and its resumption, which is pinned to a generation.
    Open,
    /// The write of the thumbnail.
    Write,
    /// The look at the thumbnail's place.
    LookAtThumbnail,
    /// The look at the source's live version.
    LookAtSource,
}

impl Call {
    pub const ALL: [Self; 4] = [
        Self::Open,
        Self::Write,
        Self::LookAtThumbnail,
        Self::LookAtSource,
    ];

    /// `None` for a call that the service never makes.
    pub fn of(request: &Request) -> Option<Self> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if path.starts_with("/upload/") && matches!(request.method.as_str(), "POST" | "PUT") {
            return Some(Self::Write);
        }
        let has = |name: &str| query.split('&').any(|pair| pair.starts_with(name));
        let (_, name) = path.split_once("/o/")?;
        if request.method != "GET" {
            return None;
        }
        let is_output = path.contains("/b/thumbs/") || decode(name).starts_with(PREFIX);
        match (is_output, has("alt=media")) {
            (true, true) => None,
            (true, false) => Some(Self::LookAtThumbnail),
            (false, true) => Some(Self::Open),
            (false, false) => Some(Self::LookAtSource),
        }
    }
}
