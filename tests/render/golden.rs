//! Every case under `tests/golden` looks like its expected picture, by decoded pixels.

use std::fmt::Write;

use gcs_thumbnailer::render::{DEFAULT_MAX_PIXELS, Limits, SourceFormats, render};

use crate::cases::{self, Case};
use crate::pictures::{Picture, decode};

/// How far a folder's thumbnails may be from the expected pictures, by what the coding leaves open.
///
/// Differences are of premultiplied samples, in steps of 1/255.
pub struct Tolerance {
    /// The folder under `tests/golden`.
    pub folder: &'static str,
    /// Of any sample.
    pub most: f64,
    /// Over all samples.
    pub mean: f64,
}

/// Limits that let every format in.
pub const ALL_FORMATS: Limits = Limits {
    max_pixels: DEFAULT_MAX_PIXELS,
    formats: SourceFormats::ALL,
};

/// Each folder's tolerance and where it comes from.
pub const TOLERANCES: [Tolerance; 19] = [
    // Lossless and not resized: the samples themselves.
    Tolerance {
        folder: "png",
        most: 0.0,
        mean: 0.0,
    },
    // A rounding of each pass; and averaging whole factors before the filter costs up to 1 % of a hard edge.
    Tolerance {
        folder: "png-resized",
        most: 3.0,
        mean: 0.5,
    },
    // Colour management engines agree to a step of 8 bits, and it may come before or after the filter.
    Tolerance {
        folder: "png-profiled",
        most: 3.0,
        mean: 0.75,
    },
    // T.83 lets an inverse DCT be off by one; YCbCr to RGB multiplies that by up to 1 + 1.772, and both sides round.
    Tolerance {
        folder: "jpeg",
        most: 4.0,
        mean: 1.0,
    },
    // The same, and T.81 leaves it to the decoder how it interpolates chroma (A.1.1 gives only the sample positions).
    Tolerance {
        folder: "jpeg-subsampled",
        most: 8.0,
        mean: 1.5,
    },
    // An ink is off by up to 4 like RGB above, and so is black; their product adds both.
    Tolerance {
        folder: "jpeg-inks",
        most: 8.0,
        mean: 1.5,
    },
    // JPEG's 4 steps, stretched by the profile's curve and matrix (gamma 1.0 or wide primaries: up to twice).
    Tolerance {
        folder: "jpeg-profiled",
        most: 8.0,
        mean: 1.5,
    },
    // Lossless and not resized, like PNG.
    Tolerance {
        folder: "webp",
        most: 0.0,
        mean: 0.0,
    },
    Tolerance {
        folder: "gif",
        most: 0.0,
        mean: 0.0,
    },
    Tolerance {
        folder: "bmp",
        most: 0.0,
        mean: 0.0,
    },
    Tolerance {
        folder: "tiff",
        most: 0.0,
        mean: 0.0,
    },
    // Resized like PNG.
    Tolerance {
        folder: "webp-resized",
        most: 3.0,
        mean: 0.5,
    },
    Tolerance {
        folder: "gif-resized",
        most: 3.0,
        mean: 0.5,
    },
    Tolerance {
        folder: "bmp-resized",
        most: 3.0,
        mean: 0.5,
    },
    Tolerance {
        folder: "tiff-resized",
        most: 3.0,
        mean: 0.5,
    },
    // VP8's planes are exact (RFC 6386, section 1); the way from there to RGB is left open, as JPEG's is.
    Tolerance {
        folder: "webp-lossy",
        most: 4.0,
        mean: 1.0,
    },
    // Profiles as in PNG.
    Tolerance {
        folder: "webp-profiled",
        most: 3.0,
        mean: 0.75,
    },
    Tolerance {
        folder: "tiff-profiled",
        most: 3.0,
        mean: 0.75,
    },
    // The light that two inks leave is rounded once more.
    Tolerance {
        folder: "tiff-inks",
        most: 3.0,
        mean: 1.0,
    },
];

fn check(folder: &str) {
    let tolerance = TOLERANCES
        .iter()
        .find(|tolerance| tolerance.folder == folder)
        .unwrap();
    let mut report = String::new();
    for case in cases::of(folder) {
        if let Err(reason) = compare(&case, tolerance) {
            writeln!(report, "{}: {reason}", case.name).unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

fn compare(case: &Case, tolerance: &Tolerance) -> Result<(), String> {
    let expected = decode(case.expected.as_deref().ok_or("no expected picture")?);
    let thumbnail =
        render(&case.source, &ALL_FORMATS).map_err(|refusal| format!("refused: {refusal}"))?;
    let actual = decode(&thumbnail.bytes);
    let size = (expected.width, expected.height);
    if (actual.width, actual.height) != size || (thumbnail.width, thumbnail.height) != size {
        return Err(format!(
            "{}x{} instead of {}x{}",
            actual.width, actual.height, size.0, size.1
        ));
    }
    let (most, mean) = difference(&actual, &expected);
    if most > tolerance.most || mean > tolerance.mean {
        return Err(format!("off by up to {most:.2}, {mean:.2} in the mean"));
    }
    if actual.colour != expected.colour {
        return Err(format!(
            "{:?} instead of {:?}",
            actual.colour, expected.colour
        ));
    }
    Ok(())
}

fn difference(actual: &Picture, expected: &Picture) -> (f64, f64) {
    let pairs = actual
        .pixels
        .as_flattened()
        .iter()
        .zip(expected.pixels.as_flattened());
    let (mut most, mut sum, mut count) = (0.0_f64, 0.0, 0.0);
    for (a, b) in pairs {
        most = most.max((a - b).abs());
        sum += (a - b).abs();
        count += 1.0;
    }
    (most, sum / count)
}

#[test]
fn png_samples_are_kept() {
    check("png");
}

#[test]
fn png_is_resized_premultiplied() {
    check("png-resized");
}

#[test]
fn png_profiles_are_applied() {
    check("png-profiled");
}

#[test]
fn jpeg_matches_a_full_decode() {
    check("jpeg");
}

#[test]
fn jpeg_chroma_matches_a_full_decode() {
    check("jpeg-subsampled");
}

#[test]
fn jpeg_inks_come_out_right() {
    check("jpeg-inks");
}

#[test]
fn jpeg_profiles_are_applied() {
    check("jpeg-profiled");
}

/// Every folder is compared, or else adding one would test nothing.
#[test]
fn every_folder_has_a_tolerance() {
    for entry in std::fs::read_dir(cases::root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = TOLERANCES.iter().any(|tolerance| tolerance.folder == name);
        let other = ["refused", "scaled", "thumbhash", "__pycache__"].contains(&name.as_str());
        assert!(
            known || other || entry.path().is_file(),
            "{name} has no tolerance"
        );
    }
}

#[test]
fn webp_matches_what_was_coded() {
    check("webp");
    check("webp-resized");
    check("webp-lossy");
    check("webp-profiled");
}

#[test]
fn gif_matches_what_was_coded() {
    check("gif");
    check("gif-resized");
}

#[test]
fn bmp_matches_what_was_coded() {
    check("bmp");
    check("bmp-resized");
}

#[test]
fn tiff_matches_what_was_coded() {
    check("tiff");
    check("tiff-resized");
    check("tiff-profiled");
    check("tiff-inks");
}
