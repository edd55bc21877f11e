//! This service's variables, as text for a shell or Terraform.

use std::fmt::Write as _;

use crate::names::BucketName;
use crate::rendition::Renditions;

/// How variables are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `KEY='value'` lines for a shell.
    Env,
    /// Variables of the Terraform module in `deploy/`.
    Tfvars,
}

/// The variables that the extension's parameters are converted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// The one bucket that sources are in and outputs go to.
    pub bucket: BucketName,
    /// The renditions of each source.
    pub renditions: Renditions,
    /// The content types of sources.
    pub source_types: Vec<String>,
    /// Wildcards of the names that are sources; empty for all.
    pub include: Vec<String>,
    /// Wildcards of the names that are no sources.
    pub exclude: Vec<String>,
    /// The outputs' Cache-Control, where it isn't the source's.
    pub cache_control: Option<String>,
}

impl Variables {
    /// The variables as text, one a line. The source's metadata is always copied, as the extension does.
    #[must_use]
    pub(crate) fn print(&self, format: Format) -> String {
        match format {
            Format::Env => self.env(),
            Format::Tfvars => self.tfvars(),
        }
    }

    fn env(&self) -> String {
        let mut lines = String::new();
        let mut line = |key: &str, value: &str| {
            if !value.is_empty() {
                // Writing to a `String` never fails.
                let _ = writeln!(lines, "{key}='{}'", value.replace('\'', r"'\''"));
            }
        };
        line("TARGET_BUCKET", self.bucket.as_str());
        line("SOURCE_BUCKETS", self.bucket.as_str());
        line("RENDITIONS", &self.renditions().join(" "));
        line("SOURCE_TYPES", &self.source_types.join(","));
        line("INCLUDE", &self.include.join(","));
        line("EXCLUDE", &self.exclude.join(","));
        line(
            "CACHE_CONTROL",
            self.cache_control.as_deref().unwrap_or_default(),
        );
        line("COPY_METADATA", "true");
        lines
    }

    fn tfvars(&self) -> String {
        let bucket = quoted(self.bucket.as_str());
        let mut lines = format!(
            "source_bucket = {bucket}\ntarget_bucket = {bucket}\ncreate_source_bucket = false\n"
        );
        let mut list = |key: &str, entries: &[String]| {
            if !entries.is_empty() {
                let entries: Vec<_> = entries.iter().map(|entry| quoted(entry)).collect();
                let _ = writeln!(lines, "{key} = [{}]", entries.join(", "));
            }
        };
        list("renditions", &self.renditions());
        list("source_types", &self.source_types);
        list("include", &self.include);
        list("exclude", &self.exclude);
        if let Some(rule) = &self.cache_control {
            let _ = writeln!(lines, "cache_control = {}", quoted(rule));
        }
        lines + "copy_metadata = true\n"
    }

    fn renditions(&self) -> Vec<String> {
        self.renditions.iter().map(ToString::to_string).collect()
    }
}

/// Quotes a text for Terraform, to which `${` and `%{` begin a template.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', r#"\""#);
    let text = text.replace("${", "$${").replace("%{", "%%{");
    format!("\"{text}\"")
}
