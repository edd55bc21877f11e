//! Maps an object's name to the one file that may hold it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::names::{BucketName, ObjectName};

/// The file of an object that may exist.
pub(super) fn existing(
    root: &Path,
    bucket: &BucketName,
    name: &ObjectName,
) -> Result<PathBuf, StoreError> {
    let path = path_of(root, bucket, name)?;
    check_links(root, &path)?;
    Ok(path)
}

/// The file to write an object to; the bucket must exist.
pub(super) fn writable(
    root: &Path,
    bucket: &BucketName,
    name: &ObjectName,
) -> Result<PathBuf, StoreError> {
    let path = existing(root, bucket, name)?;
    fs::metadata(root.join(bucket.as_str()))?;
    if path.is_dir() {
        return Err(obstacle("a folder has the name already"));
    }
    Ok(path)
}

/// Makes the folders above a file.
pub(super) fn make_parents(root: &Path, path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().unwrap_or(root);
    fs::create_dir_all(parent).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            obstacle("a part of the name is an object already")
        }
        _ => error.into(),
    })
}

/// Removes the folders above a deleted file that hold nothing else, as an object store has none; the bucket stays.
pub(super) fn remove_empty_parents(bucket: &Path, path: &Path) {
    let inside = path.ancestors().skip(1).take_while(|part| *part != bucket);
    for folder in inside {
        // A folder that is in use can't be removed.
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// An error that is retried, as what is in the name's way may go.
fn obstacle(reason: &'static str) -> StoreError {
    StoreError::Unavailable(reason.into())
}

/// Names map to paths one to one; a name that no path can hold is an error, so nothing leaves the root.
fn path_of(root: &Path, bucket: &BucketName, name: &ObjectName) -> Result<PathBuf, StoreError> {
    check(name)?;
    let mut path = root.join(bucket.as_str());
    path.extend(name.as_str().split('/'));
    Ok(path)
}

/// Whether a path can express the name.
pub(super) fn check(name: &ObjectName) -> Result<(), StoreError> {
    let fault = |part: &str| match part {
        "" => Some("a part of the name is empty"),
        "." | ".." => Some("a part of the name is . or .."),
        part if part.len() > 255 => Some("a part of the name is over 255 bytes"),
        part if part.contains('\0') => Some("the name has a NUL"),
        _ => None,
    };
    let fault = name.as_str().split('/').find_map(fault);
    fault.map_or(Ok(()), |fault| Err(StoreError::Unstorable(fault)))
}

/// Rejects symbolic links, which could lead out of the root.
fn check_links(root: &Path, path: &Path) -> Result<(), StoreError> {
    let inside = path.ancestors().take_while(|part| *part != root);
    for part in inside {
        match fs::symlink_metadata(part) {
            Ok(status) if status.is_symlink() => {
                return Err(obstacle("a part of its path is a symbolic link"));
            }
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(error.into());
            }
            _ => {}
        }
    }
    Ok(())
}
