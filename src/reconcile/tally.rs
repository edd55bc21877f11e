//! What a run has found and done, in numbers.

use std::fmt;

/// What a run has found and done so far.
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
    /// Sources of which a place has the output of another source, and no other place anything to do.
    pub conflicts: u64,
    /// Objects behind a prefix that are not for this bucket.
    pub foreign: u64,
    /// Entries of a folder that no object's name can name.
    pub unnameable: u64,
    /// Sources that were announced.
    pub announced: u64,
    /// Sources whose outputs were made.
    pub made: u64,
    /// Pictures that needed nothing any more when they were opened.
    pub settled: u64,
    /// Pictures that can't be rendered.
    pub refused: u64,
    /// Orphans that were deleted.
    pub pruned: u64,
    /// What failed, and may succeed another time.
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
