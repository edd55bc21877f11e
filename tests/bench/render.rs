//! CPU time and memory per thumbnail: `cargo bench --bench render -- FOLDER [--reps N] [--min-ms M] [--out DIR]`.
//!
//! Prints one JSON line per file: the median and the least CPU time (user and system, of the whole process) of one
//! thumbnail, the thumbnail's size, and the process's peak resident memory so far. For a file's own peak, give it a
//! folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use gcs_thumbnailer::render::{Limits, SourceFormats, render};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};

/// What to render and how often.
#[derive(Parser)]
struct Options {
    /// The folder whose files are rendered.
    folder: PathBuf,
    /// Measurements per file.
    #[arg(long, default_value_t = 7)]
    reps: usize,
    /// The least CPU time of one measurement, in milliseconds: quick files are rendered several times in it.
    #[arg(long, default_value_t = 60.0)]
    min_ms: f64,
    /// Where to write the thumbnails, as FILE.png.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The most pixels that a source may have; any number unless given, as the peers are set up.
    #[arg(long, default_value_t = u64::MAX)]
    max_pixels: u64,
    /// Given by `cargo bench` to every target.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let entries =
        fs::read_dir(&options.folder).with_context(|| options.folder.display().to_string())?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    if let Some(out) = &options.out {
        fs::create_dir_all(out)?;
    }
    for file in files {
        println!("{}", measure(&file, &options)?);
    }
    Ok(())
}

fn measure(file: &Path, options: &Options) -> Result<Value> {
    let source = fs::read(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let limits = Limits {
        max_pixels: options.max_pixels,
        formats: SourceFormats::ALL,
    };
    let started = cpu_ms()?;
    let thumbnail = match render(&source, &limits) {
        Ok(thumbnail) => thumbnail,
        Err(refusal) => {
            let spent = cpu_ms()? - started;
            let maxrss_kb = getrusage(UsageWho::RUSAGE_SELF)?.max_rss();
            return Ok(
                json!({"file": name, "error": refusal.to_string(), "cpu_ms_min": spent, "maxrss_kb": maxrss_kb}),
            );
        }
    };
    let mut times = Vec::with_capacity(options.reps);
    while times.len() < options.reps {
        times.push(cpu_ms_of_one(&source, limits, options.min_ms)?);
    }
    times.sort_by(f64::total_cmp);
    if let Some(out) = &options.out {
        fs::write(out.join(format!("{name}.png")), &thumbnail.bytes)?;
    }
    Ok(json!({
        "file": name,
        "cpu_ms_median": times.get(times.len() / 2),
        "cpu_ms_min": times.first(),
        "out_w": thumbnail.width,
        "out_h": thumbnail.height,
        "out_bytes": thumbnail.bytes.len(),
        "maxrss_kb": getrusage(UsageWho::RUSAGE_SELF)?.max_rss(),
    }))
}

/// The CPU time of one thumbnail, over as many as take `min_ms` together.
fn cpu_ms_of_one(source: &[u8], limits: Limits, min_ms: f64) -> Result<f64> {
    let started = cpu_ms()?;
    let mut count = 0.0;
    loop {
        render(source, &limits)?;
        count += 1.0;
        let spent = cpu_ms()? - started;
        if spent >= min_ms {
            return Ok(spent / count);
        }
    }
}

/// User and system time of this process so far.
fn cpu_ms() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let total = usage.user_time() + usage.system_time();
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of a benchmark fit 53 bits"
    )]
    Ok(total.num_microseconds() as f64 / 1000.0)
}
