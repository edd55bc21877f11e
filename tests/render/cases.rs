//! The files under `tests/golden`, which `make.py` there makes and describes.

use std::fs;
use std::path::{Path, PathBuf};

/// A picture to render, and where one is given, the picture that its thumbnail must match.
pub struct Case {
    /// Folder and file name, for messages.
    pub name: String,
    /// The file's bytes.
    pub source: Vec<u8>,
    /// The PNG beside it that ends in `.expected.png`.
    pub expected: Option<Vec<u8>>,
}

/// Every case in a folder of `tests/golden`, by name; an empty folder is an error.
pub fn of(folder: &str) -> Vec<Case> {
    let path = root().join(folder);
    let mut files = list(&path);
    files.retain(|file| !is_expectation(file));
    assert!(!files.is_empty(), "no cases in {}", path.display());
    files.iter().map(|file| read(folder, file)).collect()
}

/// Every case that has an expected picture, so that its source must render.
pub fn rendered() -> Vec<Case> {
    crate::golden::TOLERANCES
        .iter()
        .flat_map(|tolerance| of(tolerance.folder))
        .collect()
}

/// The folders of refusals, which are named by the refusals' labels.
pub fn refusals() -> Vec<String> {
    let folders = list(&root().join("refused"));
    folders
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str().map(str::to_owned))
        .collect()
}

/// `tests/golden` itself.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn is_expectation(file: &Path) -> bool {
    file.to_string_lossy().ends_with(".expected.png")
}

fn read(folder: &str, file: &Path) -> Case {
    let expected = file.with_extension("expected.png");
    Case {
        name: format!(
            "{folder}/{}",
            file.file_name().unwrap_or_default().to_string_lossy()
        ),
        source: fs::read(file).unwrap(),
        expected: expected.exists().then(|| fs::read(&expected).unwrap()),
    }
}
