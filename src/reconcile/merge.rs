//! Listings in name order, merged by the names of sources; no I/O, and no more memory than a page of each.

use std::collections::VecDeque;

use crate::store::Listed;

/// The merge of a bucket's sources with the listings of what lies behind some prefixes.
///
/// Its caller does what [`Merge::advance`] asks for: it takes a page of one listing or another, in their order, until all is
/// found.
pub struct Merge {
    sources: Side,
    outputs: Vec<Side>,
}

/// What a merge wants or has.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are rows, and each is taken apart at once"
)]
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The next page of sources is to be added.
    NeedsSources,
    /// The next page of what is behind this prefix is to be added.
    NeedsOutputs(usize),
    /// All that has the next name.
    Found(Row),
    /// There is nothing more.
    Done,
}

/// All that has one name in its listing.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The source's name, or what it would be; grows from row to row in byte order.
    pub name: String,
    /// The source.
    pub source: Option<Listed>,
    /// What is behind each prefix.
    pub outputs: Vec<Option<Listed>>,
}

impl Merge {
    /// Begins a merge with what is behind these prefixes.
    #[must_use]
    pub fn new(prefixes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            sources: Side::behind(String::new()),
            outputs: prefixes
                .into_iter()
                .map(|prefix| Side::behind(prefix.into()))
                .collect(),
        }
    }

    /// Adds a page of the source bucket, `None` where the listing is over.
    pub fn add_sources(&mut self, page: Option<Vec<Listed>>) {
        self.sources.add(page);
    }

    /// Adds a page of what is behind a prefix, `None` where the listing is over.
    pub fn add_outputs(&mut self, index: usize, page: Option<Vec<Listed>>) {
        if let Some(side) = self.outputs.get_mut(index) {
            side.add(page);
        }
    }

    /// Tells what is next.
    pub fn advance(&mut self) -> Next {
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

/// One of the listings, as far as it has come.
struct Side {
    prefix: String,
    page: VecDeque<Listed>,
    ended: bool,
}

impl Side {
    fn behind(prefix: String) -> Self {
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
        let behind = page
            .into_iter()
            .filter(|object| object.name.as_str().starts_with(prefix));
        self.page.extend(behind);
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
