//! `gcs-thumbnailer thumb`: the service's renderer on local files, all cores.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use crate::config::ThumbArguments;
use crate::render::{Limits, Plan, Thumbnail};

/// Renders every file, one line each, and says by its exit code whether all went well.
#[must_use]
pub fn run(arguments: &ThumbArguments) -> ExitCode {
    let pictures = targets(arguments);
    let next = AtomicUsize::new(0);
    let refused = AtomicBool::new(false);
    let output = Mutex::new(io::stdout());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(pictures.len()) {
            scope.spawn(|| {
                while let Some((file, target)) = pictures.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let row = Row::make(file, target.as_deref());
                    if row.made.is_err() {
                        refused.store(true, Ordering::Relaxed);
                    }
                    let line = if arguments.json {
                        row.json()
                    } else {
                        row.text()
                    };
                    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Each file with its thumbnail's path, or why it has none: no two thumbnails are one, and none is an input.
fn targets(arguments: &ThumbArguments) -> Vec<(&Path, Result<PathBuf, String>)> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let inputs: HashSet<_> = arguments
        .files
        .iter()
        .filter_map(|file| identity(file))
        .collect();
    let mut taken = HashSet::new();
    let mut target = |file: &Path| {
        let target = target_of(file, arguments.out_dir.as_deref())?;
        if identity(&target).is_some_and(|target| inputs.contains(&target)) {
            return Err(format!(
                "its thumbnail {} would replace an input",
                target.display()
            ));
        }
        if !taken.insert(target.clone()) {
            return Err(format!(
                "another file's thumbnail is {} already",
                target.display()
            ));
        }
        Ok(target)
    };
    let files = arguments.files.iter().map(PathBuf::as_path);
    files.map(|file| (file, target(file))).collect()
}

/// The thumbnail's path; its folder is made where it is missing.
fn target_of(file: &Path, out_dir: Option<&Path>) -> Result<PathBuf, String> {
    let mut name = file.file_name().ok_or("has no file name")?.to_owned();
    name.push(".png");
    let folder = out_dir.or_else(|| file.parent()).unwrap_or(Path::new(""));
    if out_dir.is_some() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(folder.join(name))
}

/// What became of one file.
struct Row<'a> {
    file: &'a Path,
    source_pixels: Option<(u32, u32)>,
    cpu_ms: f64,
    made: Result<Thumbnail, String>,
}

impl<'a> Row<'a> {
    fn make(file: &'a Path, target: Result<&Path, &String>) -> Self {
        let mut source_pixels = None;
        let start = thread_cpu_ms();
        let made = target
            .map_err(Clone::clone)
            .and_then(|target| make(file, target, &mut source_pixels));
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
    target: &Path,
    source_pixels: &mut Option<(u32, u32)>,
) -> Result<Thumbnail, String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    // A panic is our bug, but must not cost the other files their thumbnails.
    let rendered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let plan = Plan::new(&bytes, &Limits::default())?;
        *source_pixels = Some((plan.width, plan.height));
        plan.render()
    }));
    let rendered = rendered.map_err(|_| "panicked".to_owned())?;
    let thumbnail = rendered.map_err(|refusal| refusal.to_string())?;
    replace(target, &thumbnail.png).map_err(|error| format!("{}: {error}", target.display()))?;
    Ok(thumbnail)
}

/// Writes beside the target and renames: what another link shares with it stays, and a reader sees the whole or nothing.
fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut unfinished = target.as_os_str().to_owned();
    unfinished.push(".unfinished");
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, target)
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
