//! Reasons to skip an event or an output.

use crate::outcome::Severity;

/// Why an event, or one of its outputs, is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Nothing to act on: neither a new version, nor a deletion that is followed.
    NotFinalize,
    /// The object is an output of ours: by its place or by its marker.
    OwnObject,
    /// The object is the output of another resizer, by its metadata.
    ResizedImage,
    /// The object's bucket is not among the configured sources.
    SourceNotAllowed,
    /// The name ends in a slash: a folder's placeholder.
    Folder,
    /// The name matches no wildcard to include.
    NotIncluded,
    /// The name matches a wildcard to exclude.
    Excluded,
    /// The name has no extension.
    NoExtension,
    /// The name's extension is none of the source types.
    Extension,
    /// Neither the name's extension nor the content type is one of the source types.
    ContentType,
    /// The output's name would be longer than Cloud Storage takes.
    NameTooLong,
    /// The output's name is that of its own source.
    SourceItself,
    /// The output's name is that of an earlier rendition of the same source.
    SameName,
    /// The output's name is that of another source, which would be lost.
    OtherSource,
    /// The object has no bytes.
    Empty,
    /// The announced version is gone.
    Gone,
    /// Another version of the source is live by now, and has an event of its own.
    Superseded,
    /// The output already shows this version.
    Current,
    /// A deletion doesn't say of which version.
    NoGeneration,
    /// The deleted source has no output.
    NoThumbnail,
    /// The place holds the output of another version or source than the one that is gone, or no output of ours.
    OtherVersion,
}

impl Skip {
    /// The reason in the event's log line.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotFinalize => "not_finalize",
            Self::OwnObject => "own_object",
            Self::ResizedImage => "resized_image",
            Self::SourceNotAllowed => "source_not_allowed",
            Self::Folder => "folder",
            Self::NotIncluded => "not_included",
            Self::Excluded => "excluded",
            Self::NoExtension => "no_extension",
            Self::Extension => "extension",
            Self::ContentType => "content_type",
            Self::NameTooLong => "name_too_long",
            Self::SourceItself => "source_itself",
            Self::SameName => "same_name",
            Self::OtherSource => "other_source",
            Self::Empty => "empty",
            Self::Gone => "gone",
            Self::Superseded => "superseded",
            Self::Current => "current",
            Self::NoGeneration => "no_generation",
            Self::NoThumbnail => "no_thumbnail",
            Self::OtherVersion => "other_version",
        }
    }

    /// The severity of its log line: a warning if a source lacks an output that it should have.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::NameTooLong | Self::SourceItself | Self::SameName | Self::OtherSource => {
                Severity::Warning
            }
            Self::NotFinalize
            | Self::OwnObject
            | Self::ResizedImage
            | Self::SourceNotAllowed
            | Self::Folder
            | Self::NotIncluded
            | Self::Excluded
            | Self::NoExtension
            | Self::Extension
            | Self::ContentType
            | Self::Empty
            | Self::Gone
            | Self::Superseded
            | Self::Current
            | Self::NoGeneration
            | Self::NoThumbnail
            | Self::OtherVersion => Severity::Info,
        }
    }
}
