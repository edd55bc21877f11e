//! Validates the command line and the environment into a configuration.

mod arguments;
mod callers;
mod memory;
mod quantity;
mod reconcile;
mod renditions;
mod thumb;

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

pub use self::arguments::{
    Command, CommandLine, FirebaseArguments, ServeArguments, ThumbArguments,
};

use self::quantity::{bytes, duration};
pub use self::reconcile::{ReconcileArguments, ReconcileConfig};
pub use self::thumb::ThumbConfig;
use crate::budget::Capacity;
use crate::log::Format;
use crate::names::BucketName;
use crate::push_token::Expected;
use crate::render::Limits;
use crate::store::GcsOptions;
use crate::work::{InvalidSourceTypes, NameFilter, Scope, SourceTypes, Wildcard};

/// The time limit of an event unless another is set; `deploy/` has its request timeout and ack deadline above it.
pub const DEFAULT_EVENT_TIMEOUT: Duration = Duration::from_secs(50);

/// A checked configuration of `serve`.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// Sources and their outputs.
    pub scope: Scope,
    /// The thumbnails' Cache-Control header.
    pub cache_control: Option<String>,
    /// Whether outputs take over their source's metadata.
    pub copy_metadata: bool,
    /// The largest object that is downloaded, in bytes.
    pub max_source_bytes: u64,
    /// The limits of one picture.
    pub limits: Limits,
    /// The memory that events share.
    pub memory_budget: Capacity,
    /// The time limit of one event.
    pub event_timeout: Duration,
    /// The object store.
    pub storage: Storage,
    /// What callers' tokens are checked for, where they are required.
    pub push_token: Option<Expected>,
    /// The project that trace names are made with.
    pub project: Option<String>,
    /// The format of log lines.
    pub log_format: Format,
}

/// Which object store is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Cloud Storage or an emulator.
    Gcs(GcsOptions),
    /// A local folder.
    Directory(PathBuf),
}

impl Storage {
    /// The folder if one is named, else Cloud Storage; an empty variable counts as not set.
    fn new(folder: Option<String>, emulator: Option<String>, control: Option<String>) -> Self {
        let set = |variable: Option<String>| variable.filter(|text| !text.is_empty());
        match set(folder) {
            Some(folder) => Self::Directory(folder.into()),
            None => Self::Gcs(GcsOptions {
                emulator: set(emulator),
                control: set(control),
            }),
        }
    }
}

impl ServeConfig {
    /// Validates the arguments.
    ///
    /// # Errors
    /// Every fault, each in plain words and with the name of its variable.
    pub fn check(arguments: ServeArguments) -> Result<Self, Vec<String>> {
        let mut faults = Faults::default();
        let scope = scope(&mut faults, &arguments);
        let max_source_bytes = faults.note("MAX_SOURCE_BYTES", bytes(&arguments.max_source_bytes));
        let max_pixels = faults.note("MAX_SOURCE_PIXELS", whole(&arguments.max_source_pixels));
        let memory_budget = match arguments.memory_budget {
            Some(text) => faults
                .note("MEMORY_BUDGET", bytes(&text))
                .map(Capacity::Configured),
            None => Some(Capacity::Derived(memory::default_budget())),
        };
        let event_timeout = faults.note("EVENT_TIMEOUT", duration(&arguments.event_timeout));
        let port = faults.note(
            "PORT",
            arguments
                .port
                .parse()
                .map_err(|_| "is not a port: a number from 0 to 65535"),
        );
        let on_cloud_run = arguments.k_service.is_some_and(|name| !name.is_empty());
        let log_format = log_format(arguments.log_format.as_deref(), on_cloud_run);
        let log_format = faults.note("LOG_FORMAT", log_format);
        let copy_metadata = faults.note("COPY_METADATA", flag(&arguments.copy_metadata));
        let cache_control = arguments.cache_control.filter(|rule| !rule.is_empty());
        let cache_control = match cache_control {
            Some(rule) => faults.note("CACHE_CONTROL", header_value(rule)).map(Some),
            None => Some(None),
        };
        let storage = Storage::new(
            arguments.storage_dir,
            arguments.storage_emulator_host,
            arguments.storage_control_endpoint,
        );
        if let (Storage::Directory(_), Some(scope)) = (&storage, &scope) {
            faults.note("RENDITIONS", renditions::check_names(&scope.renditions));
        }
        let push_token = callers::check(
            arguments.push_audience,
            arguments.push_service_account,
            &arguments.push_keys_url,
        );
        let push_token = match push_token {
            Ok(expected) => Some(expected),
            Err((variable, fault)) => faults.note(variable, Err(fault)),
        };
        let config = || {
            let scope = scope?;
            Some(Self {
                port: port?,
                limits: Limits {
                    max_pixels: max_pixels?,
                    formats: scope.types.formats(),
                },
                scope,
                cache_control: cache_control?,
                copy_metadata: copy_metadata?,
                max_source_bytes: max_source_bytes?,
                memory_budget: memory_budget?,
                event_timeout: event_timeout?,
                storage,
                push_token: push_token?,
                project: arguments
                    .google_cloud_project
                    .filter(|project| !project.is_empty()),
                log_format: log_format?,
            })
        };
        config().filter(|_| faults.0.is_empty()).ok_or(faults.0)
    }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    /// Records a fault, so that all are reported at once.
    fn note<T>(&mut self, variable: &str, checked: Result<T, impl std::fmt::Display>) -> Option<T> {
        checked
            .map_err(|fault| self.0.push(format!("{variable}: {fault}")))
            .ok()
    }
}

fn log_format(text: Option<&str>, on_cloud_run: bool) -> Result<Format, &'static str> {
    match text.filter(|text| !text.is_empty()) {
        Some("json") => Ok(Format::Json),
        Some("text") => Ok(Format::Text),
        Some(_) => Err("is neither json nor text"),
        None if on_cloud_run => Ok(Format::Json),
        None => Ok(Format::Text),
    }
}

/// The scope that the arguments describe.
fn scope(faults: &mut Faults, arguments: &ServeArguments) -> Option<Scope> {
    let target_bucket = match arguments
        .target_bucket
        .clone()
        .filter(|name| !name.is_empty())
    {
        Some(name) => faults.note("TARGET_BUCKET", BucketName::parse(name)),
        None => faults.note(
            "TARGET_BUCKET",
            Err("is required: the bucket that thumbnails are stored in"),
        ),
    };
    let buckets = arguments
        .source_buckets
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let source_buckets: BTreeSet<_> = buckets
        .filter_map(|name| faults.note("SOURCE_BUCKETS", BucketName::parse(name)))
        .collect();
    let types = faults.note("SOURCE_TYPES", source_types(&arguments.source_types));
    let names = names(faults, &arguments.include, &arguments.exclude);
    let renditions =
        renditions::check(&arguments.renditions, arguments.thumbnail_prefix.as_deref());
    let renditions = match renditions {
        Ok(renditions) => Some(renditions),
        Err((variable, fault)) => faults.note(variable, Err(fault)),
    };
    let propagate_deletes = faults.note("PROPAGATE_DELETES", flag(&arguments.propagate_deletes));
    Some(Scope {
        target_bucket: target_bucket?,
        renditions: renditions?,
        source_buckets,
        types: types?,
        names: names?,
        propagate_deletes: propagate_deletes?,
    })
}

fn names(faults: &mut Faults, include: &str, exclude: &str) -> Option<NameFilter> {
    let include = faults.note("INCLUDE", Wildcard::parse_list(include));
    let exclude = faults.note("EXCLUDE", Wildcard::parse_list(exclude));
    Some(NameFilter::new(include?, exclude?))
}

/// Parses source types; the default ones where the text is empty.
fn source_types(text: &str) -> Result<SourceTypes, InvalidSourceTypes> {
    match text.trim() {
        "" => Ok(SourceTypes::default()),
        text => text.parse(),
    }
}

/// True or false; false where it is empty.
fn flag(text: &str) -> Result<bool, &'static str> {
    match text.trim() {
        "" => Ok(false),
        text => text.parse().map_err(|_| "is neither true nor false"),
    }
}

fn whole(text: &str) -> Result<u64, &'static str> {
    text.trim()
        .parse()
        .map(NonZeroU64::get)
        .map_err(|_| "is not a whole number above 0")
}

pub(crate) fn header_value(text: String) -> Result<String, &'static str> {
    let legal = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if legal {
        Ok(text)
    } else {
        Err("has a character that a header can't hold")
    }
}

#[cfg(test)]
mod tests;
