//! What a run has found and done, in numbers.

use std::fmt;

use super::Class;

/// What a run has found and done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The names that were compared.
    pub scanned: u64,
    /// Thumbnails that show the live version.
    pub current: u64,
    /// Pictures without a thumbnail.
    pub missing: u64,
    /// Pictures whose thumbnail shows another version.
    pub stale: u64,
    /// Objects that are no pictures of ours to make.
    pub skipped: u64,
    /// Thumbnails without a source.
    pub orphans: u64,
    /// Pictures whose thumbnail's place is another bucket's.
    pub conflicts: u64,
    /// Objects under the prefix that are not for this bucket.
    pub foreign: u64,
    /// Entries of a folder that no object's name can name.
    pub unnameable: u64,
    /// Pictures that were announced.
    pub announced: u64,
    /// Thumbnails that were made.
    pub made: u64,
    /// Pictures that turned out to need nothing by the time they were opened.
    pub settled: u64,
    /// Pictures that can't be rendered.
    pub refused: u64,
    /// Orphans that were deleted.
    pub pruned: u64,
    /// What failed, and may succeed another time.
    pub failed: u64,
}

impl Tally {
    /// Counts a finding.
    pub fn count(&mut self, class: &Class) {
        self.scanned += 1;
        let counter = match class {
            Class::Current => &mut self.current,
            Class::Missing(_) => &mut self.missing,
            Class::Stale(_) => &mut self.stale,
            Class::Skipped(_) => &mut self.skipped,
            Class::Orphan(_) => &mut self.orphans,
            Class::Conflict(_) => &mut self.conflicts,
            Class::Foreign => &mut self.foreign,
        };
        *counter += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} scanned", self.scanned)?;
        for (number, what) in [
            (self.current, "current"),
            (self.missing, "missing"),
            (self.stale, "stale"),
            (self.orphans, "orphans"),
            (self.conflicts, "conflicts"),
            (self.announced, "announced"),
            (self.made, "made"),
            (self.refused, "refused"),
            (self.pruned, "pruned"),
            (self.failed, "failed"),
        ] {
            if number > 0 {
                write!(f, ", {number} {what}")?;
            }
        }
        Ok(())
    }
}
