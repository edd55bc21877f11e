//! Validates `RENDITIONS`, and `THUMBNAIL_PREFIX`, which is short for one.

use crate::names::{ObjectName, Prefix};
use crate::rendition::Renditions;
use crate::store::{Directory, StoreError};

/// The default of `THUMBNAIL_PREFIX`.
const DEFAULT_PREFIX: &str = "thumbnails/";

/// A variable and what is wrong with it.
type Fault = (&'static str, String);

/// Parses the renditions. Where they are set, an empty prefix counts as not set.
pub(super) fn check(renditions: &[String], prefix: Option<&str>) -> Result<Renditions, Fault> {
    let renditions = renditions.join(" ");
    match (renditions.trim(), prefix) {
        ("", prefix) => Prefix::parse(prefix.unwrap_or(DEFAULT_PREFIX))
            .map(|prefix| Renditions::of_prefix(&prefix))
            .map_err(|fault| ("THUMBNAIL_PREFIX", fault.to_string())),
        (renditions, None | Some("")) => {
            Renditions::parse(renditions).map_err(|fault| ("RENDITIONS", fault.to_string()))
        }
        (_, Some(_)) => {
            let fault = "is short for a rendition, and RENDITIONS is set; write it there";
            Err(("THUMBNAIL_PREFIX", fault.to_owned()))
        }
    }
}

/// Checks that a folder can hold outputs of these names.
pub(super) fn check_names(renditions: &Renditions) -> Result<(), StoreError> {
    let Ok(picture) = ObjectName::parse("n.jpg") else {
        return Ok(());
    };
    let mut names = renditions
        .iter()
        .filter_map(|rendition| rendition.pattern.name_of(&picture));
    names.try_for_each(|name| Directory::check_name(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(renditions: &[&str], prefix: Option<&str>) -> Result<String, Fault> {
        let renditions: Vec<_> = renditions.iter().map(|text| (*text).to_owned()).collect();
        let checked = check(&renditions, prefix)?;
        let written: Vec<_> = checked.iter().map(ToString::to_string).collect();
        Ok(written.join(" "))
    }

    #[test]
    fn the_default_is_one_thumbnail() {
        let default = Ok("thumbnails/{name}?size=128x128&fit=inside&format=png".to_owned());
        assert_eq!(checked(&[], None), default);
        assert_eq!(checked(&[""], None), default);
        assert_eq!(checked(&[], Some("thumbnails/")), default);
    }

    #[test]
    fn options_and_the_variable_are_one_list() {
        let listed = checked(
            &[
                "a/{name}?size=1x1",
                " b/{name}?size=2x2\n c/{name}?size=3x ",
            ],
            None,
        );
        assert_eq!(listed.unwrap().split(' ').count(), 3);
    }

    #[test]
    fn both_variables_are_a_fault() {
        let (variable, _) = checked(&["a/{name}?size=1x1"], Some("t/")).unwrap_err();
        assert_eq!(variable, "THUMBNAIL_PREFIX");
        let (variable, _) = checked(&["a/{name}"], None).unwrap_err();
        assert_eq!(variable, "RENDITIONS");
        let (variable, _) = checked(&[], Some("")).unwrap_err();
        assert_eq!(variable, "THUMBNAIL_PREFIX");
    }
}
