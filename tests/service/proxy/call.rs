//! Which of the service's storage calls a request is.

use crate::http::decode;

use super::wire::Request;

/// The folder of thumbnails, by which one bucket can hold sources and thumbnails.
const PREFIX: &str = "thumbnails/";

/// A storage call of an event's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// The read of the source, and what resumes it: resumed reads are pinned to a generation.
    Open,
    /// The write of the thumbnail.
    Write,
    /// The ranged read that tells an existing thumbnail's generation and metadata.
    LookAtThumbnail,
    /// The ranged and unpinned read that tells the live generation of the source.
    LookAtSource,
}

impl Call {
    pub const ALL: [Self; 4] = [
        Self::Open,
        Self::Write,
        Self::LookAtThumbnail,
        Self::LookAtSource,
    ];

    /// None for what the service has no need to call.
    pub fn of(request: &Request) -> Option<Self> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        if path.starts_with("/upload/") && matches!(request.method.as_str(), "POST" | "PUT") {
            return Some(Self::Write);
        }
        let has = |name: &str| query.split('&').any(|pair| pair.starts_with(name));
        let (_, name) = path.split_once("/o/")?;
        if request.method != "GET" || !has("alt=media") {
            return None;
        }
        let ranged = request.header("range").is_some();
        match (decode(name).starts_with(PREFIX), ranged) {
            (true, true) => Some(Self::LookAtThumbnail),
            (true, false) => None,
            (false, true) if !has("generation=") => Some(Self::LookAtSource),
            (false, _) => Some(Self::Open),
        }
    }
}
