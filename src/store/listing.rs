//! A bucket's live objects in the order of their names, page by page.

use futures_util::future::BoxFuture;

use super::{Store, StoreError, Version, in_time};
use crate::names::{BucketName, ObjectName};

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The object's name.
    pub name: ObjectName,
    /// The object's live version.
    pub version: Version,
}

/// The part of a bucket to list: the names with a prefix that come after a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// The prefix; empty for any name.
    pub prefix: String,
    /// The name that the listing starts after, in byte order.
    pub after: Option<String>,
}

/// A page of a listing, which may be empty though more follow.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects in the byte order of their names.
    pub objects: Vec<Listed>,
    /// The number of entries left out, whose names are no [`ObjectName`]s.
    pub unnameable: u64,
    /// The store's token for the next page, opaque to all others; empty on the last page.
    pub(super) next_token: String,
}

/// A listing in progress, with one page in memory.
pub struct Listing<'s> {
    store: &'s Store,
    bucket: BucketName,
    span: Span,
    /// `None` after the last page.
    token: Option<String>,
    last: Option<ObjectName>,
}

impl Store {
    /// Begins to list a bucket; nothing is requested before the first page.
    #[must_use]
    pub fn list(&self, bucket: &BucketName, span: Span) -> Listing<'_> {
        Listing {
            store: self,
            bucket: bucket.clone(),
            span,
            token: Some(String::new()),
            last: None,
        }
    }
}

impl Listing<'_> {
    /// Takes the next page; `None` after the last. After an error, the same page is asked for again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the bucket is missing; [`StoreError::Unknown`] also where the names don't come in
    /// byte order, as a merge of listings would take existing objects for missing.
    pub fn next_page(&mut self) -> BoxFuture<'_, Result<Option<Page>, StoreError>> {
        Box::pin(self.take_page())
    }

    async fn take_page(&mut self) -> Result<Option<Page>, StoreError> {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let page = match self.store {
            Store::Gcs(gcs) => in_time(gcs.list(&self.bucket, &self.span, token)).await,
            Store::Directory(folder) => in_time(folder.list(&self.bucket, &self.span, token)).await,
        }?;
        self.check_order(&page)?;
        self.token = Some(page.next_token.clone()).filter(|token| !token.is_empty());
        Ok(Some(page))
    }

    fn check_order(&mut self, page: &Page) -> Result<(), StoreError> {
        let mut last = self.last.as_ref();
        for object in &page.objects {
            if last.is_some_and(|last| *last >= object.name) {
                let fault = format!("{:?} is listed out of order", object.name.as_str());
                return Err(StoreError::Unknown(fault.into()));
            }
            last = Some(&object.name);
        }
        self.last = last.cloned();
        Ok(())
    }
}
