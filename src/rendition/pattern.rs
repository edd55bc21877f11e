//! The names of outputs, made from the names of their sources.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::parts::{self, Parts};
use crate::names::{ObjectName, Prefix};

/// The characters that a literal must encode, as they would end it or the rendition.
const RESERVED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'{').add(b'}');

/// A name with placeholders for parts of the source's name.
///
/// It holds the source's folder and file, so that sources share a name only if they differ in the extension alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Name,
    Dir,
    Stem,
    /// The stem by the rule of Firebase's extension, which then holds for the whole pattern.
    FirebaseStem,
    Extension,
    /// The extension replaced by a dot and these letters, where there is one.
    Replaced(String),
}

/// Why a text is no [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// There is no such placeholder.
    #[error(
        "{{{0}}} is no placeholder; there are {{name}}, {{dir}}, {{stem}}, {{stem:firebase}}, {{.ext}} and {{.LETTERS}}"
    )]
    UnknownPlaceholder(String),
    /// A brace opens and doesn't close, or the reverse.
    #[error("a brace has no counterpart; a brace of the name itself is written %7B or %7D")]
    Brace,
    /// A percent sign has no two hexadecimal digits behind it, or what is encoded is not UTF-8.
    #[error("the percent-encoding is broken; a percent sign of the name itself is written %25")]
    PercentEncoding,
    /// No object's name holds a line break.
    #[error("a name has no carriage return or line feed")]
    LineBreak,
    /// The source's folder or file is not part of the name.
    #[error("the name needs {{name}}, or {{dir}} and {{stem}}, lest sources share it")]
    Incomplete,
    /// The names would be those of the sources.
    #[error("the name is the source's own; put something before or behind it")]
    SourceItself,
}

impl Pattern {
    /// The source's whole name behind a prefix.
    #[must_use]
    pub(crate) fn prefixed(prefix: &Prefix) -> Self {
        Self(vec![
            Piece::Literal(prefix.as_str().to_owned()),
            Piece::Name,
        ])
    }

    /// The name of a source's output, or `None` if no object can have it.
    #[must_use]
    pub fn name_of(&self, source: &ObjectName) -> Option<ObjectName> {
        let Parts { dir, stem, dot_ext } = self.parts_of(source);
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => name.push_str(text),
                Piece::Name => name.push_str(source.as_str()),
                Piece::Dir => name.push_str(dir),
                Piece::Stem | Piece::FirebaseStem => name.push_str(stem),
                Piece::Extension => name.push_str(dot_ext),
                Piece::Replaced(_) if dot_ext.is_empty() => {}
                Piece::Replaced(letters) => name.extend([".", letters]),
            }
        }
        ObjectName::parse(name).ok()
    }

    /// The literal that all names begin with; may be empty.
    #[must_use]
    pub(crate) fn literal_beginning(&self) -> &str {
        match self.0.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The literal of a pattern that is a literal and `{name}`: its names are in the order of their sources' names.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Literal(prefix), Piece::Name] => Some(prefix),
            _ => None,
        }
    }

    fn new(pieces: Vec<Piece>) -> Result<Self, InvalidPattern> {
        let has = |piece| pieces.contains(&piece);
        let has_stem = has(Piece::Stem) || has(Piece::FirebaseStem);
        if !(has(Piece::Name) || has(Piece::Dir) && has_stem) {
            return Err(InvalidPattern::Incomplete);
        }
        if matches!(
            pieces.as_slice(),
            [Piece::Name]
                | [
                    Piece::Dir,
                    Piece::Stem | Piece::FirebaseStem,
                    Piece::Extension
                ]
        ) {
            return Err(InvalidPattern::SourceItself);
        }
        Ok(Self(pieces))
    }

    /// The parts of a source's name, by the extensions that this pattern recognises.
    fn parts_of<'n>(&self, source: &'n ObjectName) -> Parts<'n> {
        if self.0.contains(&Piece::FirebaseStem) {
            Parts::of(source, parts::is_of_picture_to_firebase)
        } else {
            Parts::of(source, parts::is_of_picture)
        }
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            pieces.extend(literal(&rest[..open])?);
            let (placeholder, after) = rest[open + 1..]
                .split_once('}')
                .ok_or(InvalidPattern::Brace)?;
            pieces.push(Piece::placeholder(placeholder)?);
            rest = after;
        }
        pieces.extend(literal(rest)?);
        Self::new(pieces)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => written(text).fmt(f)?,
                Piece::Name => f.write_str("{name}")?,
                Piece::Dir => f.write_str("{dir}")?,
                Piece::Stem => f.write_str("{stem}")?,
                Piece::FirebaseStem => f.write_str("{stem:firebase}")?,
                Piece::Extension => f.write_str("{.ext}")?,
                Piece::Replaced(letters) => write!(f, "{{.{letters}}}")?,
            }
        }
        Ok(())
    }
}

impl Piece {
    fn placeholder(text: &str) -> Result<Self, InvalidPattern> {
        match text {
            "name" => return Ok(Self::Name),
            "dir" => return Ok(Self::Dir),
            "stem" => return Ok(Self::Stem),
            "stem:firebase" => return Ok(Self::FirebaseStem),
            ".ext" => return Ok(Self::Extension),
            _ => {}
        }
        let letters = text.strip_prefix('.').filter(|letters| {
            !letters.is_empty() && letters.bytes().all(|letter| letter.is_ascii_alphabetic())
        });
        match letters {
            Some(letters) => Ok(Self::Replaced(letters.to_owned())),
            None => Err(InvalidPattern::UnknownPlaceholder(text.to_owned())),
        }
    }
}

/// Encodes a literal as a pattern has it.
pub(crate) fn written(literal: &str) -> impl fmt::Display {
    utf8_percent_encode(literal, RESERVED)
}

/// Parses the literal between two placeholders, if there is any.
fn literal(text: &str) -> Result<Option<Piece>, InvalidPattern> {
    if text.contains('}') {
        return Err(InvalidPattern::Brace);
    }
    let encoded = |rest: &str| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The decoder leaves broken sequences as they are.
    if !text.split('%').skip(1).all(encoded) {
        return Err(InvalidPattern::PercentEncoding);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| InvalidPattern::PercentEncoding)?;
    if decoded.contains(['\r', '\n']) {
        return Err(InvalidPattern::LineBreak);
    }
    Ok((!decoded.is_empty()).then(|| Piece::Literal(decoded.into_owned())))
}

#[cfg(test)]
mod tests;
