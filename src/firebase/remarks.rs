//! Remarks on parameters that have no counterpart here.

use std::fmt;

use super::Parameters;

/// A remark on one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The parameter's name.
    pub parameter: String,
    /// What has no counterpart, and what to do instead.
    pub words: String,
}

impl Remark {
    /// A remark on a parameter.
    #[must_use]
    pub fn new(parameter: &str, words: impl Into<String>) -> Self {
        Self {
            parameter: parameter.to_owned(),
            words: words.into(),
        }
    }
}

/// Adds a remark on a parameter, or words to the last remark if it is on the same one.
pub(super) fn remark(remarks: &mut Vec<Remark>, parameter: &str, words: &str) {
    match remarks.last_mut() {
        Some(last) if last.parameter == parameter => last.words.extend(["; ", words]),
        _ => remarks.push(Remark::new(parameter, words)),
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.parameter, self.words)
    }
}

/// The parameters that become variables, as far as they can.
const CONVERTED: [&str; 9] = [
    "IMG_BUCKET",
    "IMG_SIZES",
    "IMAGE_TYPE",
    "RESIZED_IMAGES_PATH",
    "INCLUDE_PATH_LIST",
    "EXCLUDE_PATH_LIST",
    "CACHE_CONTROL_HEADER",
    "OUTPUT_OPTIONS",
    "SHARP_OPTIONS",
];

/// Parameters without a counterpart, the values that need no remark, and the remark on all others.
const WITHOUT_COUNTERPART: [(&[&str], &[&str], &str); 14] = [
    (
        &["DELETE_ORIGINAL_FILE"],
        &["false"],
        "originals are never deleted here: set a lifecycle rule on the bucket if they must go. Set this to false before both run side by side, or an original may be gone before it is read",
    ),
    (
        &["MAKE_PUBLIC"],
        &["false"],
        "no object is made public by itself: let your security rules or download tokens decide, or give the outputs a public bucket of their own (deploy/QUESTIONS.md)",
    ),
    (
        &["FAILED_IMAGES_PATH"],
        &[],
        "a picture that can't be rendered isn't copied: it stays where it is, and a log line (outcome refused) has its name and the reason",
    ),
    (
        &["IS_ANIMATED"],
        &["false"],
        "animations aren't kept: the first frame of a GIF is rendered. Show the original where it has to move",
    ),
    (
        &["REGENERATE_TOKEN"],
        &["true"],
        "the source's download token is never copied: an output of a source that has one gets a token of its own, which it keeps",
    ),
    (
        &["CONTENT_FILTER_LEVEL"],
        &["OFF", "BLOCK_NONE"],
        "pictures aren't judged by what they show: filter them before they are uploaded, or move what passes into the source bucket",
    ),
    (
        &["CUSTOM_FILTER_PROMPT", "PLACEHOLDER_IMAGE_PATH"],
        &[],
        "pictures aren't judged by what they show (see CONTENT_FILTER_LEVEL), so that it has nothing to do",
    ),
    (
        &["DO_BACKFILL"],
        &["false"],
        "run gcs-thumbnailer reconcile once: it makes what is missing, also what the extension has lost",
    ),
    (
        &["BACKFILL_BATCH_SIZE"],
        &[],
        "reconcile paces itself; its --per-second sets a limit",
    ),
    (
        &["FUNCTION_MEMORY"],
        &[],
        "memory is set where the service is deployed (memory_mib of deploy/), and 512 MiB are enough for most",
    ),
    (
        &[
            "LOCATION",
            "BUCKET_REGION",
            "firebaseextensions.v1beta.function/location",
        ],
        &[],
        "the region is set where the service is deployed: take the bucket's own",
    ),
    (
        &["EVENTARC_CHANNEL", "ALLOWED_EVENT_TYPES"],
        &[],
        "the service publishes no events of its own: Cloud Storage announces each output, with its metadata (deploy/QUESTIONS.md)",
    ),
    (
        &[
            "firebaseextensions.v1beta.function/maxInstances",
            "firebaseextensions.v1beta.function/memory",
            "firebaseextensions.v1beta.function/minInstances",
            "firebaseextensions.v1beta.function/timeoutSeconds",
        ],
        &[],
        "is set where the service is deployed (max_instances, memory_mib and concurrency of deploy/)",
    ),
    (
        &["PROJECT_ID", "STORAGE_BUCKET"],
        &[],
        "is set where the service is deployed",
    ),
];

/// The remarks on parameters without a counterpart.
pub(super) fn without_counterpart(parameters: &Parameters) -> Vec<Remark> {
    let names = parameters.names();
    names
        .filter(|name| !CONVERTED.contains(name))
        .filter_map(|name| {
            let value = parameters.value(name)?;
            let known = WITHOUT_COUNTERPART
                .iter()
                .find(|(names, ..)| names.contains(&name));
            match known {
                Some((_, nothing, _)) if nothing.contains(&value) => None,
                Some((.., words)) => Some(Remark::new(name, *words)),
                None => Some(Remark::new(
                    name,
                    "is no parameter of the extension that is known here, and is left out",
                )),
            }
        })
        .collect()
}
