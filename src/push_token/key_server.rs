//! Fetches Google's signing keys, a JSON Web Key Set (RFC 7517) over HTTP.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Client, StatusCode, Url, redirect};
use serde::Deserialize;

/// Where Google publishes the keys of its OIDC tokens: `jwks_uri` of
/// <https://accounts.google.com/.well-known/openid-configuration>.
pub const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// The time limit of a fetch, from the look-up of the name to the last byte.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest key set that is read; Google's has two kilobytes.
const MAX_BYTES: usize = 64 << 10;
/// The shortest lifetime of keys, whatever the server says, so that it isn't asked for every token.
const SHORTEST_LIFE: Duration = Duration::from_mins(5);
/// The longest lifetime of keys; Google's is some hours.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// An address that keys are trusted from: over TLS, or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysUrl(Url);

impl KeysUrl {
    /// Parses an address.
    ///
    /// # Errors
    /// What it is not, in words: whoever can change the keys in transit can forge tokens.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let fault = "is neither an https address nor an http address of this machine";
        let url = Url::parse(text).map_err(|_| fault)?;
        let host = url.host_str().unwrap_or_default();
        let here = host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if here => Ok(Self(url)),
            _ => Err(fault),
        }
    }
}

/// The keys by their ids.
pub(super) type KeySet = HashMap<String, Arc<DecodingKey>>;

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the key server can't be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("the key server took longer than {} s", TIMEOUT.as_secs())]
    TooSlow,
    #[error("the key server answered {0}")]
    Status(StatusCode),
    #[error("the key set is over {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the answer is no key set")]
    NotKeys(#[source] serde_json::Error),
    #[error("the key set holds no RS256 key")]
    NoKeys,
}

pub(super) struct KeyServer {
    url: Url,
    client: Client,
}

impl KeyServer {
    pub(super) fn new(url: KeysUrl) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            // The server is asked every few hours: a kept connection would be dead by then.
            .pool_max_idle_per_host(0)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self { url: url.0, client })
    }

    /// Fetches the keys and their lifetime.
    pub(super) async fn fetch(&self) -> Result<(KeySet, Duration), FetchError> {
        tokio::time::timeout(TIMEOUT, self.read())
            .await
            .unwrap_or(Err(FetchError::TooSlow))
    }

    async fn read(&self) -> Result<(KeySet, Duration), FetchError> {
        let mut answer = self.client.get(self.url.clone()).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let life = life(answer.headers());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len().saturating_add(chunk.len()) > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((keys(&body)?, life))
    }
}

/// The lifetime of an answer (RFC 9111 section 4.2), within bounds.
fn life(headers: &HeaderMap) -> Duration {
    let rules = headers.get_all(CACHE_CONTROL).into_iter();
    let max_age = rules
        .filter_map(|rules| rules.to_str().ok())
        .flat_map(|rules| rules.split(','))
        .filter_map(|rule| rule.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))
        .and_then(|(_, seconds)| seconds.trim().parse().ok());
    let age = headers.get(AGE).and_then(|age| age.to_str().ok());
    let age: u64 = age.and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    let seconds = max_age.unwrap_or(0_u64).saturating_sub(age);
    Duration::from_secs(seconds).clamp(SHORTEST_LIFE, LONGEST_LIFE)
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// A key as RFC 7517 section 4 and RFC 7518 section 6.3 write it; members of other kinds of key are ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Jwk {
    /// The key with its id, if it can verify RS256.
    fn verifier(self) -> Option<(String, Arc<DecodingKey>)> {
        let fits = self.kty == "RSA"
            && self.alg.is_none_or(|alg| alg == "RS256")
            && self.r#use.is_none_or(|usage| usage == "sig");
        let key = DecodingKey::from_rsa_components(&self.n?, &self.e?).ok()?;
        fits.then_some((self.kid?, Arc::new(key)))
    }
}

fn keys(body: &[u8]) -> Result<KeySet, FetchError> {
    let set: JwkSet = serde_json::from_slice(body).map_err(FetchError::NotKeys)?;
    let keys: KeySet = set.keys.into_iter().filter_map(Jwk::verifier).collect();
    if keys.is_empty() {
        Err(FetchError::NoKeys)
    } else {
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for believed in [
            GOOGLE_KEYS,
            "http://127.0.0.1:80/certs",
            "https://x.example",
        ] {
            assert!(KeysUrl::parse(believed).is_ok(), "{believed}");
        }
        for other in [
            "",
            "certs",
            "http://www.googleapis.com/oauth2/v3/certs",
            "http://127.0.0.1.x.example",
            "file:///certs",
        ] {
            assert!(KeysUrl::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn keys_live_as_long_as_the_server_says_within_bounds() {
        let life = |rules: &[&'static str], age: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            for rule in rules {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(rule));
            }
            if let Some(age) = age {
                headers.insert(AGE, HeaderValue::from_static(age));
            }
            super::life(&headers).as_secs()
        };
        let google = "public, max-age=20000, must-revalidate, no-transform";
        assert_eq!(life(&[google], None), 20_000);
        assert_eq!(life(&[google], Some("5000")), 15_000);
        assert_eq!(life(&["public", "Max-Age=700"], None), 700);
        assert_eq!(life(&["s-maxage=9000, max-age=800"], None), 800);
        let shortest = SHORTEST_LIFE.as_secs();
        for rules in [
            &[][..],
            &["no-store"],
            &["max-age=0"],
            &["max-age=-1"],
            &["max-age=soon"],
        ] {
            assert_eq!(life(rules, None), shortest, "{rules:?}");
        }
        assert_eq!(life(&[google], Some("99999")), shortest);
        assert_eq!(life(&["max-age=999999999"], None), LONGEST_LIFE.as_secs());
        assert_eq!(
            life(&["max-age=18446744073709551615"], None),
            LONGEST_LIFE.as_secs()
        );
    }

    #[test]
    fn only_keys_that_verify_rs256_are_kept() {
        let set = r#"{"keys":[
            {"kty":"RSA","kid":"plain","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"full","alg":"RS256","use":"sig","n":"AQAB","e":"AQAB","x5c":[]},
            {"kty":"RSA","kid":"encrypts","use":"enc","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"other-hash","alg":"RS512","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"no-exponent","n":"AQAB"},
            {"kty":"RSA","kid":"no-base64","n":"?","e":"AQAB"},
            {"kty":"RSA","n":"AQAB","e":"AQAB"},
            {"kty":"EC","kid":"curve","crv":"P-256","x":"AQAB","y":"AQAB"},
            {"kty":"oct","kid":"secret","k":"AQAB"}]}"#;
        let mut ids: Vec<_> = keys(set.as_bytes()).unwrap().into_keys().collect();
        ids.sort();
        assert_eq!(ids, ["full", "plain"]);
    }

    #[test]
    fn an_answer_without_keys_is_a_failed_fetch() {
        assert!(matches!(keys(b"<html>"), Err(FetchError::NotKeys(_))));
        assert!(matches!(keys(b"{}"), Err(FetchError::NotKeys(_))));
        assert!(matches!(keys(br#"{"keys":[]}"#), Err(FetchError::NoKeys)));
    }
}
