//! Headers and custom metadata of an object in a folder, in a file of their own.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{StoreError, read_if_there};
use crate::names::{BucketName, Generation, ObjectName};
use crate::object::Details;
use crate::stored::{Metadata, Upload};

/// The metadata of one version of an object.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Sidecar {
    pub(super) content_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_language: Option<String>,
    pub(super) metadata: Metadata,
}

impl Sidecar {
    pub(super) fn of(upload: &Upload) -> Self {
        Self {
            content_type: upload.content_type.to_owned(),
            cache_control: upload.cache_control.clone(),
            content_language: upload.content_language.clone(),
            metadata: upload.metadata(),
        }
    }

    pub(super) fn details(self) -> Details {
        Details {
            content_type: Some(self.content_type).filter(|media_type| !media_type.is_empty()),
            content_language: self.content_language,
            cache_control: self.cache_control,
            metadata: self.metadata,
        }
    }

    /// Loads a version's metadata; a file dropped in by hand has none.
    pub(super) fn load(
        hidden: &Path,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) -> Result<Self, StoreError> {
        match read_if_there(&path_of(hidden, bucket, name, generation))? {
            Some(json) => {
                serde_json::from_slice(&json).map_err(|error| StoreError::Unknown(error.into()))
            }
            None => Ok(Self::default()),
        }
    }

    pub(super) fn store(
        &self,
        hidden: &Path,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) -> Result<(), StoreError> {
        let path = path_of(hidden, bucket, name, generation);
        let json =
            serde_json::to_vec_pretty(self).map_err(|error| StoreError::Unknown(error.into()))?;
        fs::write(path, json).map_err(StoreError::from)
    }

    /// Removes an older version's metadata; a file left behind belongs to a generation that never returns.
    pub(super) fn remove(
        hidden: &Path,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) {
        let _ = fs::remove_file(path_of(hidden, bucket, name, generation));
    }
}

/// Hashed, as an object's name may be too long or too deep for one file name.
fn path_of(
    hidden: &Path,
    bucket: &BucketName,
    name: &ObjectName,
    generation: Generation,
) -> PathBuf {
    let digest = Sha256::new()
        .chain_update(bucket.as_str())
        .chain_update("/")
        .chain_update(name.as_str())
        .finalize();
    let hash = BASE64_URL_SAFE_NO_PAD.encode(digest);
    hidden.join(format!("{hash}-{generation}.json"))
}
