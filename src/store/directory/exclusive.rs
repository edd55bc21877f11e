//! The lock for changing objects, which one thread of one process holds at a time.

use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The held lock: its holder may check a precondition and rename.
pub(super) struct Exclusive<'a> {
    /// The last generation given.
    pub(super) last: MutexGuard<'a, i64>,
    lock: &'a File,
}

impl<'a> Exclusive<'a> {
    /// Waits for the lock: `last` keeps out other threads, the file `lock` other processes.
    pub(super) fn wait(last: &'a Mutex<i64>, lock: &'a File) -> io::Result<Self> {
        let last = last.lock().unwrap_or_else(PoisonError::into_inner);
        lock.lock()?;
        Ok(Self { last, lock })
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        // It is unlocked at the latest when the process ends.
        let _ = self.lock.unlock();
    }
}
