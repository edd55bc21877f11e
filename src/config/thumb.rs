//! The configuration of `thumb`.

use std::path::PathBuf;

use super::arguments::ThumbArguments;
use super::source_types;
use crate::render::SourceFormats;
use crate::rendition::Renditions;

/// A checked configuration of `thumb`.
#[derive(Debug, Clone)]
pub struct ThumbConfig {
    /// The pictures to render.
    pub files: Vec<PathBuf>,
    /// The folder for outputs; `None` for each picture's own.
    pub out_dir: Option<PathBuf>,
    /// The renditions; `None` for the thumbnail with `.png` after its picture's name.
    pub renditions: Option<Renditions>,
    /// The formats that are decoded.
    pub formats: SourceFormats,
    /// Whether lines are JSON.
    pub json: bool,
}

impl ThumbConfig {
    /// Validates the arguments.
    ///
    /// # Errors
    /// Every fault, each in plain words and with the name of its variable.
    pub fn check(arguments: ThumbArguments) -> Result<Self, Vec<String>> {
        let renditions = arguments.renditions.join(" ");
        let renditions = Some(renditions.trim()).filter(|renditions| !renditions.is_empty());
        let renditions = renditions.map(Renditions::parse).transpose();
        let types = source_types(&arguments.source_types);
        let types = types.map_err(|fault| vec![format!("SOURCE_TYPES: {fault}")])?;
        Ok(Self {
            formats: types.formats(),
            files: arguments.files,
            out_dir: arguments.out_dir,
            renditions: renditions.map_err(|fault| vec![format!("RENDITIONS: {fault}")])?,
            json: arguments.json,
        })
    }
}
