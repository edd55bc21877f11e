//! Converts the extension's lists of folders to this service's wildcards.
//!
//! The extension takes a path as the beginning of a regular expression, `^PATH(?:/.*|$)`, in which `*` stands for any
//! letters, digits, `_`, `-`, `.`, white space and slashes, or nothing, and matches it with the object's folder
//! (`util.ts`, `startsWithArray`).

/// Converts a list of absolute paths to wildcards of the names in them; an error is the first entry that the extension
/// would reject, or that is more than a path with `*`.
pub(super) fn wildcards(list: &str) -> Result<Vec<String>, String> {
    list.split(',').map(|path| wildcard(path.trim())).collect()
}

fn wildcard(path: &str) -> Result<String, String> {
    let absolute = path.strip_prefix('/').filter(|rest| {
        let mut folders = rest.split('/');
        folders.all(|folder| !folder.is_empty() && !folder.contains(char::is_whitespace))
    });
    let Some(folders) = absolute else {
        return Err(format!(
            "{path:?} is no absolute path such as /users/pictures, which doesn't end in a slash"
        ));
    };
    // These are parts of a regular expression to the extension, and some are wildcards here.
    if let Some(c) = folders.chars().find(|c| "?+^$()[]{}|\\".contains(*c)) {
        return Err(format!(
            "{path:?} has a {c}, which the extension reads as a part of a regular expression: write the folders one by one, with * alone"
        ));
    }
    let mut pattern = String::new();
    for c in folders.chars() {
        match c {
            '*' if pattern.ends_with("**") => {}
            '*' => pattern.push_str("**"),
            c => pattern.push(c),
        }
    }
    // The bucket's own folder is /, the only one that ends in a slash: nothing has to follow it.
    if pattern != "**" {
        pattern.push_str("/**");
    }
    Ok(pattern)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders_become_wildcards() {
        for (list, expected) in [
            ("/users/pictures", vec!["users/pictures/**"]),
            ("/a, /b/c", vec!["a/**", "b/c/**"]),
            ("/users/*/pictures", vec!["users/**/pictures/**"]),
            ("/users/**", vec!["users/**/**"]),
            ("/user*", vec!["user**/**"]),
            ("/*", vec!["**"]),
            ("/a.b/c", vec!["a.b/c/**"]),
        ] {
            assert_eq!(wildcards(list).unwrap(), expected, "{list}");
        }
    }

    #[test]
    fn what_is_no_list_of_paths_is_refused() {
        for list in [
            "users", "/", "/a/", "/a,", "/a//b", "/a b", "/a/(b|c)", "/a/{id}", "/a/[^/]+",
        ] {
            assert!(wildcards(list).is_err(), "{list}");
        }
    }

    /// The extension's rule: the regular expression, by hand.
    fn lies_in(path: &str, folder: &str) -> bool {
        match path.chars().next() {
            None => folder.is_empty() || folder.starts_with('/'),
            Some('*') => {
                let rest = &path[1..];
                let mut ends = folder.char_indices().map(|(at, c)| (at, Some(c)));
                let mut chars = ends.by_ref().chain([(folder.len(), None)]);
                loop {
                    match chars.next() {
                        Some((at, _)) if lies_in(rest, &folder[at..]) => return true,
                        Some((_, Some(c))) if c.is_ascii_alphanumeric() || "_-. /".contains(c) => {}
                        _ => return false,
                    }
                }
            }
            Some(c) => folder
                .strip_prefix(c)
                .is_some_and(|folder| lies_in(&path[c.len_utf8()..], folder)),
        }
    }

    /// Wildcards as gcloud storage has them: `**` is any text, `*` any without a slash, `?` one character.
    fn matches(pattern: &str, name: &str) -> bool {
        if let Some(rest) = pattern.strip_prefix("**") {
            return (0..=name.len()).any(|at| matches(rest, &name[at..]));
        }
        match (pattern.chars().next(), name.chars().next()) {
            (None, None) => true,
            (Some(one), Some(other)) if one == other => matches(&pattern[1..], &name[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_wildcard_matches_just_the_names_in_the_extension_s_folders(
            path in "(/[ab*]{1,3}){1,3}",
            name in "([ab]{1,2}/){0,4}[ab]\\.jpg",
        ) {
            let folder = format!("/{}", name.rsplit_once('/').map_or("", |(folder, _)| folder));
            let pattern = wildcard(&path).unwrap();
            prop_assert_eq!(matches(&pattern, &name), lies_in(&path, &folder), "{} {}", path, pattern);
        }
    }
}
