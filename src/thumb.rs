//! `gcs-thumbnailer thumb`: the service's renderer on local files, all cores.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::config::ThumbArguments;
use crate::render::{DEFAULT_MAX_PIXELS, Limits, Plan, Thumbnail};

/// Renders every file, one line each, and says by its exit code whether all went well.
#[must_use]
pub fn run(arguments: &ThumbArguments) -> ExitCode {
    let next = AtomicUsize::new(0);
    let refused = AtomicBool::new(false);
    let output = Mutex::new(io::stdout());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(arguments.files.len()) {
            scope.spawn(|| {
                while let Some(file) = arguments.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = Row::make(file, arguments);
                    if row.made.is_err() {
                        refused.store(true, Ordering::Relaxed);
                    }
                    let line = if arguments.json {
                        row.json()
                    } else {
                        row.text()
                    };
                    let mut output = output
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    // A closed pipe is the reader's choice; the thumbnails are made all the same.
                    let _ = writeln!(output, "{line}");
                }
            });
        }
    });
    if refused.into_inner() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What became of one file.
struct Row<'a> {
    file: &'a Path,
    source_pixels: Option<(u32, u32)>,
    cpu_ms: f64,
    made: Result<Thumbnail, String>,
}

impl<'a> Row<'a> {
    fn make(file: &'a Path, arguments: &ThumbArguments) -> Self {
        let mut source_pixels = None;
        let start = thread_cpu_ms();
        let made = make(file, arguments, &mut source_pixels);
        Self {
            file,
            source_pixels,
            cpu_ms: thread_cpu_ms() - start,
            made,
        }
    }

    fn json(&self) -> String {
        let made = self.made.as_ref().ok();
        let row = json!({
            "file": self.file.to_string_lossy(),
            "outcome": if made.is_some() { "created" } else { "refused" },
            "reason": self.made.as_ref().err(),
            "source_width": self.source_pixels.map(|(width, _)| width),
            "source_height": self.source_pixels.map(|(_, height)| height),
            "width": made.map(|made| made.width),
            "height": made.map(|made| made.height),
            "bytes": made.map(|made| made.png.len()),
            "cpu_ms": (self.cpu_ms * 1e3).round() / 1e3,
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
            Ok(made) => format!(
                "{file}: {}x{}, {} bytes",
                made.width,
                made.height,
                made.png.len()
            ),
            Err(reason) => format!("{file}: refused: {reason}"),
        }
    }
}

fn make(
    file: &Path,
    arguments: &ThumbArguments,
    source_pixels: &mut Option<(u32, u32)>,
) -> Result<Thumbnail, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    // A panic is our bug, but must not cost the other files their thumbnails.
    let rendered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let plan = Plan::new(
            &bytes,
            &Limits {
                max_pixels: DEFAULT_MAX_PIXELS,
            },
        )?;
        *source_pixels = Some((plan.width, plan.height));
        plan.render()
    }));
    let thumbnail = rendered
        .map_err(|_| "panicked".to_owned())?
        .map_err(|refusal| refusal.to_string())?;
    let target = target_of(file, arguments)?;
    fs::write(&target, &thumbnail.png).map_err(|error| format!("{}: {error}", target.display()))?;
    Ok(thumbnail)
}

/// The thumbnail's path, which is never that of an input.
fn target_of(file: &Path, arguments: &ThumbArguments) -> Result<PathBuf, String> {
    let mut name = file.file_name().ok_or("has no file name")?.to_owned();
    name.push(".png");
    let folder = arguments
        .out_dir
        .as_deref()
        .or_else(|| file.parent())
        .unwrap_or(Path::new(""));
    if arguments.out_dir.is_some() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let target = folder.join(name);
    let taken = fs::canonicalize(&target).ok();
    let is_input = |input: &PathBuf| taken.is_some() && fs::canonicalize(input).ok() == taken;
    if arguments.files.iter().any(is_input) {
        return Err(format!(
            "its thumbnail {} would replace an input",
            target.display()
        ));
    }
    Ok(target)
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
