//! Decides which events are work, before anything is read.

mod name_filter;
mod skip;
mod source_types;

use std::collections::BTreeSet;

pub(crate) use name_filter::{NameFilter, Wildcard};
pub(crate) use skip::Skip;
use source_types::TypeMatch;
pub(crate) use source_types::{InvalidSourceTypes, SourceTypes};

use crate::event::{Event, EventKind};
use crate::names::{BucketName, Generation, ObjectName};
use crate::object::{Details, Object};
use crate::render::Target;
use crate::rendition::Renditions;
use crate::stored::RESIZED_IMAGE;

/// The custom metadata key of copies that Firebase's Resize Images extension could not resize.
const RESIZE_FAILED: &str = "resizeFailed";

/// Which objects are sources, and which outputs they have.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The bucket that outputs are stored in.
    pub target_bucket: BucketName,
    /// The renditions of each source.
    pub renditions: Renditions,
    /// The buckets that sources are taken from; empty means any.
    pub source_buckets: BTreeSet<BucketName>,
    /// The types of objects that are pictures.
    pub types: SourceTypes,
    /// The names of sources.
    pub names: NameFilter,
    /// Whether outputs are deleted with their source.
    pub propagate_deletes: bool,
}

/// The work that an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    /// Make outputs.
    Make(Job),
    /// Remove the outputs of this version, which is gone.
    Remove(Job, Generation),
}

/// A source and the places of its outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The source.
    pub source: Object,
    /// The outputs' places, at least one.
    pub places: Vec<Place>,
    /// The patterns of renditions that have no place, and why.
    pub left_out: Vec<(String, Skip)>,
    /// Whether current outputs are made again.
    pub force: bool,
}

/// One output's place in the target bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The output's name.
    pub name: ObjectName,
    /// How the source is rendered.
    pub recipe: Target,
}

impl Scope {
    /// Turns an event into a task.
    ///
    /// # Errors
    /// The first [`Skip`] that applies.
    pub(crate) fn admit(&self, event: &Event) -> Result<Task, Skip> {
        match event.kind {
            EventKind::Finalized => self.admit_object(&event.object()).map(Task::Make),
            EventKind::Deleted { overwritten: false }
            | EventKind::Archived { overwritten: false }
                if self.propagate_deletes =>
            {
                let job = self.job_of(&event.object())?;
                let gone = event.generation.ok_or(Skip::NoGeneration)?;
                Ok(Task::Remove(job, gone))
            }
            EventKind::Deleted { .. } | EventKind::Archived { .. } | EventKind::Other => {
                Err(Skip::NotFinalize)
            }
        }
    }

    /// Turns an object into a job if it is a source, as far as is known.
    ///
    /// # Errors
    /// The first [`Skip`] that applies.
    pub(crate) fn admit_object(&self, object: &Object) -> Result<Job, Skip> {
        let job = self.job_of(object)?;
        if object.size == Some(0) {
            return Err(Skip::Empty);
        }
        Ok(job)
    }

    /// Checks the details of an admitted object that only the store had.
    ///
    /// # Errors
    /// The first [`Skip`] that applies.
    pub(crate) fn admit_details(&self, name: &ObjectName, details: &Details) -> Result<(), Skip> {
        check_metadata(details)?;
        self.types
            .check_known(name, details.content_type.as_deref())
    }

    /// Whether an object of the target bucket is a source, which no output may replace.
    #[must_use]
    pub(crate) fn is_source(&self, of: &Object, name: &ObjectName, details: Details) -> bool {
        let bucket = &self.target_bucket;
        let object = Object {
            bucket: bucket.clone(),
            name: name.clone(),
            generation: None,
            size: None,
            details: Some(details),
        };
        (of.bucket == *bucket || self.source_buckets.contains(bucket))
            && self.check_source(&object).is_ok()
            && object
                .details
                .is_none_or(|details| self.admit_details(name, &details).is_ok())
    }

    /// Checks whether an object is a source, as far as is known.
    fn check_source(&self, object: &Object) -> Result<TypeMatch, Skip> {
        if self.is_place(object) {
            return Err(Skip::OwnObject);
        }
        let details = object.details.as_ref();
        details.map_or(Ok(()), check_metadata)?;
        if !self.source_buckets.is_empty() && !self.source_buckets.contains(&object.bucket) {
            return Err(Skip::SourceNotAllowed);
        }
        if object.name.as_str().ends_with('/') {
            return Err(Skip::Folder);
        }
        self.names.check(&object.name)?;
        let content_type = details.and_then(|details| details.content_type.as_deref());
        self.types.check(&object.name, content_type)
    }

    fn job_of(&self, object: &Object) -> Result<Job, Skip> {
        let matched = self.check_source(object)?;
        let mut job = Job {
            source: Object {
                // Without them, the store is asked for all details.
                details: object.details.clone().filter(|_| matched == TypeMatch::Yes),
                // Without a generation, the size may be another version's.
                size: object.size.filter(|_| object.generation.is_some()),
                ..object.clone()
            },
            places: Vec::new(),
            left_out: Vec::new(),
            force: false,
        };
        for rendition in &self.renditions {
            match self.place(object, rendition.pattern.name_of(&object.name), &job.places) {
                Ok(name) => job.places.push(Place {
                    name,
                    recipe: rendition.target,
                }),
                Err(skip) => job.left_out.push((rendition.pattern.to_string(), skip)),
            }
        }
        match job.left_out.first() {
            Some((_, skip)) if job.places.is_empty() => Err(*skip),
            _ => Ok(job),
        }
    }

    /// Whether the object's name is one that outputs have.
    fn is_place(&self, object: &Object) -> bool {
        let mut beginnings = self
            .renditions
            .iter()
            .map(|rendition| rendition.pattern.literal_beginning());
        object.bucket == self.target_bucket
            && beginnings.any(|beginning| {
                !beginning.is_empty() && object.name.as_str().starts_with(beginning)
            })
    }

    fn place(
        &self,
        source: &Object,
        name: Option<ObjectName>,
        taken: &[Place],
    ) -> Result<ObjectName, Skip> {
        let name = name.ok_or(Skip::NameTooLong)?;
        if source.bucket == self.target_bucket && source.name == name {
            return Err(Skip::SourceItself);
        }
        if taken.iter().any(|place| place.name == name) {
            return Err(Skip::SameName);
        }
        Ok(name)
    }
}

/// Skips outputs, ours or another resizer's, by their metadata.
fn check_metadata(details: &Details) -> Result<(), Skip> {
    if details.is_marked() {
        return Err(Skip::OwnObject);
    }
    let says = |key| {
        details
            .metadata
            .get(key)
            .is_some_and(|value| value == "true")
    };
    if says(RESIZED_IMAGE) || says(RESIZE_FAILED) {
        return Err(Skip::ResizedImage);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
