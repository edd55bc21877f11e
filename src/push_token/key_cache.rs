//! Caches the keys and decides when to fetch them, without I/O and with the time as an argument.
//!
//! - Keys are valid for the lifetime that their server gave, and no longer: Google marks them `must-revalidate`. From
//!   half of it on they are refreshed while still valid, so callers don't notice an outage shorter than the other half.
//! - An unknown id causes a fetch, as Google may have a new key: at most one per [`SEARCH_INTERVAL`], however many ids
//!   are made up; in between it is rejected. A list of unknown ids instead would be filled by a flood.
//! - After a failed fetch there is none for [`RETRY_INTERVAL`], and missing ids are unavailable, not unknown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::DecodingKey;

use super::key_server::KeySet;

/// Unknown ids cause at most one fetch in this time; a new key of Google's is accepted at the latest after it.
const SEARCH_INTERVAL: Duration = Duration::from_secs(30);
/// How long the key server is left alone after a failed fetch.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Why there is no key with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// The server has none.
    Unknown,
    /// The server could not be asked.
    Unavailable,
}

pub(super) type Found = Result<Arc<DecodingKey>, Miss>;

/// The keys as last fetched.
#[derive(Default)]
pub(super) struct KeyCache {
    held: Option<CachedKeys>,
    /// No fetch before this time, as the last one failed.
    retry_at: Option<Instant>,
    /// No fetch for an unknown id before this time.
    search_at: Option<Instant>,
}

struct CachedKeys {
    keys: KeySet,
    refresh_at: Instant,
    expires_at: Instant,
}

impl KeyCache {
    /// Finds a key among the valid ones.
    pub(super) fn find(&self, id: &str, now: Instant) -> Found {
        let held = self.held.as_ref().filter(|held| now < held.expires_at);
        let held = held.ok_or(Miss::Unavailable)?;
        let key = held.keys.get(id).map(Arc::clone);
        key.ok_or(if is_past(self.retry_at, now) {
            Miss::Unknown
        } else {
            Miss::Unavailable
        })
    }

    /// Whether a lookup calls for a fetch, which must then be made.
    pub(super) fn begin_fetch(&mut self, found: &Found, now: Instant) -> bool {
        if !is_past(self.retry_at, now) {
            return false;
        }
        match found {
            Ok(_) => is_past(self.held.as_ref().map(|held| held.refresh_at), now),
            Err(Miss::Unavailable) => true,
            Err(Miss::Unknown) => {
                let due = is_past(self.search_at, now);
                if due {
                    self.search_at = Some(now + SEARCH_INTERVAL);
                }
                due
            }
        }
    }

    /// Stores the keys of a fetch.
    pub(super) fn store(&mut self, keys: KeySet, life: Duration, now: Instant) {
        self.held = Some(CachedKeys {
            keys,
            refresh_at: now + life / 2,
            expires_at: now + life,
        });
        self.retry_at = None;
    }

    /// Records a failed fetch.
    pub(super) fn fail(&mut self, now: Instant) {
        self.retry_at = Some(now + RETRY_INTERVAL);
        // The search for an unknown id is undecided.
        self.search_at = None;
    }
}

fn is_past(time: Option<Instant>, now: Instant) -> bool {
    time.is_none_or(|time| now >= time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_hours(6);

    /// The result of a lookup, and whether there is to be a fetch.
    fn ask(cache: &mut KeyCache, id: &str, now: Instant) -> (Option<Miss>, bool) {
        let found = cache.find(id, now);
        let fetch = cache.begin_fetch(&found, now);
        (found.err(), fetch)
    }

    fn just_before(time: Instant) -> Instant {
        time.checked_sub(Duration::from_millis(1)).unwrap()
    }

    fn keys(ids: &[&str]) -> KeySet {
        let key = |id: &&str| ((*id).to_owned(), Arc::new(DecodingKey::from_secret(b"")));
        ids.iter().map(key).collect()
    }

    fn holding(ids: &[&str], now: Instant) -> KeyCache {
        let mut cache = KeyCache::default();
        cache.store(keys(ids), LIFE, now);
        cache
    }

    const SERVED: (Option<Miss>, bool) = (None, false);
    const SERVED_AND_REFRESHED: (Option<Miss>, bool) = (None, true);
    const UNKNOWN: (Option<Miss>, bool) = (Some(Miss::Unknown), false);
    const SEARCHED: (Option<Miss>, bool) = (Some(Miss::Unknown), true);
    const UNAVAILABLE: (Option<Miss>, bool) = (Some(Miss::Unavailable), false);
    const FETCHED: (Option<Miss>, bool) = (Some(Miss::Unavailable), true);

    #[test]
    fn the_first_caller_causes_a_fetch() {
        let now = Instant::now();
        let mut cache = KeyCache::default();
        assert_eq!(ask(&mut cache, "a", now), FETCHED);
        cache.store(keys(&["a"]), LIFE, now);
        assert_eq!(ask(&mut cache, "a", now), SERVED);
    }

    #[test]
    fn keys_serve_to_the_end_of_their_life_and_are_refreshed_from_half_of_it_on() {
        let start = Instant::now();
        let mut cache = holding(&["a"], start);
        assert_eq!(ask(&mut cache, "a", just_before(start + LIFE / 2)), SERVED);
        assert_eq!(ask(&mut cache, "a", start + LIFE / 2), SERVED_AND_REFRESHED);
        cache.fail(start + LIFE / 2);
        let mut now = start + LIFE / 2 + RETRY_INTERVAL;
        assert_eq!(ask(&mut cache, "a", just_before(now)), SERVED);
        assert_eq!(ask(&mut cache, "a", now), SERVED_AND_REFRESHED);
        now = start + LIFE;
        assert_eq!(ask(&mut cache, "a", just_before(now)), SERVED_AND_REFRESHED);
        assert_eq!(ask(&mut cache, "a", now), FETCHED);
        cache.fail(now);
        assert_eq!(ask(&mut cache, "a", now), UNAVAILABLE);
    }

    #[test]
    fn unknown_ids_cause_one_fetch_in_an_interval() {
        let start = Instant::now();
        let mut cache = holding(&["a"], start);
        assert_eq!(ask(&mut cache, "made-up-0", start), SEARCHED);
        cache.store(keys(&["a"]), LIFE, start);
        for millis in 0..SEARCH_INTERVAL.as_millis() {
            let now = start + Duration::from_millis(u64::try_from(millis).unwrap());
            assert_eq!(ask(&mut cache, &format!("made-up-{millis}"), now), UNKNOWN);
        }
        assert_eq!(
            ask(&mut cache, "made-up", start + SEARCH_INTERVAL),
            SEARCHED
        );
    }

    #[test]
    fn a_new_key_is_searched_at_once_and_a_withdrawn_one_is_unknown() {
        let now = Instant::now();
        let mut cache = holding(&["old"], now);
        assert_eq!(ask(&mut cache, "new", now), SEARCHED);
        cache.store(keys(&["new"]), LIFE, now);
        assert_eq!(ask(&mut cache, "new", now), SERVED);
        assert_eq!(ask(&mut cache, "old", now), UNKNOWN);
    }

    #[test]
    fn a_failed_search_calls_no_key_unknown_and_spares_the_server_for_a_while() {
        let start = Instant::now();
        let mut cache = holding(&["a"], start);
        assert_eq!(ask(&mut cache, "new", start), SEARCHED);
        cache.fail(start);
        assert_eq!(ask(&mut cache, "new", start), UNAVAILABLE);
        assert_eq!(ask(&mut cache, "a", start), SERVED);
        let retry = start + RETRY_INTERVAL;
        assert_eq!(ask(&mut cache, "new", just_before(retry)), UNAVAILABLE);
        assert_eq!(ask(&mut cache, "new", retry), SEARCHED);
    }

    #[test]
    fn a_dead_server_is_asked_once_in_an_interval() {
        let start = Instant::now();
        let mut cache = KeyCache::default();
        assert_eq!(ask(&mut cache, "a", start), FETCHED);
        cache.fail(start);
        let retry = start + RETRY_INTERVAL;
        assert_eq!(ask(&mut cache, "a", just_before(retry)), UNAVAILABLE);
        assert_eq!(ask(&mut cache, "a", retry), FETCHED);
    }
}
