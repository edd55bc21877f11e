//! Chooses the paths of local files' outputs: no two share a file, and none replaces an input.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::ThumbConfig;
use crate::names::ObjectName;
use crate::render::Target;
use crate::store::Directory;

pub(super) struct Output {
    /// The name that its rendition gives it, for the printed line.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) target: Target,
}

impl Output {
    /// Writes a file beside the path and renames it: hard links keep their content, and a reader sees the whole or
    /// nothing.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut unfinished = self.path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        fs::write(&unfinished, bytes)?;
        fs::rename(&unfinished, &self.path)
    }
}

/// A file's device and inode, however its path is spelled.
type Identity = (u64, u64);

/// Each file with its outputs, or why it has none.
pub(super) fn outputs(config: &ThumbConfig) -> Vec<(&Path, Result<Vec<Output>, Failure>)> {
    let inputs = config.files.iter().filter_map(|file| identity(file));
    let mut claims = Claims {
        inputs: inputs.collect(),
        taken: HashSet::new(),
    };
    let files = config.files.iter().map(PathBuf::as_path);
    files
        .map(|file| {
            let outputs = outputs_of(file, config).map_err(Failure::OutputPath);
            let outputs = outputs.and_then(|outputs| claims.take(outputs));
            (file, outputs)
        })
        .collect()
}

fn outputs_of(file: &Path, config: &ThumbConfig) -> Result<Vec<Output>, String> {
    let file_name = file.file_name().ok_or("has no file name")?;
    let folder = config.out_dir.as_deref().or_else(|| file.parent());
    let folder = folder.unwrap_or(Path::new(""));
    let Some(renditions) = &config.renditions else {
        let mut name = file_name.to_owned();
        name.push(".png");
        return Ok(vec![Output {
            path: folder.join(&name),
            name: name.to_string_lossy().into_owned(),
            target: Target::default(),
        }]);
    };
    let picture = file_name.to_str().ok_or("has a name that is no UTF-8")?;
    let picture = ObjectName::parse(picture).map_err(|fault| fault.to_string())?;
    let output = |rendition: &crate::rendition::Rendition| {
        let name = rendition.pattern.name_of(&picture);
        let name = name.ok_or_else(|| format!("{} has no name for it", rendition.pattern))?;
        Directory::check_name(&name).map_err(|fault| fault.to_string())?;
        Ok(Output {
            path: folder.join(name.as_str()),
            name: name.to_string(),
            target: rendition.target,
        })
    };
    renditions.iter().map(output).collect()
}

/// The inputs and the outputs so far, which no output may replace.
struct Claims {
    inputs: HashSet<Identity>,
    /// The folders and names of outputs.
    taken: HashSet<(Identity, OsString)>,
}

impl Claims {
    /// Claims the paths of outputs, and creates missing folders.
    fn take(&mut self, outputs: Vec<Output>) -> Result<Vec<Output>, Failure> {
        for Output { path, .. } in &outputs {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let shown =
                |error: io::Error| Failure::Failed(format!("{}: {error}", folder.display()));
            fs::create_dir_all(folder).map_err(shown)?;
            let folder = fs::metadata(folder).map_err(shown)?;
            let name = path.file_name().unwrap_or_default().to_owned();
            if identity(path).is_some_and(|output| self.inputs.contains(&output)) {
                return Err(Failure::OutputPath(format!(
                    "its thumbnail {} would replace an input",
                    path.display()
                )));
            }
            if !self.taken.insert(((folder.dev(), folder.ino()), name)) {
                return Err(Failure::OutputPath(format!(
                    "another file's thumbnail is {} already",
                    path.display()
                )));
            }
        }
        Ok(outputs)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
