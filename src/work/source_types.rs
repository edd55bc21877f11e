//! Decides which objects are pictures, by extension or content type.

use std::str::FromStr;

use super::Skip;
use crate::names::ObjectName;
use crate::render::{SourceFormat, SourceFormats};

/// The content type that Cloud Storage serves an object with that has none.
const UNTYPED: &str = "application/octet-stream";

/// The extensions and content types of sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTypes {
    /// In lower case, without the dot.
    extensions: Vec<String>,
    content_types: Vec<MediaRange>,
}

/// A content type, or all of a kind, in lower case: `image/webp`, `image/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MediaRange {
    kind: String,
    /// `None` for any.
    subtype: Option<String>,
}

/// What is wrong with a list of source types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSourceTypes {
    /// An entry is neither an extension nor a content type.
    #[error(
        "{0:?} is neither an extension, such as webp, nor a content type, such as image/webp or image/*"
    )]
    Entry(String),
    /// The list is empty.
    #[error("names no type")]
    Empty,
}

/// Whether an object has one of the source types, or is undecided as its content type isn't known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeMatch {
    Yes,
    Undecided,
}

impl Default for SourceTypes {
    fn default() -> Self {
        Self {
            extensions: ["jpg", "jpeg", "png"].map(str::to_owned).into(),
            content_types: Vec::new(),
        }
    }
}

impl FromStr for SourceTypes {
    type Err = InvalidSourceTypes;

    /// Parses entries separated by commas or white space.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut types = Self {
            extensions: Vec::new(),
            content_types: Vec::new(),
        };
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        for entry in entries.filter(|entry| !entry.is_empty()) {
            if let Some(range) = MediaRange::parse(entry) {
                types.content_types.push(range);
            } else if entry.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                types.extensions.push(entry.to_ascii_lowercase());
            } else {
                return Err(InvalidSourceTypes::Entry(entry.to_owned()));
            }
        }
        if types.extensions.is_empty() && types.content_types.is_empty() {
            return Err(InvalidSourceTypes::Empty);
        }
        Ok(types)
    }
}

impl SourceTypes {
    /// The formats that are decoded: JPEG and PNG, and those that an entry names.
    #[must_use]
    pub fn formats(&self) -> SourceFormats {
        let named = SourceFormat::ALL.into_iter().filter(|format| {
            let mut extensions = format.extensions().iter();
            let mut content_types = format.content_types().iter();
            extensions.any(|extension| self.has_extension(extension))
                || content_types.any(|content_type| self.has_content_type(content_type))
        });
        named.fold(SourceFormats::DEFAULT, SourceFormats::with)
    }

    /// Checks an object's extension, and then its content type.
    pub(super) fn check(
        &self,
        name: &ObjectName,
        content_type: Option<&str>,
    ) -> Result<TypeMatch, Skip> {
        let skip = match name.extension() {
            Some(extension) if self.has_extension(extension) => return Ok(TypeMatch::Yes),
            Some(_) => Skip::Extension,
            None => Skip::NoExtension,
        };
        match content_type {
            _ if self.content_types.is_empty() => Err(skip),
            None => Ok(TypeMatch::Undecided),
            Some(content_type) if self.has_content_type(content_type) => Ok(TypeMatch::Yes),
            Some(_) => Err(Skip::ContentType),
        }
    }

    /// Checks an object whose content type is known or missing.
    pub(super) fn check_known(
        &self,
        name: &ObjectName,
        content_type: Option<&str>,
    ) -> Result<(), Skip> {
        let content_type = content_type.unwrap_or(UNTYPED);
        self.check(name, Some(content_type)).map(|_| ())
    }

    fn has_extension(&self, extension: &str) -> bool {
        let mut known = self.extensions.iter();
        known.any(|known| known.eq_ignore_ascii_case(extension))
    }

    fn has_content_type(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let Some((kind, subtype)) = essence.split_once('/') else {
            return false;
        };
        self.content_types.iter().any(|range| {
            let known = range.subtype.as_deref();
            range.kind.eq_ignore_ascii_case(kind)
                && known.is_none_or(|known| known.eq_ignore_ascii_case(subtype))
        })
    }
}

impl MediaRange {
    fn parse(entry: &str) -> Option<Self> {
        // The characters of a token (RFC 9110, section 5.6.2) but the star.
        let is_token = |text: &str| {
            let legal =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte);
            !text.is_empty() && text.bytes().all(legal)
        };
        let entry = entry.to_ascii_lowercase();
        let (kind, subtype) = entry.split_once('/')?;
        let subtype = Some(subtype).filter(|subtype| *subtype != "*");
        (is_token(kind) && subtype.is_none_or(is_token)).then(|| Self {
            kind: kind.to_owned(),
            subtype: subtype.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: &str, name: &str, content_type: Option<&str>) -> Result<TypeMatch, Skip> {
        let types: SourceTypes = types.parse().unwrap();
        types.check(&ObjectName::parse(name).unwrap(), content_type)
    }

    #[test]
    fn an_extension_or_a_content_type_is_enough() {
        for (types, name, content_type) in [
            ("webp", "a.WebP", None),
            ("jpg, image/webp", "a.jpg", Some("text/plain")),
            ("jpg\nimage/webp", "avatar", Some("image/WEBP")),
            ("image/webp", "a.txt", Some("Image/webp; q=1")),
            ("image/*", "avatar", Some("image/anything")),
        ] {
            assert_eq!(
                check(types, name, content_type),
                Ok(TypeMatch::Yes),
                "{types} {name}"
            );
        }
    }

    #[test]
    fn what_matches_nothing_has_a_reason() {
        for (types, name, content_type, skip) in [
            ("webp", "a.jpg", Some("image/webp"), Skip::Extension),
            ("webp", "avatar", Some("image/webp"), Skip::NoExtension),
            ("image/webp", "a.jpg", Some("image/jpeg"), Skip::ContentType),
            ("image/*", "avatar", Some("imagex/a"), Skip::ContentType),
            ("image/*", "avatar", Some("image"), Skip::ContentType),
        ] {
            assert_eq!(
                check(types, name, content_type),
                Err(skip),
                "{types} {name}"
            );
        }
    }

    #[test]
    fn a_content_type_that_is_not_told_is_asked_for() {
        assert_eq!(
            check("jpg,image/*", "avatar", None),
            Ok(TypeMatch::Undecided)
        );
        assert_eq!(check("jpg,image/*", "a.jpg", None), Ok(TypeMatch::Yes));
        let types: SourceTypes = "image/*".parse().unwrap();
        let name = ObjectName::parse("avatar").unwrap();
        assert_eq!(types.check_known(&name, None), Err(Skip::ContentType));
    }

    #[test]
    fn formats_are_read_where_an_entry_names_them() {
        let read = |types: &str| {
            let formats = types.parse::<SourceTypes>().unwrap().formats();
            let read = SourceFormat::ALL
                .into_iter()
                .filter(|format| formats.contains(*format));
            read.collect::<Vec<_>>()
        };
        let (jpeg, png) = (SourceFormat::Jpeg, SourceFormat::Png);
        assert_eq!(read("jpg,heic,image/avif"), [jpeg, png]);
        assert_eq!(read("WEBP"), [jpeg, png, SourceFormat::WebP]);
        assert_eq!(read("tif"), [jpeg, png, SourceFormat::Tiff]);
        assert_eq!(
            read("image/gif,image/x-ms-bmp"),
            [jpeg, png, SourceFormat::Gif, SourceFormat::Bmp]
        );
        assert_eq!(read("image/*"), SourceFormat::ALL);
        assert_eq!(SourceTypes::default().formats(), SourceFormats::DEFAULT);
    }

    #[test]
    fn what_is_no_list_of_types_is_refused() {
        for text in [".jpg", "image/", "*/*", "im age/*/x", "image/*x", "jp?g"] {
            let fault = text.parse::<SourceTypes>();
            assert!(matches!(fault, Err(InvalidSourceTypes::Entry(_))), "{text}");
        }
        assert_eq!(
            " ,\n".parse::<SourceTypes>(),
            Err(InvalidSourceTypes::Empty)
        );
    }
}
