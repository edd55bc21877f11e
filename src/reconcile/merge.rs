//! Merges listings by the names of sources, with no I/O and a page of each in memory.

use std::collections::VecDeque;

use crate::store::Listed;

/// Merges a bucket's sources with the objects under some prefixes.
///
/// The caller adds the page that [`Merge::advance`] asks for, until it is done.
pub(crate) struct Merge {
    sources: Side,
    outputs: Vec<Side>,
}

/// The next step of a merge.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are rows, and each is taken apart at once"
)]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next page of sources is to be added.
    NeedsSources,
    /// The next page of the objects under this prefix is to be added.
    NeedsOutputs(usize),
    /// The row of the next name.
    Found(Row),
    /// There is nothing more.
    Done,
}

/// The objects of one source's name, from all listings.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The source's name, also where there is none; rows come in byte order.
    pub name: String,
    /// The source.
    pub source: Option<Listed>,
    /// The object under each prefix.
    pub outputs: Vec<Option<Listed>>,
}

impl Merge {
    /// Begins a merge with the objects under these prefixes.
    #[must_use]
    pub(crate) fn new(prefixes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            sources: Side::under(String::new()),
            outputs: prefixes
                .into_iter()
                .map(|prefix| Side::under(prefix.into()))
                .collect(),
        }
    }

    /// Adds a page of the source bucket, `None` where the listing is over.
    pub(crate) fn add_sources(&mut self, page: Option<Vec<Listed>>) {
        self.sources.add(page);
    }

    /// Adds a page of the objects under a prefix, `None` where the listing is over.
    pub(crate) fn add_outputs(&mut self, index: usize, page: Option<Vec<Listed>>) {
        if let Some(side) = self.outputs.get_mut(index) {
            side.add(page);
        }
    }

    /// Takes the next step.
    pub(crate) fn advance(&mut self) -> Next {
        if self.sources.is_exhausted() {
            return Next::NeedsSources;
        }
        if let Some(index) = self.outputs.iter().position(Side::is_exhausted) {
            return Next::NeedsOutputs(index);
        }
        let sides = std::iter::once(&self.sources).chain(&self.outputs);
        let Some(name) = sides.filter_map(Side::name).min().map(str::to_owned) else {
            return Next::Done;
        };
        Next::Found(Row {
            source: self.sources.take(&name),
            outputs: self
                .outputs
                .iter_mut()
                .map(|side| side.take(&name))
                .collect(),
            name,
        })
    }
}

/// One listing and its current page.
struct Side {
    prefix: String,
    page: VecDeque<Listed>,
    ended: bool,
}

impl Side {
    fn under(prefix: String) -> Self {
        Self {
            prefix,
            page: VecDeque::new(),
            ended: false,
        }
    }

    fn add(&mut self, page: Option<Vec<Listed>>) {
        let Some(page) = page else {
            self.ended = true;
            return;
        };
        let prefix = self.prefix.as_str();
        let objects = page
            .into_iter()
            .filter(|object| object.name.as_str().starts_with(prefix));
        self.page.extend(objects);
    }

    /// The next object's name without the prefix.
    fn name(&self) -> Option<&str> {
        self.page
            .front()?
            .name
            .as_str()
            .strip_prefix(self.prefix.as_str())
    }

    fn take(&mut self, name: &str) -> Option<Listed> {
        if self.name() == Some(name) {
            self.page.pop_front()
        } else {
            None
        }
    }

    /// Whether only another page can tell what comes next.
    fn is_exhausted(&self) -> bool {
        self.page.is_empty() && !self.ended
    }
}

#[cfg(test)]
mod tests;
