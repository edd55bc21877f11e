//! Compares a source with its outputs; no I/O.

use super::merge::Row;
use crate::names::{BucketName, Generation, ObjectName};
use crate::object::Object;
use crate::rendition::Rendition;
use crate::store::{Listed, Version};
use crate::stored::{Origin, Record};
use crate::work::{Job, Place, Scope, Skip};

/// The finding about one name.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are sources, and each is taken apart at once"
)]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    Skipped(Skip),
    Source(Comparison),
    /// There is no source; the objects in its outputs' places.
    NoSource(Vec<Stray>),
}

/// A source and the states of its outputs' places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The source, with all its places.
    pub job: Job,
    /// The state of each place, `None` where it has yet to be looked at.
    pub states: Vec<Option<State>>,
}

/// The state of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It shows the live version in the configured recipe.
    Current,
    /// It has no output of ours.
    Missing,
    /// It shows another version or recipe.
    Stale,
    /// It has the output of another source, by its bucket and name.
    Conflict(String),
}

/// An object in a place whose source doesn't exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stray {
    /// An output whose source is gone.
    Orphan(Orphan),
    /// Another source's output, or no output of ours.
    Foreign,
}

/// An output without a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Orphan {
    /// The name that its source had.
    pub source: ObjectName,
    /// Whether the output's metadata records that name; otherwise it is guessed from the output's own name.
    pub is_recorded: bool,
    /// The output's name in the target bucket.
    pub name: ObjectName,
    /// The output's own generation.
    pub generation: Generation,
}

impl Finding {
    /// Classifies a row of a merge whose outputs are those of the scope's renditions with a prefix, in their order.
    #[must_use]
    pub(super) fn of(scope: &Scope, bucket: &BucketName, row: Row) -> Self {
        let Some(source) = row.source else {
            let outputs = row.outputs.into_iter().flatten();
            let stray = |output| Stray::of(bucket, &row.name, output);
            return Self::NoSource(outputs.map(stray).collect());
        };
        // A listing has all that a notification would have had.
        let object = Object {
            bucket: bucket.clone(),
            name: source.name,
            generation: Some(source.version.generation),
            size: source.version.size,
            details: Some(source.version.details),
        };
        match scope.admit_object(&object) {
            Ok(job) => Self::Source(Comparison::of(
                scope,
                job,
                source.version.generation,
                row.outputs,
            )),
            Err(skip) => Self::Skipped(skip),
        }
    }
}

impl Comparison {
    fn of(scope: &Scope, job: Job, generation: Generation, outputs: Vec<Option<Listed>>) -> Self {
        let listed = scope
            .renditions
            .iter()
            .filter(|rendition| rendition.pattern.prefix().is_some())
            .zip(outputs);
        let listed: Vec<(Option<ObjectName>, Option<Listed>)> = listed
            .map(|(rendition, output)| (rendition.pattern.name_of(&job.source.name), output))
            .collect();
        let state = |place: &Place| {
            let (_, output) = listed
                .iter()
                .find(|(name, _)| name.as_ref() == Some(&place.name))?;
            let seen = output.as_ref().map(|output| &output.version);
            Some(State::of(&job, place, generation, seen))
        };
        let states = job.places.iter().map(state).collect();
        Self { job, states }
    }

    /// Whether places have yet to be looked at.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        self.states.contains(&None)
    }

    /// The missing and stale places, with `force` the current ones too; `None` if there are none.
    #[must_use]
    pub(crate) fn to_do(&self, force: bool) -> Option<Job> {
        let mut job = self.job.clone();
        let mut wanted = self.states.iter().map(|state| match state {
            Some(State::Missing | State::Stale) | None => true,
            Some(State::Current) => force,
            Some(State::Conflict(_)) => false,
        });
        job.places.retain(|_| wanted.next().unwrap_or(false));
        job.force = force;
        (!job.places.is_empty()).then_some(job)
    }

    /// The places with outputs of other sources, and these.
    pub(super) fn conflicts(&self) -> impl Iterator<Item = (&Place, &str)> {
        let places = self.job.places.iter().zip(&self.states);
        places.filter_map(|(place, state)| match state {
            Some(State::Conflict(other)) => Some((place, other.as_str())),
            _ => None,
        })
    }
}

impl State {
    /// Compares a place's object with what would be made of a version.
    #[must_use]
    pub(super) fn of(
        job: &Job,
        place: &Place,
        generation: Generation,
        seen: Option<&Version>,
    ) -> Self {
        let Some(record) = seen.and_then(Version::record) else {
            return Self::Missing;
        };
        let origin = Origin {
            bucket: job.source.bucket.clone(),
            name: job.source.name.clone(),
            generation,
            recipe: place.recipe,
        };
        if record.is_current(&place.name, &origin) {
            Self::Current
        } else if record.is_of(&place.name, &origin.bucket, &origin.name) {
            Self::Stale
        } else {
            let name = record.name.as_ref().unwrap_or(&origin.name);
            Self::Conflict(format!("{}/{name}", record.bucket))
        }
    }
}

impl Stray {
    /// Classifies an object under a prefix; there is no source of the name that follows the prefix.
    fn of(bucket: &BucketName, source: &str, output: Listed) -> Self {
        let Some(record) = record_of(bucket, &output) else {
            return Self::Foreign;
        };
        let is_recorded = record.name.is_some();
        match record.name.or_else(|| ObjectName::parse(source).ok()) {
            // Another recorded name is that of a deployment with a nested prefix.
            Some(name) if name.as_str() == source => Self::Orphan(Orphan {
                source: name,
                is_recorded,
                name: output.name,
                generation: output.version.generation,
            }),
            _ => Self::Foreign,
        }
    }
}

/// The object as an output of the source that it records, if the rendition would have put it there.
///
/// Whether that source exists is not known.
#[must_use]
pub(crate) fn recorded_output(
    bucket: &BucketName,
    rendition: &Rendition,
    output: Listed,
) -> Option<Orphan> {
    let source = record_of(bucket, &output)?.name?;
    let is_its_place = rendition.pattern.name_of(&source).as_ref() == Some(&output.name);
    is_its_place.then_some(Orphan {
        source,
        is_recorded: true,
        name: output.name,
        generation: output.version.generation,
    })
}

fn record_of(bucket: &BucketName, output: &Listed) -> Option<Record> {
    output
        .version
        .record()
        .filter(|record| record.bucket == *bucket)
}
