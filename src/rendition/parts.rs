//! A name's folder, stem and extension.

use crate::names::ObjectName;
use crate::render::SourceFormat;

/// The parts of a source's name; joined they are the name.
pub(super) struct Parts<'n> {
    pub(super) dir: &'n str,
    pub(super) stem: &'n str,
    /// A picture's extension with its dot, or nothing.
    pub(super) dot_ext: &'n str,
}

/// Whether it is an extension of pictures, also of those that are refused by name: `my.photo` has none.
pub(super) fn is_of_picture(extension: &str) -> bool {
    const REFUSED: [&str; 3] = ["avif", "heic", "heif"];
    let read = SourceFormat::ALL
        .into_iter()
        .flat_map(SourceFormat::extensions);
    let mut all = read.chain(&REFUSED);
    all.any(|known| extension.eq_ignore_ascii_case(known))
}

/// Whether it is an extension in Firebase's Resize Images (`supportedImageContentTypeMap` in its `global.ts`).
pub(super) fn is_of_picture_to_firebase(extension: &str) -> bool {
    const KNOWN: [&str; 9] = [
        "jpg", "jpeg", "jfif", "png", "webp", "gif", "tif", "tiff", "avif",
    ];
    KNOWN
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

impl<'n> Parts<'n> {
    /// Splits a name. A file's name that is nothing but an extension is a stem, as in other tools.
    pub(super) fn of(name: &'n ObjectName, is_extension: fn(&str) -> bool) -> Self {
        let name = name.as_str();
        let (dir, file) = name.split_at(name.rfind('/').map_or(0, |slash| slash + 1));
        let dot = file.rfind('.');
        let dot = dot.filter(|dot| *dot > 0 && is_extension(&file[dot + 1..]));
        let (stem, dot_ext) = file.split_at(dot.unwrap_or(file.len()));
        Self { dir, stem, dot_ext }
    }
}
