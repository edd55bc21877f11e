//! Converts the extension's parameters to this service's variables: a pure function.

use super::outputs::renditions;
use super::paths::wildcards;
use super::remarks::{Remark, without_counterpart};
use super::{Parameters, Variables};
use crate::config::header_value;
use crate::names::BucketName;

/// The content types that the extension takes (`supportedContentTypes` in its `global.ts`), without AVIF, which isn't
/// decoded here.
const SOURCE_TYPES: [&str; 6] = [
    "image/jpeg",
    "image/jpg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/tiff",
];

/// The converted parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// This service's variables.
    pub variables: Variables,
    /// Remarks on what has no counterpart.
    pub remarks: Vec<Remark>,
}

/// Converts parameters to variables.
///
/// # Errors
/// Every parameter that is broken or can't be followed, each in plain words.
pub fn convert(parameters: &Parameters) -> Result<Conversion, Vec<String>> {
    let mut faults = Vec::new();
    let mut remarks = without_counterpart(parameters);
    let bucket = keep(&mut faults, bucket(parameters.value("IMG_BUCKET")));
    let renditions = keep(&mut faults, renditions(parameters, &mut remarks));
    let mut paths = |name| {
        let list = parameters.value(name).map_or(Ok(Vec::new()), wildcards);
        keep(&mut faults, list.map_err(|fault| (name, fault)))
    };
    let include = paths("INCLUDE_PATH_LIST");
    let exclude = paths("EXCLUDE_PATH_LIST");
    let rule = parameters.value("CACHE_CONTROL_HEADER");
    let rule = rule
        .map(|rule| header_value(rule.to_owned()))
        .transpose()
        .map_err(|fault| ("CACHE_CONTROL_HEADER", fault.to_owned()));
    let cache_control = keep(&mut faults, rule);
    let variables = || {
        Some(Variables {
            bucket: bucket?,
            renditions: renditions?,
            source_types: SOURCE_TYPES.map(str::to_owned).into(),
            include: include?,
            exclude: exclude?,
            cache_control: cache_control?,
        })
    };
    match variables() {
        Some(variables) if faults.is_empty() => Ok(Conversion { variables, remarks }),
        _ => Err(faults),
    }
}

/// Records a fault, so that all are reported at once.
fn keep<T>(faults: &mut Vec<String>, read: Result<T, (&str, String)>) -> Option<T> {
    read.map_err(|(parameter, fault)| faults.push(format!("{parameter}: {fault}")))
        .ok()
}

fn bucket(name: Option<&str>) -> Result<BucketName, (&'static str, String)> {
    let Some(name) = name else {
        let fault = "is not in the file: write the bucket's name there, such as PROJECT.appspot.com or PROJECT.firebasestorage.app";
        return Err(("IMG_BUCKET", fault.to_owned()));
    };
    BucketName::parse(name).map_err(|fault| {
        let fault = format!(
            "{name:?} is no bucket's name, which takes the place of a ${{...}} too: {fault}"
        );
        ("IMG_BUCKET", fault)
    })
}
