//! The options of sharp, the extension's renderer, as far as they have a counterpart.

use serde_json::{Map, Value};

use super::remarks::remark;
use super::{Parameters, Remark};

/// The fit of outputs and the quality of their encoders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether the box is filled and the rest cut off.
    pub(super) cover: bool,
    /// The quality of `jpeg`, `jpg` and `webp`, by these names.
    qualities: Vec<(String, u8)>,
}

impl Options {
    /// Parses `SHARP_OPTIONS`, and `OUTPUT_OPTIONS` of these image types.
    pub(super) fn read(
        parameters: &Parameters,
        types: &[String],
        remarks: &mut Vec<Remark>,
    ) -> Self {
        let mut options = Self::default();
        if let Some(given) = object(parameters, "SHARP_OPTIONS", remarks) {
            let left: Vec<_> = given
                .iter()
                .filter(|(name, value)| !options.take_resize(name, value))
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            note(remarks, "SHARP_OPTIONS", &left, "fit=inside and fit=cover");
        }
        if let Some(given) = object(parameters, "OUTPUT_OPTIONS", remarks) {
            let of_types = given.iter().filter(|(kind, _)| types.contains(kind));
            let each = of_types.flat_map(|(kind, options)| {
                let options = options.as_object().into_iter().flatten();
                options.map(move |(name, value)| (kind, name, value))
            });
            let left: Vec<_> = each
                .filter(|(kind, name, value)| !options.take_output(kind, name, value))
                .map(|(kind, name, value)| format!("{kind}.{name}={value}"))
                .collect();
            note(
                remarks,
                "OUTPUT_OPTIONS",
                &left,
                "a quality of 1 to 100 for jpeg and webp",
            );
        }
        options
    }

    pub(super) fn quality(&self, kind: &str) -> Option<u8> {
        let mut qualities = self.qualities.iter();
        qualities
            .find(|(of, _)| of == kind)
            .map(|(_, quality)| *quality)
    }

    /// Takes over an option of resizing; false if it has no counterpart and changes the result.
    fn take_resize(&mut self, name: &str, value: &Value) -> bool {
        match (name, value) {
            ("fit", value) if value == "cover" => {
                self.cover = true;
                true
            }
            ("fit", value) => value == "inside",
            ("position", value) => value == "centre" || value == "center",
            ("withoutEnlargement", value) => value == true,
            ("animated", value) => value == false,
            // These change how the work is done, not its result.
            ("fastShrinkOnLoad" | "failOn" | "failOnError" | "sequentialRead" | "unlimited", _) => {
                true
            }
            _ => false,
        }
    }

    /// Takes over an option of an output; false if it has no counterpart.
    fn take_output(&mut self, kind: &str, name: &str, value: &Value) -> bool {
        let quality = value.as_u64().and_then(|value| u8::try_from(value).ok());
        match (kind, name, quality) {
            ("jpeg" | "jpg" | "webp", "quality", Some(quality @ 1..=100)) => {
                self.qualities.push((kind.to_owned(), quality));
                true
            }
            _ => false,
        }
    }
}

/// A parameter's JSON object; a broken one is ignored, as by the extension.
fn object(
    parameters: &Parameters,
    name: &str,
    remarks: &mut Vec<Remark>,
) -> Option<Map<String, Value>> {
    let text = parameters.value(name)?;
    let parsed = serde_json::from_str(text);
    if parsed.is_err() {
        let words = "is no JSON object, and nothing of it is taken over";
        remark(remarks, name, words);
    }
    parsed.ok()
}

fn note(remarks: &mut Vec<Remark>, parameter: &str, left: &[String], taken: &str) {
    if !left.is_empty() {
        let words = format!(
            "left out for want of a counterpart: {}; only {taken} is taken over",
            left.join(", ")
        );
        remark(remarks, parameter, &words);
    }
}
