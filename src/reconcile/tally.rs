//! Counts of what a run found and did.

use std::fmt;

/// The counts of a run so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The names that were compared.
    pub scanned: u64,
    /// Sources whose outputs are all current.
    pub current: u64,
    /// Sources that lack an output.
    pub missing: u64,
    /// Sources that have all outputs, but one at least of another version or recipe.
    pub stale: u64,
    /// Objects that are no sources.
    pub skipped: u64,
    /// Outputs without a source.
    pub orphans: u64,
    /// Sources with another source's output in one of their places, and nothing to do at the others.
    pub conflicts: u64,
    /// Objects under a prefix that are not outputs of this bucket's sources.
    pub foreign: u64,
    /// Entries of a folder whose names are no object names.
    pub unnameable: u64,
    /// Sources that were announced.
    pub announced: u64,
    /// Sources whose outputs were made.
    pub made: u64,
    /// Sources whose outputs needed no work any more when they were handled.
    pub settled: u64,
    /// Sources that can't be rendered.
    pub refused: u64,
    /// Orphans that were deleted.
    pub pruned: u64,
    /// Actions that failed and may succeed another time.
    pub failed: u64,
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
