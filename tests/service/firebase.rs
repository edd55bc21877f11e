//! `gcs-thumbnailer firebase`: each parameter file is converted to the variables and words beside it, and a service
//! with these variables makes the objects that the extension makes.
//!
//! A case is a file `tests/firebase/converted/CASE.env`, with what is printed in `CASE.variables` and `CASE.words`, and in
//! `CASE.terraform` where that is compared too. `tests/firebase/broken` has files of which nothing can be made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gcs_thumbnailer::names::ObjectName;
use gcs_thumbnailer::rendition::Renditions;
use image::ImageFormat;

use crate::deployment::Deployment;
use crate::pictures::{colour, plain};

/// Sources that the extension recognises by their names.
const SOURCES: [&str; 9] = [
    "cat.jpg",
    "users/7/cat.final.JPG",
    "users/7/Ünï cöde.jpeg",
    "users/7/private/x.png",
    "users/thumbs/x.png",
    "design/a/b/pictures/photo_200x200.jpg",
    "design/pictures/x.jpg.png",
    "deep/er/.jpg",
    "deep/er/a.b/c.PNG",
];

/// Sources that the extension recognises by their content type alone.
const SOURCES_BY_TYPE: [&str; 8] = [
    "avatar",
    "users/7/avatar",
    "users/my.photo",
    "users/IMG_1.heic",
    "users/b.bmp",
    "users/c.JFIF",
    "users/d.webp",
    "users/e.",
];

#[test]
fn each_parameter_file_becomes_variables_and_words() {
    let cases = cases("converted");
    assert!(cases.len() >= 8, "{cases:?}");
    for case in cases {
        let output = firebase(&case, "env");
        assert_eq!(output.status.code(), Some(0), "{case:?}");
        compare(&case, "variables", &output.stdout);
        compare(&case, "words", &output.stderr);
        if case.with_extension("terraform").exists() {
            compare(&case, "terraform", &firebase(&case, "tfvars").stdout);
        }
    }
}

#[test]
fn a_broken_file_is_told_in_words_and_exits_with_2() {
    let mut cases = cases("broken");
    assert!(cases.len() >= 8, "{cases:?}");
    cases.push(folder("broken").join("absent.env"));
    for case in cases {
        let output = firebase(&case, "env");
        assert_eq!(output.status.code(), Some(2), "{case:?}");
        assert_eq!(output.stdout, b"", "{case:?}");
        let words = String::from_utf8(output.stderr).expect("words are text");
        let words = words.replace(&format!("{}/", folder("broken").display()), "");
        compare(&case, "words", words.as_bytes());
    }
}

#[test]
fn no_value_of_a_parameter_is_told_that_may_be_a_secret() {
    let output = firebase(&folder("converted").join("kit.env"), "env");
    let printed = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&printed).contains("secret"));
}

#[test]
fn the_renditions_names_are_those_of_the_extension() {
    for case in cases("converted") {
        let renditions = &variables(&case)["RENDITIONS"];
        let renditions = Renditions::parse(renditions).expect("renditions");
        let extension = Extension::of(&case);
        for source in SOURCES.iter().chain(&SOURCES_BY_TYPE) {
            let name = ObjectName::parse(*source).expect("a name");
            let made: BTreeSet<_> = renditions
                .iter()
                .filter_map(|rendition| Some(rendition.pattern.name_of(&name)?.to_string()))
                .collect();
            let expected = extension.names(source);
            // The one difference, of which the words warn: a slash before everything.
            let expected = expected
                .iter()
                .map(|name| name.trim_start_matches('/').to_owned());
            assert_eq!(made, expected.collect(), "{case:?}: {source}");
        }
    }
}

#[tokio::test]
async fn a_service_with_the_variables_makes_the_extension_s_objects() {
    for case in cases("converted") {
        let variables = variables(&case);
        let environment: Vec<_> = variables
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let cloud = Deployment::start(&environment).await;
        let extension = Extension::of(&case);
        let mut expected = BTreeSet::new();
        for source in SOURCES.iter().chain(&SOURCES_BY_TYPE) {
            let format = if source.to_ascii_lowercase().ends_with("png") {
                ImageFormat::Png
            } else {
                ImageFormat::Jpeg
            };
            let picture = plain(90, 60, colour(1), format);
            let media_type = format.to_mime_type();
            let stored = cloud.gcs.put("photos", source, &picture, media_type, &[]);
            let answer = cloud.app.push_bare("photos", source, stored.await).await;
            assert_eq!(answer, 204, "{case:?}: {source}");
            expected.insert((*source).to_owned());
            if extension.takes(source) {
                expected.extend(extension.names(source));
            }
        }
        let stored: BTreeSet<_> = cloud.gcs.list("photos").await.into_iter().collect();
        assert_eq!(stored, expected, "{case:?}");
    }
}

/// A model of the extension by its documentation and sources: which objects it takes, and how it names outputs.
struct Extension {
    folder: String,
    sizes: Vec<String>,
    types: Vec<String>,
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
}

impl Extension {
    /// Parses the simply written parameters of a case.
    fn of(case: &Path) -> Self {
        let text = fs::read_to_string(case).expect("a parameter file");
        let value = |name: &str| {
            let line = text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then_some(value.trim())
            });
            line.unwrap_or_default().trim_matches(['"', '\''])
        };
        let list = |name: &str| -> Vec<String> {
            let bare = value(name).replace(['[', ']', '"', '\\'], "");
            bare.split(',').map(str::to_owned).collect()
        };
        let paths = |name: &str| (!value(name).is_empty()).then(|| list(name));
        // These are left out with a remark, as they have no counterpart.
        let made = |kind: &String| !matches!(kind.as_str(), "tiff" | "gif" | "avif");
        let real = |size: &String| !size.starts_with("0x");
        Self {
            folder: value("RESIZED_IMAGES_PATH").to_owned(),
            sizes: list("IMG_SIZES").into_iter().filter(real).collect(),
            types: list("IMAGE_TYPE").into_iter().filter(made).collect(),
            include: paths("INCLUDE_PATH_LIST"),
            exclude: paths("EXCLUDE_PATH_LIST"),
        }
    }

    /// The names of a source's outputs (`modifyImage` and `getModifiedFilePath` in `resize-image.ts`).
    fn names(&self, source: &str) -> BTreeSet<String> {
        const KNOWN: [&str; 9] = [
            ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".avif", ".jfif",
        ];
        let (folder, base) = source.rsplit_once('/').unwrap_or(("", source));
        // Node's path.parse: what follows the last dot, unless the dot comes first.
        let dot = base.rfind('.').filter(|dot| *dot > 0);
        let (name, extension) = base.split_at(dot.unwrap_or(base.len()));
        let known = KNOWN.contains(&extension.to_lowercase().as_str());
        let mut names = BTreeSet::new();
        for kind in &self.types {
            for size in &self.sizes {
                let file = match kind.as_str() {
                    _ if !known => format!("{name}{extension}_{size}"),
                    "false" => format!("{name}_{size}{extension}"),
                    kind => format!("{name}_{size}.{kind}"),
                };
                names.insert(joined(&[folder, &self.folder, &file]));
            }
        }
        names
    }

    /// Whether it resizes an image of this name (`shouldResize` in `filters.ts`).
    fn takes(&self, source: &str) -> bool {
        let folder = format!(
            "/{}",
            source.rsplit_once('/').map_or("", |(folder, _)| folder)
        );
        let within = |paths: &Vec<String>| paths.iter().any(|path| lies_in(path.trim(), &folder));
        self.include.as_ref().is_none_or(within) && !self.exclude.as_ref().is_some_and(within)
    }
}

/// Node's path.posix.join, which leaves out empty parts and normalises.
fn joined(parts: &[&str]) -> String {
    let mut given = parts.iter().filter(|part| !part.is_empty());
    let root = given.next().is_some_and(|first| first.starts_with('/'));
    let steps = parts.iter().flat_map(|part| part.split('/'));
    let steps: Vec<_> = steps.filter(|step| !matches!(*step, "" | ".")).collect();
    format!("{}{}", if root { "/" } else { "" }, steps.join("/"))
}

/// Whether `^PATH(?:/.*|$)` matches, in which `*` is `([a-zA-Z0-9_\-.\s\/]*)?`.
fn lies_in(path: &str, folder: &str) -> bool {
    let Some(first) = path.chars().next() else {
        return folder.is_empty() || folder.starts_with('/');
    };
    if first != '*' {
        return folder
            .strip_prefix(first)
            .is_some_and(|folder| lies_in(&path[first.len_utf8()..], folder));
    }
    let covered = |c: &char| c.is_ascii_alphanumeric() || "_-. /".contains(*c);
    let most = folder.chars().take_while(covered).count();
    (0..=most).any(|count| lies_in(&path[1..], &folder[count..]))
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/firebase")
        .join(name)
}

fn cases(name: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder(name)).expect("the cases' folder");
    let paths = files.map(|file| file.expect("a readable folder").path());
    let is_case = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "env");
    let mut cases: Vec<_> = paths.filter(is_case).collect();
    cases.sort();
    cases
}

fn firebase(case: &Path, format: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gcs-thumbnailer"))
        .env_clear()
        .args(["firebase", "--format", format])
        .arg(case)
        .output()
        .expect("cargo built the program")
}

/// The printed variables as a shell reads them.
fn variables(case: &Path) -> BTreeMap<String, String> {
    let printed = String::from_utf8(firebase(case, "env").stdout).expect("variables are text");
    let script = format!("set -a\n{printed}\nexec /usr/bin/env -0");
    let output = Command::new("/bin/sh")
        .env_clear()
        .args(["-c", &script])
        .output()
        .expect("there is a shell");
    let output = String::from_utf8(output.stdout).expect("variables are text");
    let lines = output.split('\0').filter_map(|line| line.split_once('='));
    lines
        .filter(|(key, _)| printed.contains(&format!("{key}='")))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn compare(case: &Path, kind: &str, printed: &[u8]) {
    let file = case.with_extension(kind);
    let expected = fs::read_to_string(&file);
    let file = file.display();
    let expected = expected.unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(String::from_utf8_lossy(printed), expected, "{file}");
}
