//! Writes log lines to standard output: JSON as Cloud Logging reads it, or text for people.
//!
//! Fields: <https://cloud.google.com/logging/docs/structured-logging>. The ready-made formatters rename
//! `logging.googleapis.com/trace`.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// One line of text.
    Text,
}

/// Sends this crate's lines to standard output; dependencies stay silent, as a failure is logged once, by us.
pub fn init(format: Format) {
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines(format))
        .with_writer(std::io::stdout);
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
    // Only tests call this twice; the second call changes nothing.
    let _ = tracing_subscriber::registry()
        .with(ours)
        .with(lines)
        .try_init();
}

/// Formats an error with its causes, without those that its message already has: some libraries' errors include them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |chain, cause| {
        let cause = cause.to_string();
        if chain.contains(&cause) {
            chain
        } else {
            format!("{chain}: {cause}")
        }
    })
}

/// The field by which Error Reporting recognises a line; left out of text.
const TYPE: &str = "@type";
/// The type of lines that Error Reporting groups without a stack trace.
///
/// <https://cloud.google.com/error-reporting/docs/formatting-error-messages#log-error>
pub(crate) const REPORTED: &str =
    "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent";

/// The field whose value is a list.
const LIST: &str = "renditions";

struct Lines(Format);

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static>
    FormatEvent<S, N> for Lines
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let time = humantime::format_rfc3339_micros(std::time::SystemTime::now());
        let severity = severity(*event.metadata().level());
        match self.0 {
            Format::Json => {
                let mut line = fields.0;
                line.insert("severity".to_owned(), severity.into());
                line.insert("time".to_owned(), time.to_string().into());
                // As one text, since a formatter is given it in small pieces and checks each for UTF-8.
                let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
                writeln!(writer, "{line}")
            }
            Format::Text => {
                fields.0.remove(TYPE);
                let message = fields.0.remove("message").unwrap_or_default();
                write!(
                    writer,
                    "{time} {severity} {}",
                    escaped(message.as_str().unwrap_or_default())
                )?;
                for (name, value) in fields.0 {
                    write!(writer, " {name}={}", escaped(&value.to_string()))?;
                }
                writeln!(writer)
            }
        }
    }
}

/// The line and paragraph separators and the `Bidi_Control` characters, none of which `char::is_control` knows.
const SEPARATORS_AND_BIDI: [char; 14] = [
    '\u{2028}', '\u{2029}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}',
    '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// Escapes the characters by which a name could start a line of its own or reorder its text.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if c.is_control() || SEPARATORS_AND_BIDI.contains(&c) {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect()
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Tracing has no lists, so this one comes as JSON text.
        let list = (field.name() == LIST).then(|| serde_json::from_str(value).ok());
        match list.flatten() {
            Some(Value::Array(list)) => self.insert(field, list),
            _ => self.insert(field, value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `log` writes.
    pub(crate) fn written(format: Format, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer().event_format(Lines(format));
        let subscriber =
            tracing_subscriber::registry().with(lines.with_writer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_keeps_types_and_names() {
        let line = written(Format::Json, || {
            tracing::warn!(
                message = "m",
                number = 7_u64,
                renditions = r#"[{"name":"t"}]"#,
                ms = 0.5,
                none = None::<u64>,
                "logging.googleapis.com/trace" = "t"
            );
        });
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["severity"], &line["message"]),
            (&"WARNING".into(), &"m".into())
        );
        assert_eq!((&line["number"], &line["ms"]), (&7.into(), &0.5.into()));
        assert_eq!(line["renditions"], serde_json::json!([{ "name": "t" }]));
        assert_eq!(line["logging.googleapis.com/trace"], "t");
        assert!(line.get("none").is_none(), "{line}");
    }

    #[test]
    fn no_name_breaks_a_line_of_text() {
        let hostile = "a\u{85}\u{1b}[2K\nERROR forged";
        let line = written(Format::Text, || {
            tracing::info!(message = format!("created {hostile}"), name = hostile);
        });
        assert_eq!(line.matches(char::is_control).count(), 1, "{line:?}");
        assert!(
            line.ends_with('\n') && line.contains(" INFO created a"),
            "{line:?}"
        );
    }

    #[test]
    fn no_name_ends_or_turns_a_line_of_text_unseen() {
        let separators = ['\u{2028}', '\u{2029}'];
        let marks = ['\u{61c}', '\u{200e}', '\u{200f}'];
        let directions = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        for hostile in directions.chain(separators).chain(marks) {
            let name = format!("a{hostile}gpj.exe");
            let line = written(Format::Text, || {
                tracing::info!(message = format!("created {name}"), name);
            });
            let escaped = hostile.escape_default().to_string();
            assert!(!line.contains(hostile), "{line:?}");
            assert_eq!(line.matches(&escaped).count(), 2, "{line:?}");
        }
    }

    #[test]
    fn each_cause_is_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("can't read{}", if *.told { ": no disk" } else { "" })]
        struct Failed {
            told: bool,
            source: io::Error,
        }
        let failed = |told| Failed {
            told,
            source: io::Error::other("no disk"),
        };
        assert_eq!(chain(&failed(false)), "can't read: no disk");
        assert_eq!(chain(&failed(true)), "can't read: no disk");
    }
}
