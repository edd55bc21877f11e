//! Copies a source's metadata to its output, where `COPY_METADATA` is set.

use uuid::Uuid;

use super::{Metadata, Upload};
use crate::object::Details;

/// The custom metadata key that marks outputs of Firebase's Resize Images extension.
pub(crate) const RESIZED_IMAGE: &str = "resizedImage";
/// The custom metadata key of Firebase's download tokens.
const TOKENS: &str = "firebaseStorageDownloadTokens";
/// The most bytes of keys and values in an object's custom metadata.
///
/// See <https://cloud.google.com/storage/quotas#objects>.
const MAX_METADATA_BYTES: usize = 8 << 10;

impl Upload {
    /// Copies the source's custom metadata, Content-Language and, unless one is set, Cache-Control; returns the keys
    /// that didn't fit, the longest values first.
    ///
    /// Our own keys win. The source's download tokens open only the source: the output gets one of its own.
    pub fn inherit(&mut self, source: &Details) -> Vec<String> {
        self.cache_control = self.cache_control.take().or(source.cache_control.clone());
        self.content_language.clone_from(&source.content_language);
        self.inherited = [(RESIZED_IMAGE.to_owned(), "true".to_owned())].into();
        if tokens(&source.metadata).is_some() {
            let token = Uuid::new_v4().to_string();
            self.inherited.insert(TOKENS.to_owned(), token);
        }
        let ours = self.metadata();
        let mut copied: Vec<_> = source.metadata.iter().collect();
        copied.retain(|(key, _)| *key != TOKENS && !ours.contains_key(*key));
        copied.sort_unstable_by_key(|(key, value)| (value.len(), *key));
        let room = MAX_METADATA_BYTES.saturating_sub(bytes_of(ours.iter()));
        let mut needed = bytes_of(copied.iter().copied());
        let mut dropped = Vec::new();
        while needed > room {
            let Some((key, value)) = copied.pop() else {
                break;
            };
            needed -= key.len() + value.len();
            dropped.push(key.clone());
        }
        let copied = copied.into_iter();
        self.inherited
            .extend(copied.map(|(key, value)| (key.clone(), value.clone())));
        dropped
    }

    /// Keeps the tokens of the output that this one replaces, if this one has any, so that links stay valid.
    pub(crate) fn keep_tokens(&mut self, replaced: &Metadata) {
        if let (Some(own), Some(kept)) = (self.inherited.get_mut(TOKENS), tokens(replaced)) {
            kept.clone_into(own);
        }
    }
}

fn tokens(metadata: &Metadata) -> Option<&str> {
    let tokens = metadata.get(TOKENS).map(String::as_str);
    tokens.filter(|tokens| !tokens.is_empty())
}

fn bytes_of<'a>(metadata: impl Iterator<Item = (&'a String, &'a String)>) -> usize {
    metadata.map(|(key, value)| key.len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::tests::upload;

    fn details(metadata: &[(&str, &str)]) -> Details {
        let entries = metadata.iter();
        Details {
            content_language: Some("de".to_owned()),
            cache_control: Some("no-store".to_owned()),
            metadata: entries
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Details::default()
        }
    }

    #[test]
    fn all_is_taken_over_but_tokens_and_what_we_say_ourselves() {
        let mut output = upload("n");
        let source = details(&[("owner", "7"), ("width", "wide"), (TOKENS, "secret")]);
        assert!(output.inherit(&source).is_empty());
        let metadata = output.metadata();
        assert_eq!(metadata["owner"], "7");
        assert_eq!(metadata["width"], "8192");
        assert_eq!(metadata["resizedImage"], "true");
        assert!(metadata[TOKENS] != "secret" && metadata[TOKENS].len() == 36);
        assert_eq!(output.content_language.as_deref(), Some("de"));
        assert_eq!(output.cache_control.as_deref(), Some("no-store"));
    }

    #[test]
    fn a_rule_of_ours_stays() {
        let mut output = upload("n");
        output.cache_control = Some("public".to_owned());
        output.inherit(&details(&[]));
        assert_eq!(output.cache_control.as_deref(), Some("public"));
    }

    #[test]
    fn a_token_is_kept_where_there_is_one_to_keep_and_one_to_have() {
        let replaced = |tokens: &str| details(&[(TOKENS, tokens)]).metadata;
        let mut output = upload("n");
        output.inherit(&details(&[(TOKENS, "source's")]));
        let own = output.metadata()[TOKENS].clone();
        output.keep_tokens(&replaced(""));
        assert_eq!(output.metadata()[TOKENS], own);
        output.keep_tokens(&replaced("older"));
        assert_eq!(output.metadata()[TOKENS], "older");
        let mut without = upload("n");
        without.inherit(&details(&[]));
        without.keep_tokens(&replaced("older"));
        assert!(!without.metadata().contains_key(TOKENS));
    }

    #[test]
    fn the_longest_values_give_way_to_the_limit() {
        let (long, longer, most) = ("l".repeat(2000), "m".repeat(3000), "n".repeat(8000));
        let source = details(&[("a", &long), ("b", &longer), ("c", &most), ("d", "short")]);
        let mut output = upload(&"n".repeat(1000));
        assert_eq!(output.inherit(&source), ["c"]);
        let mut output = upload(&"ä".repeat(512));
        let fits = MAX_METADATA_BYTES - bytes_of(output.metadata().iter());
        let value = "v".repeat(fits - RESIZED_IMAGE.len() - 4 - 1);
        assert!(output.inherit(&details(&[("k", &value)])).is_empty());
        assert_eq!(bytes_of(output.metadata().iter()), MAX_METADATA_BYTES);
        let mut output = upload(&"ä".repeat(512));
        assert_eq!(output.inherit(&details(&[("kk", &value)])), ["kk"]);
    }
}
