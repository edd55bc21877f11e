//! Lists the names below a folder in byte order, which is not that of path components: `a-b` comes before `a/b`.
//!
//! A folder has its names in any order and may hold millions, so a page is made in one walk that keeps the smallest
//! names after the page before. Folders that can hold nothing of the page are skipped by name.

use std::collections::BinaryHeap;
use std::fs;
use std::path::Path;

use super::StoreError;
use crate::names::ObjectName;

/// An entry of a folder that is not a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Its path from the bucket, with replacement characters for what is not UTF-8.
    pub(super) name: String,
    /// Whether it is a regular file with a name in UTF-8.
    plain: bool,
}

impl Entry {
    /// The object's name, if the entry can be an object.
    pub(super) fn object_name(&self) -> Option<ObjectName> {
        let name = ObjectName::parse(self.name.as_str()).ok();
        name.filter(|_| self.plain)
    }
}

/// Finds the `count` smallest names below a folder that start with `prefix` and come after `after`, in order.
pub(super) fn smallest(
    folder: &Path,
    prefix: &str,
    after: &str,
    count: usize,
) -> Result<Vec<Entry>, StoreError> {
    let mut walk = Walk {
        prefix,
        after,
        count,
        kept: BinaryHeap::new(),
    };
    let entries = fs::read_dir(folder)?;
    walk.visit(entries, "")?;
    Ok(walk.kept.into_sorted_vec())
}

struct Walk<'a> {
    prefix: &'a str,
    after: &'a str,
    count: usize,
    /// The largest name is on top, and is the first to be dropped.
    kept: BinaryHeap<Entry>,
}

impl Walk<'_> {
    /// Visits a folder: its files, then its folders by name, so that later ones are soon skipped.
    fn visit(&mut self, entries: fs::ReadDir, above: &str) -> Result<(), StoreError> {
        let mut folders = Vec::new();
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let file_name = entry.file_name();
            let text = file_name.to_str();
            let name = format!("{above}{}", file_name.to_string_lossy());
            match text {
                Some(_) if kind.is_dir() => folders.push((format!("{name}/"), entry.path())),
                _ => self.keep(Entry {
                    plain: text.is_some() && kind.is_file(),
                    name,
                }),
            }
        }
        folders.sort_unstable();
        for (name, path) in folders {
            if self.may_hold(&name)
                && let Some(entries) = read_if_there(&path)?
            {
                self.visit(entries, &name)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, entry: Entry) {
        if entry.name.as_str() > self.after && entry.name.starts_with(self.prefix) {
            self.kept.push(entry);
            if self.kept.len() > self.count {
                self.kept.pop();
            }
        }
    }

    /// Whether a name that starts with this one may belong to the page.
    fn may_hold(&self, folder: &str) -> bool {
        let fits_prefix = folder.starts_with(self.prefix) || self.prefix.starts_with(folder);
        let comes_after = folder > self.after || self.after.starts_with(folder);
        let full = self.kept.len() == self.count;
        let is_too_late = full
            && self
                .kept
                .peek()
                .is_some_and(|largest| folder > largest.name.as_str());
        fits_prefix && comes_after && !is_too_late
    }
}

/// Reads a folder that may have been removed since its parent was read.
fn read_if_there(folder: &Path) -> Result<Option<fs::ReadDir>, StoreError> {
    match fs::read_dir(folder).map_err(StoreError::from) {
        Ok(entries) => Ok(Some(entries)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// Makes a file, unless one of its folders is a file or the other way round.
    fn touch(folder: &TempDir, name: &str) -> bool {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).is_ok() && fs::write(path, "").is_ok()
    }

    fn names(found: Vec<Entry>) -> Vec<String> {
        found.into_iter().map(|entry| entry.name).collect()
    }

    /// One to three parts of characters that sort next to the slash, or otherwise in UTF-16.
    const NAME: &str = "[a0.\\-\u{ff5e}\u{1f600}]{1,2}x(/[a.\\-]y){0,2}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pages_of_any_length_make_up_the_names_in_byte_order(
            wanted in prop::collection::vec(NAME, 0..20),
            count in 1..6_usize,
            prefix in "(|a|a/|a-|[a.]x/)",
            start in prop_oneof![Just(String::new()), NAME],
        ) {
            let folder = tempfile::tempdir().unwrap();
            let made: BTreeSet<_> = wanted.into_iter().filter(|name| touch(&folder, name)).collect();
            let expected: Vec<_> = made
                .into_iter()
                .filter(|name| name.starts_with(&prefix) && *name > start)
                .collect();
            let mut listed: Vec<String> = Vec::new();
            loop {
                let after = listed.last().unwrap_or(&start);
                let page = smallest(folder.path(), &prefix, after, count).unwrap();
                prop_assert!(page.len() <= count);
                if page.is_empty() {
                    break;
                }
                listed.extend(names(page));
            }
            prop_assert_eq!(listed, expected);
        }
    }

    #[test]
    fn a_dash_comes_before_a_slash() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/b", "a-b", "a0", "a.b", "a/a"] {
            assert!(touch(&folder, name));
        }
        let found = smallest(folder.path(), "", "", 10).unwrap();
        assert_eq!(names(found), ["a-b", "a.b", "a/a", "a/b", "a0"]);
    }

    #[test]
    fn what_no_object_can_be_is_found_but_not_named() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        assert!(touch(&folder, "b.jpg") && touch(&folder, "two\nlines.jpg"));
        fs::write(
            folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.jpg")),
            "",
        )
        .unwrap();
        std::os::unix::fs::symlink("b.jpg", folder.path().join("a.jpg")).unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("loop")).unwrap();
        let found = smallest(folder.path(), "", "", 10).unwrap();
        assert_eq!(found.len(), 5);
        let named: Vec<_> = found.iter().filter_map(Entry::object_name).collect();
        assert_eq!(named, [ObjectName::parse("b.jpg").unwrap()]);
    }
}
