//! `gcs-thumbnailer thumb`: renders local files with the service's renderer, on all cores.

mod outputs;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use self::outputs::{Output, outputs};
use crate::config::ThumbConfig;
use crate::render::{Encoded, Limits, Plan, Refusal, Target};

/// Renders every file and prints a line for each; succeeds if all were rendered.
#[must_use]
pub fn run(config: &ThumbConfig) -> ExitCode {
    let pictures = outputs(config);
    let limits = Limits {
        formats: config.formats,
        ..Limits::default()
    };
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let output = Mutex::new(io::stdout());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(pictures.len()) {
            scope.spawn(|| {
                while let Some((file, outputs)) = pictures.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let row = Row::make(file, outputs.as_deref(), limits);
                    if row.made.is_err() {
                        failed.store(true, Ordering::Relaxed);
                    }
                    let line = if config.json { row.json() } else { row.text() };
                    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                    // A closed pipe doesn't stop the rendering.
                    let _ = writeln!(output, "{line}");
                }
            });
        }
    });
    if failed.into_inner() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Why a file has no outputs.
#[derive(Debug, Clone, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An output has no valid path, or one that is taken.
    #[error("{0}")]
    OutputPath(String),
    /// The file system failed, or the renderer panicked.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    fn label(&self) -> &'static str {
        match self {
            Self::Refused(_) | Self::OutputPath(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

/// The result of one file.
struct Row<'a> {
    file: &'a Path,
    source_pixels: Option<(u32, u32)>,
    cpu_ms: f64,
    made: Result<Vec<(&'a str, Encoded)>, Failure>,
}

impl<'a> Row<'a> {
    fn make(file: &'a Path, outputs: Result<&'a [Output], &Failure>, limits: Limits) -> Self {
        let mut source_pixels = None;
        let start = thread_cpu_ms();
        let made = outputs
            .map_err(Clone::clone)
            .and_then(|outputs| make(file, outputs, limits, &mut source_pixels));
        Self {
            file,
            source_pixels,
            cpu_ms: thread_cpu_ms() - start,
            made,
        }
    }

    fn json(&self) -> String {
        let made = self.made.as_deref().unwrap_or_default();
        let first = made.first().map(|(_, output)| output);
        let renditions: Vec<Value> = made
            .iter()
            .map(|(name, output)| {
                json!({
                    "name": name,
                    "width": output.width,
                    "height": output.height,
                    "bytes": output.bytes.len(),
                    "content_type": output.format.content_type(),
                })
            })
            .collect();
        let row = json!({
            "file": self.file.to_string_lossy(),
            "outcome": self.made.as_ref().map_or_else(Failure::label, |_| "created"),
            "reason": self.made.as_ref().err().map(ToString::to_string),
            "source_width": self.source_pixels.map(|(width, _)| width),
            "source_height": self.source_pixels.map(|(_, height)| height),
            "width": first.map(|first| first.width),
            "height": first.map(|first| first.height),
            "bytes": first.map(|first| first.bytes.len()),
            "cpu_ms": (self.cpu_ms * 1e3).round() / 1e3,
            "renditions": renditions,
        });
        row.to_string()
    }

    fn text(&self) -> String {
        let file = self.file.to_string_lossy();
        // Debug escapes what could break the line.
        let file = if file.chars().any(char::is_control) {
            format!("{file:?}")
        } else {
            file.into_owned()
        };
        match &self.made {
            Ok(made) => {
                let outputs = made.iter().map(|(_, output)| {
                    let Encoded {
                        width,
                        height,
                        bytes,
                        ..
                    } = output;
                    format!("{width}x{height}, {} bytes", bytes.len())
                });
                format!("{file}: {}", outputs.collect::<Vec<_>>().join("; "))
            }
            Err(failure) => format!("{file}: {}: {failure}", failure.label()),
        }
    }
}

fn make<'a>(
    file: &Path,
    outputs: &'a [Output],
    limits: Limits,
    source_pixels: &mut Option<(u32, u32)>,
) -> Result<Vec<(&'a str, Encoded)>, Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::Failed(error.to_string()))?;
    let targets: Vec<Target> = outputs.iter().map(|output| output.target).collect();
    // A panic must not cost the other files their outputs.
    let rendered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let plan = Plan::new(&bytes, &limits, &targets)?;
        *source_pixels = Some((plan.width, plan.height));
        Ok::<_, Refusal>(plan.render()?.outputs)
    }));
    let rendered = rendered.map_err(|_| Failure::Failed("panicked".to_owned()))??;
    let mut made = Vec::with_capacity(outputs.len());
    for (output, encoded) in outputs.iter().zip(rendered) {
        output
            .write(&encoded.bytes)
            .map_err(|error| Failure::Failed(format!("{}: {error}", output.path.display())))?;
        made.push((output.name.as_str(), encoded));
    }
    Ok(made)
}

fn thread_cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a run is far shorter than 2^53 ns"
    )]
    let ms = now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6;
    ms
}
