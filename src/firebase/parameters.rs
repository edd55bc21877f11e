//! Parses files of `KEY=VALUE` lines as the Firebase CLI does.
//!
//! The rules are those of `src/functions/env.ts` in firebase-tools: `#` begins a comment, a value in quotes may go over
//! several lines, and in double quotes a backslash escapes.

use std::collections::BTreeMap;

/// The parameters of a file, in the order of their names; an empty one counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

/// A line that sets no parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {number} is not KEY=VALUE")]
pub struct InvalidLine {
    /// The line's number, from 1.
    pub number: usize,
}

impl Parameters {
    /// Parses a file's text; of a parameter that is there twice, the later counts.
    ///
    /// # Errors
    /// The first [`InvalidLine`].
    pub fn parse(text: &str) -> Result<Self, InvalidLine> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut parameters = BTreeMap::new();
        let mut rest = text.trim_start_matches('\u{feff}');
        let mut number = 1;
        while !rest.is_empty() {
            let line = rest.split('\n').next().unwrap_or_default();
            let mut end = line.len();
            if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                let (key, _) = line
                    .split_once('=')
                    .filter(|(key, _)| is_key(key.trim()))
                    .ok_or(InvalidLine { number })?;
                let start = key.len() + 1;
                let after = rest.get(start..).unwrap_or_default();
                let (value, length) = value(after);
                end = start + length;
                parameters.insert(key.trim().to_owned(), value);
            }
            let (taken, after) = rest.split_at_checked(end + 1).unwrap_or((rest, ""));
            number += taken.matches('\n').count();
            rest = after;
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    /// A parameter's value, where it has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of the parameters that have values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Whether the CLI accepts a name; its own ones have dots and slashes.
fn is_key(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/');
    !text.is_empty() && text.chars().all(legal)
}

/// The value at the start of a text, and the length of it and the rest of its line.
fn value(text: &str) -> (String, usize) {
    if let Some(quoted) = quoted(text) {
        return quoted;
    }
    let line = text.split('\n').next().unwrap_or_default();
    let bare = line.split('#').next().unwrap_or_default();
    (bare.trim().to_owned(), line.len())
}

/// A value in quotes, unless something else than a comment follows it on its line.
fn quoted(text: &str) -> Option<(String, usize)> {
    let open = text.len() - text.trim_start_matches([' ', '\t']).len();
    let quote = text
        .get(open..)?
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''))?;
    let mut value = String::new();
    let mut chars = text.get(open + 1..)?.char_indices();
    let close = loop {
        match chars.next()? {
            (at, c) if c == quote => break open + 1 + at,
            (_, '\\') if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                'v' => value.push('\u{b}'),
                c @ ('\\' | '\'' | '"') => value.push(c),
                c => value.extend(['\\', c]),
            },
            (_, c) => value.push(c),
        }
    };
    let after = text.get(close + 1..)?.split('\n').next()?;
    let comment = after.trim_start();
    (comment.is_empty() || comment.starts_with('#')).then_some((value, close + 1 + after.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        Parameters::parse(text).unwrap().0.into_iter().collect()
    }

    fn value_of(line: &str) -> String {
        let parsed = Parameters::parse(line).unwrap();
        parsed.value("A").unwrap_or_default().to_owned()
    }

    #[test]
    fn values_are_read_as_the_cli_does() {
        for (line, value) in [
            ("A=b", "b"),
            ("  A = b c  ", "b c"),
            ("A=b # comment", "b"),
            ("A=", ""),
            ("A={\"a\":\"b\"}", "{\"a\":\"b\"}"),
            ("A='b # c' # d", "b # c"),
            ("A=\"b\\\"c\\nd\\\\n\"", "b\"c\nd\\n"),
            ("A=\"b\nc\"", "b\nc"),
            ("A='b\\n'", "b\\n"),
            ("A=\"b\" c", "\"b\" c"),
            ("A=\"b", "\"b"),
            ("A=b=c", "b=c"),
        ] {
            assert_eq!(value_of(line), value, "{line}");
        }
    }

    #[test]
    fn lines_end_in_any_way_and_the_later_counts() {
        let parameters = parsed("\u{feff}# c\r\n\r\nA=1\r\nB='x\r\ny'\rA=2\na.b/c=3\nC=");
        let expected = [("A", "2"), ("B", "x\ny"), ("a.b/c", "3")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(parameters, expected);
    }

    #[test]
    fn a_line_that_sets_nothing_is_told_by_its_number() {
        for (text, number) in [
            ("IMG_BUCKET", 1),
            ("A='1\n2'\n{\n", 3),
            ("A=1\n\n=b", 3),
            ("A B=1", 1),
        ] {
            assert_eq!(
                Parameters::parse(text),
                Err(InvalidLine { number }),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A=\"'\\\\#\n\r ünv]{0,24}") {
            let _ = Parameters::parse(&text);
        }
    }
}
