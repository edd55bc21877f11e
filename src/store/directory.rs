//! A local folder as an object store, for the processes of one machine.
//!
//! Buckets are sub-folders and objects are files, so pictures dropped in by hand count. A version's generation is its
//! file's modification time in microseconds; writes choose one that grows. Custom metadata lies in the hidden folder
//! `.gcs-thumbnailer` beside the buckets, one small file per object and generation, written before the object is
//! renamed into place: whoever sees an object sees its metadata. What a crash leaves unfinished is never visible, and
//! the next start removes it. Writes and deletes hold a lock on a file in the hidden folder, so `reconcile` may run
//! beside the service.

mod body;
mod exclusive;
mod list;
mod path;
mod sidecar;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) use self::body::Body;
use self::body::{generation_of, micros};
use self::exclusive::Exclusive;
use self::sidecar::Sidecar;
use super::listing::{Listed, Page, Span};
use super::{Precondition, Source, StoreError, Version};
use crate::names::{BucketName, Generation, ObjectName};
use crate::stored::Upload;

/// The hidden folder for metadata and unfinished writes; no bucket's name starts with a dot.
const HIDDEN: &str = ".gcs-thumbnailer";

/// The extension of a file that is being written.
const UNFINISHED: &str = "unfinished";

/// The names in one page of a listing; the folder is read once for each.
const PAGE: usize = 4096;

/// A local folder as an object store.
#[derive(Clone)]
pub struct Directory {
    root: Arc<PathBuf>,
    /// The last generation given, locked while a write checks its precondition and renames.
    last: Arc<Mutex<i64>>,
    /// Locked by the holder of `last`, against other processes.
    lock: Arc<File>,
}

impl Directory {
    /// Opens a folder, and creates it and the named buckets where they are missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new(root: impl Into<PathBuf>, buckets: &[&BucketName]) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(root.join(HIDDEN))?;
        for bucket in buckets {
            fs::create_dir_all(root.join(bucket.as_str()))?;
        }
        let lock = File::create(root.join(HIDDEN).join("lock"))?;
        let store = Self {
            root: Arc::new(root),
            last: Arc::default(),
            lock: Arc::new(lock),
        };
        store.sweep()?;
        Ok(store)
    }

    /// Whether a folder can hold an object of that name.
    ///
    /// # Errors
    /// [`StoreError::Unstorable`] with the part that it can't hold.
    pub(crate) fn check_name(name: &ObjectName) -> Result<(), StoreError> {
        path::check(name)
    }

    /// Removes the unfinished files of killed writers, while nobody else writes.
    fn sweep(&self) -> io::Result<()> {
        let _exclusive = Exclusive::wait(&self.last, &self.lock)?;
        for entry in fs::read_dir(self.hidden())? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == UNFINISHED)
            {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    pub(super) async fn open(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Option<Generation>,
    ) -> Result<Source, StoreError> {
        let (store, bucket, name) = (self.clone(), bucket.clone(), name.clone());
        blocking(move || {
            let (file, version) = store.find(&bucket, &name)?;
            if generation.is_some_and(|generation| generation != version.generation) {
                return Err(StoreError::NotFound);
            }
            Ok(Source {
                generation: version.generation,
                size: version.size,
                gzipped: false,
                body: super::Body::Directory(Body {
                    file,
                    generation: version.generation,
                }),
            })
        })
        .await
    }

    pub(super) async fn look(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
    ) -> Result<Version, StoreError> {
        let (store, bucket, name) = (self.clone(), bucket.clone(), name.clone());
        blocking(move || store.find(&bucket, &name).map(|(_, version)| version)).await
    }

    pub(super) async fn write(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        upload: &Upload,
        precondition: Precondition,
    ) -> Result<Generation, StoreError> {
        let (store, bucket, name, upload) =
            (self.clone(), bucket.clone(), name.clone(), upload.clone());
        blocking(move || store.replace(&bucket, &name, &upload, precondition)).await
    }

    pub(super) async fn delete(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) -> Result<(), StoreError> {
        let (store, bucket, name) = (self.clone(), bucket.clone(), name.clone());
        blocking(move || store.remove(&bucket, &name, generation)).await
    }

    /// Lists a page; its token is the last name of the page before.
    pub(super) async fn list(
        &self,
        bucket: &BucketName,
        span: &Span,
        token: &str,
    ) -> Result<Page, StoreError> {
        let (store, bucket, span, token) =
            (self.clone(), bucket.clone(), span.clone(), token.to_owned());
        blocking(move || store.page(&bucket, &span, &token)).await
    }

    fn page(&self, bucket: &BucketName, span: &Span, token: &str) -> Result<Page, StoreError> {
        let after = span.after.as_deref().max(Some(token)).unwrap_or_default();
        let folder = self.root.join(bucket.as_str());
        let found = list::smallest(&folder, &span.prefix, after, PAGE)?;
        let next_token = match found.last() {
            Some(last) if found.len() == PAGE => last.name.clone(),
            _ => String::new(),
        };
        let mut page = Page {
            next_token,
            ..Page::default()
        };
        for entry in found {
            let Some(name) = entry.object_name() else {
                page.unnameable += 1;
                continue;
            };
            match self.find(bucket, &name) {
                Ok((_, version)) => page.objects.push(Listed { name, version }),
                // Deleted since the folder was read.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }

    fn remove(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        generation: Generation,
    ) -> Result<(), StoreError> {
        let path = path::existing(&self.root, bucket, name)?;
        let _exclusive = Exclusive::wait(&self.last, &self.lock)?;
        let (_, live) = self.find(bucket, name)?;
        if live.generation != generation {
            return Err(not_as_demanded(Some(live.generation)));
        }
        fs::remove_file(&path)?;
        Sidecar::remove(&self.hidden(), bucket, name, generation);
        path::remove_empty_parents(&self.root.join(bucket.as_str()), &path);
        Ok(())
    }

    fn find(&self, bucket: &BucketName, name: &ObjectName) -> Result<(File, Version), StoreError> {
        let path = path::existing(&self.root, bucket, name)?;
        let file = File::open(&path)?;
        let status = file.metadata()?;
        if !status.is_file() {
            return Err(StoreError::NotFound);
        }
        let generation = generation_of(&status)?;
        let sidecar = Sidecar::load(&self.hidden(), bucket, name, generation)?;
        let version = Version {
            generation,
            size: Some(status.len()),
            details: sidecar.details(),
        };
        Ok((file, version))
    }

    fn replace(
        &self,
        bucket: &BucketName,
        name: &ObjectName,
        upload: &Upload,
        precondition: Precondition,
    ) -> Result<Generation, StoreError> {
        let path = path::writable(&self.root, bucket, name)?;
        let mut exclusive = Exclusive::wait(&self.last, &self.lock)?;
        let live = match self.find(bucket, name) {
            Ok((_, version)) => Some(version.generation),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error),
        };
        let met = match precondition {
            Precondition::Absent => live.is_none(),
            Precondition::Is(generation) => live == Some(generation),
        };
        if !met {
            return Err(not_as_demanded(live));
        }
        let next = micros(SystemTime::now())?
            .max(*exclusive.last + 1)
            .max(live.map_or(0, Generation::get) + 1);
        *exclusive.last = next;
        path::make_parents(&self.root, &path)?;
        let (unfinished, generation) = self.write_hidden(&upload.bytes, next)?;
        Sidecar::of(upload).store(&self.hidden(), bucket, name, generation)?;
        fs::rename(&unfinished, &path)?;
        if let Some(live) = live.filter(|live| *live != generation) {
            Sidecar::remove(&self.hidden(), bucket, name, live);
        }
        Ok(generation)
    }

    /// Writes a hidden file, and returns the generation that the file system made of its time stamp.
    fn write_hidden(
        &self,
        bytes: &[u8],
        generation: i64,
    ) -> Result<(PathBuf, Generation), StoreError> {
        let path = self.hidden().join(format!("{generation}.{UNFINISHED}"));
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        let since_epoch = Duration::from_micros(u64::try_from(generation).unwrap_or_default());
        file.set_modified(UNIX_EPOCH + since_epoch)?;
        file.sync_all()?;
        Ok((path, generation_of(&file.metadata()?)?))
    }

    fn hidden(&self) -> PathBuf {
        self.root.join(HIDDEN)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(StoreError::Unknown(error.into())))
}

fn not_as_demanded(live: Option<Generation>) -> StoreError {
    let live = live.map_or("there is none".to_owned(), |live| live.to_string());
    StoreError::PreconditionFailed(format!("the live version: {live}").into())
}

/// Reads a file that may be missing.
fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Denied(error.into())
            }
            io::ErrorKind::InvalidFilename => Self::Unstorable("a part of the name is too long"),
            _ => Self::Unavailable(error.into()),
        }
    }
}
