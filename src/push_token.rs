//! Authenticates callers by Pub/Sub's OIDC token, where no IAM does.
//!
//! On Cloud Run, IAM verifies the token and forwards it without its signature, so this stays off. It is for another
//! platform or an open ingress. It checks what <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>
//! asks for: RS256 by one of Google's keys, issuer, audience, times, and the e-mail address of the subscription's
//! service account.
//!
//! While the key server is down nobody is authorized; as that isn't the caller's fault, the event is redelivered. The
//! key cache alone decides, without I/O, how long keys are valid and when they are fetched.

mod key_cache;
mod key_server;
mod keys;
mod token;

pub use self::key_server::{GOOGLE_KEYS, KeysUrl};
pub(crate) use self::token::Flaw;

use self::key_cache::Miss;
use self::key_server::KeyServer;
use self::keys::Keys;
use self::token::Rules;

/// The end of a token whose signature Google's infrastructure has verified and removed.
///
/// <https://cloud.google.com/run/docs/troubleshooting>
const STRIPPED: &[u8] = b".SIGNATURE_REMOVED_BY_GOOGLE";

/// What tokens are checked for, and by which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The audience claim: the subscription's audience, by default its push address.
    pub audience: String,
    /// The e-mail address of the subscription's service account.
    pub service_account: String,
    /// The address of the key set.
    pub keys_url: KeysUrl,
}

/// Why a caller is not authorized.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// There is no `Authorization: Bearer` header.
    #[error("a bearer token is required")]
    NoToken,
    /// IAM in front of this service has verified the token and removed its signature.
    #[error(
        "the token's signature was removed by Google: IAM checks callers already, so unset PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT"
    )]
    Stripped,
    /// The token is not a valid one for this service.
    #[error("the token is not valid")]
    Invalid(#[source] Flaw),
    /// The token is valid, but another account's.
    #[error("the token's account may not call")]
    WrongAccount,
    /// The keys can't be fetched now; the failed fetch is logged by itself.
    #[error("the keys that tokens are verified with can't be had now")]
    KeysUnavailable,
}

impl TokenError {
    /// The reason in the request's log line.
    #[must_use]
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Stripped => "stripped_token",
            Self::Invalid(_) => "invalid_token",
            Self::WrongAccount => "wrong_account",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

/// Verifies callers' tokens.
pub struct Verifier {
    rules: Rules,
    keys: Keys,
}

impl Verifier {
    /// Prepares a verifier; the keys are fetched when the first token comes.
    ///
    /// # Errors
    /// The machine has no usable root certificates.
    pub fn new(expected: Expected) -> Result<Self, reqwest::Error> {
        Ok(Self {
            rules: Rules::new(&expected.audience, expected.service_account),
            keys: Keys::new(KeyServer::new(expected.keys_url)?),
        })
    }

    /// Verifies the value of a request's `Authorization` header.
    ///
    /// # Errors
    /// A [`TokenError`] for any token but a valid one of the service account.
    pub(crate) async fn verify(&self, authorization: Option<&[u8]>) -> Result<(), TokenError> {
        let token = authorization.and_then(bearer).ok_or(TokenError::NoToken)?;
        if token.ends_with(STRIPPED) {
            return Err(TokenError::Stripped);
        }
        let id = token::key_id(token).map_err(TokenError::Invalid)?;
        let key = self.keys.find(&id).await.map_err(|miss| match miss {
            Miss::Unknown => TokenError::Invalid(Flaw::UnknownKey),
            Miss::Unavailable => TokenError::KeysUnavailable,
        })?;
        self.rules.check(token, &key)
    }
}

/// The token of a header value; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bearer_scheme_carries_a_token() {
        assert_eq!(bearer(b"Bearer a.b.c"), Some(b"a.b.c".as_slice()));
        assert_eq!(bearer(b"bEARER  a.b.c "), Some(b"a.b.c".as_slice()));
        for other in [
            "",
            "Bearer",
            "Bearer ",
            "Bearera.b.c",
            "Basic a.b.c",
            "a.b.c",
        ] {
            assert_eq!(bearer(other.as_bytes()), None, "{other}");
        }
    }
}
