//! Which events are work, decided before anything is read.

use std::collections::BTreeSet;

use crate::event::{Event, EventKind};
use crate::names::{BucketName, Generation, ObjectName, Prefix};
use crate::stored::Origin;

/// The extensions that are rendered, without regard to case.
const EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];

/// Where pictures may come from and where their thumbnails go.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The bucket that thumbnails are stored in.
    pub target_bucket: BucketName,
    /// What their names begin with.
    pub prefix: Prefix,
    /// The buckets that pictures are taken from; empty means any.
    pub source_buckets: BTreeSet<BucketName>,
    /// Whether a thumbnail goes when its source goes.
    pub propagate_deletes: bool,
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A thumbnail is to be made.
    Make(Job),
    /// A thumbnail is to be removed.
    Remove(Removal),
}

/// A picture to be rendered, and the name its thumbnail will have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The picture's bucket.
    pub bucket: BucketName,
    /// The picture's name.
    pub name: ObjectName,
    /// The announced version; the live one where none was announced.
    pub generation: Option<Generation>,
    /// The thumbnail's name in the target bucket.
    pub thumbnail: ObjectName,
    /// The size in bytes of the version that was announced, where the notification tells.
    pub size: Option<u64>,
}

/// A thumbnail whose source is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The version that is gone; only a thumbnail of just this one is to be removed.
    pub origin: Origin,
    /// The thumbnail's name in the target bucket.
    pub thumbnail: ObjectName,
}

/// Why an event is acknowledged without a thumbnail being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The event is about neither a new version nor a deletion that is to be followed.
    NotFinalize,
    /// The object is a thumbnail of ours: by its place or by its marker.
    OwnObject,
    /// The object's bucket is not among the configured sources.
    SourceNotAllowed,
    /// The name ends in a slash: a folder's placeholder.
    Folder,
    /// The name has no extension.
    NoExtension,
    /// The name's extension is not jpg, jpeg or png.
    Extension,
    /// The thumbnail's name would be longer than Cloud Storage takes.
    NameTooLong,
    /// The object has no bytes.
    Empty,
    /// The announced version is gone.
    Gone,
    /// Another version of the source is live by now, and has an event of its own.
    Superseded,
    /// The thumbnail already shows this version.
    Current,
    /// A deletion doesn't say of which version.
    NoGeneration,
    /// The deleted source has no thumbnail.
    NoThumbnail,
    /// The thumbnail's place holds that of another version or bucket than the deleted one, or no thumbnail of ours.
    OtherVersion,
}

impl Skip {
    /// The reason in the event's log line.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NotFinalize => "not_finalize",
            Self::OwnObject => "own_object",
            Self::SourceNotAllowed => "source_not_allowed",
            Self::Folder => "folder",
            Self::NoExtension => "no_extension",
            Self::Extension => "extension",
            Self::NameTooLong => "name_too_long",
            Self::Empty => "empty",
            Self::Gone => "gone",
            Self::Superseded => "superseded",
            Self::Current => "current",
            Self::NoGeneration => "no_generation",
            Self::NoThumbnail => "no_thumbnail",
            Self::OtherVersion => "other_version",
        }
    }
}

impl Scope {
    /// Turns an event into a task.
    ///
    /// # Errors
    /// The first [`Skip`] that applies.
    pub fn admit(&self, event: &Event) -> Result<Task, Skip> {
        match event.kind {
            EventKind::Finalized => self.admit_picture(event).map(Task::Make),
            EventKind::Deleted { overwritten: false }
            | EventKind::Archived { overwritten: false }
                if self.propagate_deletes =>
            {
                self.admit_removal(event).map(Task::Remove)
            }
            EventKind::Deleted { .. } | EventKind::Archived { .. } | EventKind::Other => {
                Err(Skip::NotFinalize)
            }
        }
    }

    /// Turns an object that is or was announced into a job.
    ///
    /// # Errors
    /// The first [`Skip`] that applies.
    pub fn admit_picture(&self, event: &Event) -> Result<Job, Skip> {
        let thumbnail = self.thumbnail_of(event)?;
        if event.size == Some(0) {
            return Err(Skip::Empty);
        }
        Ok(Job {
            bucket: event.bucket.clone(),
            name: event.name.clone(),
            generation: event.generation,
            thumbnail,
            size: event.size.filter(|_| event.generation.is_some()),
        })
    }

    fn admit_removal(&self, event: &Event) -> Result<Removal, Skip> {
        Ok(Removal {
            thumbnail: self.thumbnail_of(event)?,
            origin: Origin {
                bucket: event.bucket.clone(),
                generation: event.generation.ok_or(Skip::NoGeneration)?,
            },
        })
    }

    /// The name of a picture's thumbnail, if the object is a picture of a source bucket by all that its event tells.
    fn thumbnail_of(&self, event: &Event) -> Result<ObjectName, Skip> {
        if event.marked || (event.bucket == self.target_bucket && self.prefix.covers(&event.name)) {
            return Err(Skip::OwnObject);
        }
        if !self.source_buckets.is_empty() && !self.source_buckets.contains(&event.bucket) {
            return Err(Skip::SourceNotAllowed);
        }
        check_extension(&event.name)?;
        self.prefix
            .thumbnail_of(&event.name)
            .ok_or(Skip::NameTooLong)
    }
}

fn check_extension(name: &ObjectName) -> Result<(), Skip> {
    if name.as_str().ends_with('/') {
        return Err(Skip::Folder);
    }
    let extension = name.extension().ok_or(Skip::NoExtension)?;
    let known = EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known));
    if known { Ok(()) } else { Err(Skip::Extension) }
}

#[cfg(test)]
mod tests;
