//! Renditions: what a source becomes, and the names that its outputs get.
//!
//! A rendition is written as a URL would be, `NAME?PARAMETERS`. Its name is a [`Pattern`] of literal text,
//! percent-encoded where a URL's would be, and placeholders:
//!
//! | placeholder | for `users/7/cat.final.JPG` | for `users/7/avatar` |
//! | --- | --- | --- |
//! | `{name}` | `users/7/cat.final.JPG` | `users/7/avatar` |
//! | `{dir}` | `users/7/` | `users/7/` |
//! | `{stem}` | `cat.final` | `avatar` |
//! | `{stem:firebase}`, where `.bmp`, `.heic` and `.heif` are no extensions in the whole pattern | `cat.final` | `avatar` |
//! | `{.ext}` | `.JPG` | |
//! | `{.webp}`, or any other letters | `.webp` | |

mod parts;
mod pattern;

use std::fmt;
use std::str::FromStr;

pub(crate) use pattern::written;
pub use pattern::{InvalidPattern, Pattern};

use crate::names::Prefix;
use crate::render::{InvalidTarget, Target};

/// The most renditions of one source.
pub const MAX_RENDITIONS: usize = 16;

/// An output that is made of every source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// The names of its outputs.
    pub pattern: Pattern,
    /// The size and format of its outputs.
    pub target: Target,
}

/// All renditions of a source: at least one, and none that could take another's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renditions(Vec<Rendition>);

/// Why a text is no list of renditions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRendition {
    /// The name is no pattern.
    #[error("{rendition}: {fault}")]
    Pattern {
        /// The rendition as it was given.
        rendition: String,
        /// What is wrong with its name.
        fault: InvalidPattern,
    },
    /// The parameters are no target.
    #[error("{rendition}: {fault}")]
    Target {
        /// The rendition as it was given.
        rendition: String,
        /// What is wrong with its parameters.
        fault: InvalidTarget,
    },
    /// Two renditions have one pattern.
    #[error("two renditions are named {0}")]
    SameName(Pattern),
    /// The names of one rendition may be names of another.
    #[error("{inner} lies within {outer}: a source's name could make the two meet")]
    Nested {
        /// The rendition whose literal beginning is the longer.
        inner: Pattern,
        /// The rendition whose literal beginning is the shorter.
        outer: Pattern,
    },
    /// There are more than [`MAX_RENDITIONS`].
    #[error("{0} renditions are more than {MAX_RENDITIONS}")]
    TooMany(usize),
    /// There is no rendition.
    #[error("there is no rendition")]
    None,
}

impl FromStr for Rendition {
    type Err = InvalidRendition;

    fn from_str(text: &str) -> Result<Self, InvalidRendition> {
        let (name, parameters) = text.split_once('?').unwrap_or((text, ""));
        let rendition = || text.to_owned();
        let pattern = name.parse().map_err(|fault| InvalidRendition::Pattern {
            rendition: rendition(),
            fault,
        })?;
        let target = parameters
            .parse()
            .map_err(|fault| InvalidRendition::Target {
                rendition: rendition(),
                fault,
            })?;
        Ok(Self { pattern, target })
    }
}

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}?{}", self.pattern, self.target)
    }
}

impl Renditions {
    /// Parses renditions that are separated by white space.
    ///
    /// # Errors
    /// [`InvalidRendition`] names the first that breaks a rule.
    pub fn parse(text: &str) -> Result<Self, InvalidRendition> {
        let renditions: Result<_, _> = text.split_whitespace().map(str::parse).collect();
        Self::new(renditions?)
    }

    /// The one rendition of a thumbnail prefix: the prefix, the source's whole name, and the default target.
    #[must_use]
    pub(crate) fn of_prefix(prefix: &Prefix) -> Self {
        Self(vec![Rendition {
            pattern: Pattern::prefixed(prefix),
            target: Target::default(),
        }])
    }

    fn new(renditions: Vec<Rendition>) -> Result<Self, InvalidRendition> {
        if renditions.is_empty() {
            return Err(InvalidRendition::None);
        }
        if renditions.len() > MAX_RENDITIONS {
            return Err(InvalidRendition::TooMany(renditions.len()));
        }
        for (index, rendition) in renditions.iter().enumerate() {
            for other in renditions.iter().skip(index + 1) {
                check_pair(&rendition.pattern, &other.pattern)?;
            }
        }
        Ok(Self(renditions))
    }

    /// The renditions in the order in which they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, Rendition> {
        self.0.iter()
    }
}

impl<'r> IntoIterator for &'r Renditions {
    type Item = &'r Rendition;
    type IntoIter = std::slice::Iter<'r, Rendition>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn check_pair(one: &Pattern, other: &Pattern) -> Result<(), InvalidRendition> {
    if one == other {
        return Err(InvalidRendition::SameName(one.clone()));
    }
    let (Some(prefix), Some(other_prefix)) = (one.prefix(), other.prefix()) else {
        return Ok(());
    };
    let nested = |inner: &Pattern, outer: &Pattern| InvalidRendition::Nested {
        inner: inner.clone(),
        outer: outer.clone(),
    };
    if other_prefix.starts_with(prefix) {
        Err(nested(other, one))
    } else if prefix.starts_with(other_prefix) {
        Err(nested(one, other))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Renditions, InvalidRendition> {
        Renditions::parse(text)
    }

    #[test]
    fn renditions_are_separated_by_white_space() {
        let renditions = parsed(
            "thumbnails/{name}?size=128x128
             previews/{name}?size=1600x1600&format=webp&quality=80
             {dir}thumbs/{stem}_200x200{.webp}?size=200x200&fit=cover&format=webp",
        )
        .unwrap();
        let printed: Vec<_> = renditions.iter().map(Rendition::to_string).collect();
        assert_eq!(
            printed,
            [
                "thumbnails/{name}?size=128x128&fit=inside&format=png",
                "previews/{name}?size=1600x1600&fit=inside&format=webp&quality=80",
                "{dir}thumbs/{stem}_200x200{.webp}?size=200x200&fit=cover&format=webp&quality=80",
            ]
        );
        assert_eq!(parsed(&printed.join("\n")), Ok(renditions));
    }

    #[test]
    fn a_prefix_is_short_for_the_default_rendition() {
        let prefix = Prefix::parse("50% off? {x}/").unwrap();
        let renditions = Renditions::of_prefix(&prefix);
        let printed = renditions.iter().next().unwrap().to_string();
        assert_eq!(
            printed,
            "50%25%20off%3F%20%7Bx%7D/{name}?size=128x128&fit=inside&format=png"
        );
        assert_eq!(parsed(&printed), Ok(renditions));
    }

    #[test]
    fn renditions_that_could_meet_are_refused() {
        for (text, fault) in [
            (
                "a/{name}?size=1x1 a/{name}?size=2x2",
                "two renditions are named a/{name}",
            ),
            (
                "a/{name}?size=1x1 %61/{name}?size=2x2",
                "two renditions are named a/{name}",
            ),
            (
                "a/{name}?size=1x1 a/b/{name}?size=2x2",
                "a/b/{name} lies within a/{name}: a source's name could make the two meet",
            ),
            (
                "ab{name}?size=1x1 a{name}?size=2x2",
                "ab{name} lies within a{name}: a source's name could make the two meet",
            ),
        ] {
            assert_eq!(parsed(text).unwrap_err().to_string(), fault);
        }
        assert!(parsed("a/{name}?size=1x1 b/{name}?size=1x1 a/{name}.png?size=1x1").is_ok());
    }

    #[test]
    fn there_are_1_to_16() {
        let some = |count: usize| {
            let renditions = (0..count).map(|n| format!("{n:02}/{{name}}?size=1x1"));
            parsed(&renditions.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(some(0), Err(InvalidRendition::None));
        assert_eq!(some(16).unwrap().iter().len(), 16);
        assert_eq!(some(17), Err(InvalidRendition::TooMany(17)));
    }

    #[test]
    fn a_fault_names_its_rendition() {
        for (text, fault) in [
            (
                "a/{name}",
                "a/{name}: size is required, such as size=200x200",
            ),
            (
                "a/{nome}?size=1x1",
                "a/{nome}?size=1x1: {nome} is no placeholder; there are {name}, {dir}, {stem}, {stem:firebase}, {.ext} and {.LETTERS}",
            ),
        ] {
            assert_eq!(parsed(text).unwrap_err().to_string(), fault);
        }
    }
}
