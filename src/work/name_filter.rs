//! Filters names by gcloud storage's wildcards.

use regex_lite::Regex;

use super::Skip;
use crate::names::ObjectName;

/// The names that are included and not excluded.
#[derive(Debug, Clone, Default)]
pub struct NameFilter {
    /// Empty for all names.
    include: Vec<Wildcard>,
    exclude: Vec<Wildcard>,
}

/// A name pattern: `*` matches any characters within a folder, `**` across folders, `?` one character within a folder.
#[derive(Debug, Clone)]
pub struct Wildcard(Regex);

impl NameFilter {
    /// Includes the names of `include`, or all if it is empty, except those of `exclude`.
    #[must_use]
    pub fn new(include: Vec<Wildcard>, exclude: Vec<Wildcard>) -> Self {
        Self { include, exclude }
    }

    pub(super) fn check(&self, name: &ObjectName) -> Result<(), Skip> {
        let matches =
            |wildcards: &[Wildcard]| wildcards.iter().any(|wildcard| wildcard.matches(name));
        if !self.include.is_empty() && !matches(&self.include) {
            return Err(Skip::NotIncluded);
        }
        if matches(&self.exclude) {
            return Err(Skip::Excluded);
        }
        Ok(())
    }
}

impl Wildcard {
    /// Parses entries separated by commas, or by line breaks alone if there are any.
    ///
    /// # Errors
    /// The entry that is too long to be a name.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let separator = if text.contains('\n') { '\n' } else { ',' };
        let entries = text.split(separator).map(str::trim);
        entries
            .filter(|entry| !entry.is_empty())
            .map(|entry| Self::parse(entry).ok_or_else(|| format!("{entry:?} is too long")))
            .collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut pattern = String::from("(?s)^");
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let (length, translated) = if rest.starts_with("**") {
                (2, ".*".to_owned())
            } else {
                let translated = match next {
                    '*' => "[^/]*".to_owned(),
                    '?' => "[^/]".to_owned(),
                    literal => regex_lite::escape(literal.encode_utf8(&mut [0; 4])),
                };
                (next.len_utf8(), translated)
            };
            pattern.push_str(&translated);
            rest = rest.get(length..)?;
        }
        // A folder's name matches everything in it.
        if text.ends_with('/') {
            pattern.push_str(".*");
        }
        pattern.push('$');
        Regex::new(&pattern).ok().map(Self)
    }

    fn matches(&self, name: &ObjectName) -> bool {
        self.0.is_match(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(wildcard: &str, name: &str) -> bool {
        let wildcards = Wildcard::parse_list(wildcard).unwrap();
        let name = ObjectName::parse(name).unwrap();
        wildcards.iter().any(|wildcard| wildcard.matches(&name))
    }

    #[test]
    fn stars_end_at_folders_unless_they_are_two() {
        for (wildcard, yes, no) in [
            ("a/*.jpg", "a/b.jpg", "a/b/c.jpg"),
            ("*", "a.jpg", "a/b.jpg"),
            ("a/**", "a/b/c.jpg", "b/a/c.jpg"),
            ("**/c.jpg", "a/b/c.jpg", "c.jpg"),
            ("**.jpg", "a/b/c.jpg", "a/b/c.jpgx"),
            ("a?c.jpg", "abc.jpg", "a/c.jpg"),
            ("a?c.jpg", "aßc.jpg", "ac.jpg"),
            ("uploads/", "uploads/a/b.jpg", "uploads"),
            ("a.jpg", "a.jpg", "axjpg"),
            ("[a](b)+{1}|^$", "[a](b)+{1}|^$", "a"),
        ] {
            assert!(matches(wildcard, yes), "{wildcard} {yes}");
            assert!(!matches(wildcard, no), "{wildcard} {no}");
        }
    }

    #[test]
    fn entries_are_separated_by_commas_or_by_lines() {
        assert!(matches("a/*, b/*", "b/c.jpg"));
        assert!(matches("a,b.jpg\nc", "a,b.jpg") && !matches("a,b.jpg\nc", "a"));
        assert!(Wildcard::parse_list(" ,, ").unwrap().is_empty());
    }

    #[test]
    fn what_is_excluded_is_not_taken_though_it_is_included() {
        let list = |text| Wildcard::parse_list(text).unwrap();
        let filter = NameFilter::new(list("a/**"), list("**/private/**"));
        let check = |name| filter.check(&ObjectName::parse(name).unwrap());
        assert_eq!(check("a/b.jpg"), Ok(()));
        assert_eq!(check("b/a.jpg"), Err(Skip::NotIncluded));
        assert_eq!(check("a/private/b.jpg"), Err(Skip::Excluded));
        assert_eq!(
            NameFilter::default().check(&ObjectName::parse("x").unwrap()),
            Ok(())
        );
    }

    #[test]
    fn hostile_wildcards_cost_little() {
        let wildcard = "**a".repeat(300);
        let name = "a".repeat(1000) + "b";
        assert!(!matches(&wildcard, &name));
    }
}
