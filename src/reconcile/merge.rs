//! Two listings in name order, merged into what is to be done; no I/O, and no more memory than a page of each.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::event::{Event, EventKind};
use crate::names::{BucketName, Generation, ObjectName};
use crate::store::Listed;
use crate::work::{Job, Scope, Skip};

/// The merge of a bucket's sources with the thumbnails under the prefix.
///
/// Its caller does what [`Merge::advance`] asks for: it takes a page of one listing or the other, in their order, until all is
/// found.
pub struct Merge {
    scope: Scope,
    bucket: BucketName,
    sources: Side<Listed>,
    thumbnails: Side<Placed>,
}

/// What a merge wants or has.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The next page of sources is to be added.
    NeedsSources,
    /// The next page of thumbnails is to be added.
    NeedsThumbnails,
    /// The next name is classified.
    Found(Finding),
    /// There is nothing more.
    Done,
}

/// What was found of one name.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The source's name, or what it would be; grows from finding to finding in byte order.
    pub name: String,
    /// What it is.
    pub class: Class,
}

/// What the source and the thumbnail of one name are to each other.
#[derive(Debug, PartialEq, Eq)]
pub enum Class {
    /// The thumbnail shows the live version.
    Current,
    /// There is no thumbnail of ours.
    Missing(Job),
    /// The thumbnail shows another version of this source.
    Stale(Job),
    /// The object is not a source.
    Skipped(Skip),
    /// A thumbnail of this bucket's source is there and its source is not.
    Orphan(Orphan),
    /// The thumbnail's place is taken by the thumbnail of another bucket's source.
    Conflict(BucketName),
    /// An object under the prefix that is not for this bucket to judge: another bucket's thumbnail, or none of ours.
    Foreign,
}

/// A thumbnail without a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The name that its source had.
    pub source: ObjectName,
    /// The thumbnail's name in the target bucket.
    pub thumbnail: ObjectName,
    /// The thumbnail's own generation.
    pub generation: Generation,
}

/// A thumbnail, and its name without the prefix.
struct Placed {
    source: String,
    object: Listed,
}

impl Merge {
    /// Begins a merge of this bucket's objects with their thumbnails.
    #[must_use]
    pub fn new(scope: Scope, bucket: BucketName) -> Self {
        Self {
            scope,
            bucket,
            sources: Side::default(),
            thumbnails: Side::default(),
        }
    }

    /// Adds a page of the source bucket, `None` where the listing is over.
    pub fn add_sources(&mut self, page: Option<Vec<Listed>>) {
        self.sources.add(page);
    }

    /// Adds a page of what is under the prefix in the target bucket, `None` where the listing is over.
    pub fn add_thumbnails(&mut self, page: Option<Vec<Listed>>) {
        let prefix = self.scope.prefix.as_str();
        let placed = |object: Listed| {
            let source = object.name.as_str().strip_prefix(prefix)?.to_owned();
            Some(Placed { source, object })
        };
        self.thumbnails
            .add(page.map(|page| page.into_iter().filter_map(placed).collect()));
    }

    /// Tells what is next.
    pub fn advance(&mut self) -> Next {
        if self.sources.is_exhausted() {
            return Next::NeedsSources;
        }
        if self.thumbnails.is_exhausted() {
            return Next::NeedsThumbnails;
        }
        let order = match (self.sources.page.front(), self.thumbnails.page.front()) {
            (None, None) => return Next::Done,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(source), Some(thumbnail)) => source.name.as_str().cmp(&thumbnail.source),
        };
        let source = self.sources.take_if(order.is_le());
        let thumbnail = self.thumbnails.take_if(order.is_ge());
        match (source, thumbnail) {
            (Some(source), thumbnail) => Next::Found(Finding {
                class: self.compare(&source, thumbnail.as_ref()),
                name: source.name.as_str().to_owned(),
            }),
            (None, Some(thumbnail)) => Next::Found(Finding {
                class: self.bereft(&thumbnail),
                name: thumbnail.source,
            }),
            (None, None) => Next::Done,
        }
    }

    fn compare(&self, source: &Listed, thumbnail: Option<&Placed>) -> Class {
        // What a listing tells is what a notification would have told.
        let event = Event {
            kind: EventKind::Finalized,
            bucket: self.bucket.clone(),
            name: source.name.clone(),
            generation: Some(source.version.generation),
            size: source.version.size,
            marked: source.version.marked,
            message_id: None,
            delivery_attempt: None,
        };
        let job = match self.scope.admit_picture(&event) {
            Ok(job) => job,
            Err(skip) => return Class::Skipped(skip),
        };
        match thumbnail.and_then(|thumbnail| thumbnail.object.version.origin.as_ref()) {
            None => Class::Missing(job),
            Some(origin) if origin.bucket != self.bucket => Class::Conflict(origin.bucket.clone()),
            Some(origin) if origin.generation == source.version.generation => Class::Current,
            Some(_) => Class::Stale(job),
        }
    }

    /// Classifies a thumbnail that has no source.
    fn bereft(&self, thumbnail: &Placed) -> Class {
        let origin = thumbnail.object.version.origin.as_ref();
        let is_ours = origin.is_some_and(|origin| origin.bucket == self.bucket);
        match ObjectName::parse(thumbnail.source.as_str()) {
            Ok(source) if is_ours => Class::Orphan(Orphan {
                source,
                thumbnail: thumbnail.object.name.clone(),
                generation: thumbnail.object.version.generation,
            }),
            Ok(_) | Err(_) => Class::Foreign,
        }
    }
}

/// One of the two listings, as far as it has come.
struct Side<T> {
    page: VecDeque<T>,
    ended: bool,
}

impl<T> Default for Side<T> {
    fn default() -> Self {
        Self {
            page: VecDeque::new(),
            ended: false,
        }
    }
}

impl<T> Side<T> {
    fn add(&mut self, page: Option<Vec<T>>) {
        match page {
            Some(page) => self.page.extend(page),
            None => self.ended = true,
        }
    }

    fn take_if(&mut self, is_next: bool) -> Option<T> {
        if is_next { self.page.pop_front() } else { None }
    }

    /// Whether only another page can tell what comes next.
    fn is_exhausted(&self) -> bool {
        self.page.is_empty() && !self.ended
    }
}

#[cfg(test)]
mod tests;
