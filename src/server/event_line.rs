//! The one log line of an event.

use std::sync::Arc;
use std::time::Instant;

use crate::event::Event;
use crate::log::{REPORTED, chain};
use crate::outcome::{Failure, Outcome, Severity};
use crate::report::{Report, Stage, millis};
use crate::trace::Trace;

/// What is known of an event before it is handled.
#[derive(Clone)]
pub(super) struct EventLine {
    pub(super) event: Event,
    pub(super) trace: Option<Trace>,
    /// The project that trace names are made with.
    pub(super) project: Option<Arc<str>>,
    pub(super) start: Instant,
}

impl EventLine {
    /// Writes the line; `deploy/` filters by its field names.
    pub(super) fn log(&self, report: &Report, ended: &Result<Outcome, Failure>) {
        let (severity, outcome, reason) = match ended {
            Ok(outcome) => (outcome.severity(), outcome.label(), outcome.reason()),
            Err(failure) => (failure.severity(), failure.label(), Some(failure.reason())),
        };
        let is_unexpected = ended.as_ref().err().is_some_and(Failure::is_unexpected);
        let reported = is_unexpected.then_some(REPORTED);
        let event = &self.event;
        let message = self.message(outcome, reason, ended);
        let generation = report
            .generation
            .or(event.generation)
            .map(|generation| generation.to_string());
        let first = report
            .renditions
            .iter()
            .find(|rendition| rendition.bytes.is_some());
        let renditions = serde_json::to_string(&report.renditions).ok();
        let renditions = renditions.filter(|_| !report.renditions.is_empty());
        let trace = self.trace.as_ref().zip(self.project.as_ref());
        let trace =
            trace.map(|(trace, project)| format!("projects/{project}/traces/{}", trace.trace_id));
        let span = self
            .trace
            .as_ref()
            .filter(|_| trace.is_some())
            .and_then(|trace| trace.span_id.as_deref());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    message,
                    outcome,
                    reason,
                    bucket = event.bucket.as_str(),
                    name = event.name.as_str(),
                    generation,
                    message_id = event.message_id,
                    delivery_attempt = event.delivery_attempt,
                    source_bytes = report.source_bytes,
                    source_width = report.source_pixels.map(|(width, _)| width),
                    source_height = report.source_pixels.map(|(_, height)| height),
                    thumbnail_bytes = first.and_then(|first| first.bytes),
                    thumbnail_width = first.and_then(|first| first.width),
                    thumbnail_height = first.and_then(|first| first.height),
                    renditions,
                    open_ms = report.millis(Stage::Open),
                    admit_ms = report.millis(Stage::Admit),
                    read_ms = report.millis(Stage::Read),
                    queue_ms = report.millis(Stage::Queue),
                    render_ms = report.millis(Stage::Render),
                    write_ms = report.millis(Stage::Write),
                    total_ms = millis(self.start.elapsed()),
                    "@type" = reported,
                    "logging.googleapis.com/trace" = trace,
                    "logging.googleapis.com/spanId" = span,
                )
            };
        }
        match severity {
            Severity::Info => line!(info),
            Severity::Warning => line!(warn),
            Severity::Error => line!(error),
        }
    }

    /// The message for people: what happened to which object, and the chain of causes.
    fn message(
        &self,
        outcome: &str,
        reason: Option<&str>,
        ended: &Result<Outcome, Failure>,
    ) -> String {
        let object = format!("{outcome} {}/{}", self.event.bucket, self.event.name);
        match (ended, reason) {
            (Err(failure), _) => format!("{object}: {}", chain(failure)),
            (Ok(_), Some(reason)) => format!("{object}: {reason}"),
            (Ok(_), None) => object,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Format;
    use crate::log::tests::written;
    use crate::store::StoreError;

    #[test]
    fn error_reporting_collects_what_is_unexpected() {
        let body = br#"{"bucket":"photos","name":"n.png"}"#;
        let line = EventLine {
            event: Event::parse(|_| None, body).unwrap(),
            trace: None,
            project: None,
            start: Instant::now(),
        };
        let log = |format, failure| written(format, || line.log(&Report::default(), &Err(failure)));
        let unknown = || Failure::Store(StoreError::Unknown("an answer".into()));
        for (failure, reason, is_reported) in [
            (Failure::Panicked, "panic", true),
            (unknown(), "unknown", true),
            (Failure::TargetMissing, "target_missing", false),
            (Failure::Timeout, "timeout", false),
        ] {
            let line: serde_json::Value =
                serde_json::from_str(&log(Format::Json, failure)).unwrap();
            assert_eq!(line["reason"], reason);
            assert_eq!(line["@type"] == REPORTED, is_reported, "{line}");
            assert_eq!(line.get("@type").is_some(), is_reported, "{line}");
        }
        let line = log(Format::Text, unknown());
        assert!(
            line.contains("reason=") && !line.contains("@type"),
            "{line}"
        );
    }
}
