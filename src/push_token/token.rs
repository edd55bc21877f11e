//! Checks a token, without I/O.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::TokenError;

/// How far the clocks of Google and of this machine may be apart, in seconds.
const LEEWAY: u64 = 30;
/// Google's issuer claim, in both spellings.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// What is wrong with a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Flaw {
    /// It is no token, or its signature or a registered claim (RFC 7519 section 4.1) is wrong.
    #[error(transparent)]
    Malformed(#[from] jsonwebtoken::errors::Error),
    /// It isn't signed the way Google signs; a symmetric or absent signature would prove nothing.
    #[error("it is not signed with RS256")]
    OtherAlgorithm,
    /// It doesn't say which key it is signed with.
    #[error("it names no key")]
    NoKeyId,
    /// Google has no such key.
    #[error("it is signed with an unknown key")]
    UnknownKey,
    /// Its header asks for extensions that must be understood (RFC 7515 section 4.1.11), and none is.
    #[error("it asks for extensions")]
    Extended,
    /// It was issued in the future.
    #[error("it was issued in the future")]
    Premature,
    /// Its e-mail address is not verified.
    #[error("its e-mail address is not verified")]
    UnverifiedEmail,
}

/// The claims that the library doesn't check, or not enough; each is required.
#[derive(Deserialize)]
struct Claims {
    /// A single issuer: the library would also accept a list that holds the right one.
    #[expect(dead_code, reason = "only its type is checked here")]
    iss: String,
    iat: u64,
    email: String,
    email_verified: bool,
}

/// The id of the key that a token says it is signed with; nothing of it is proven yet.
pub(super) fn key_id(token: &[u8]) -> Result<String, Flaw> {
    let header = decode_header(token)?;
    if header.alg != Algorithm::RS256 {
        return Err(Flaw::OtherAlgorithm);
    }
    if header.crit.is_some() {
        return Err(Flaw::Extended);
    }
    header.kid.ok_or(Flaw::NoKeyId)
}

/// What a token is checked for.
pub(super) struct Rules {
    validation: Validation,
    service_account: String,
}

impl Rules {
    pub(super) fn new(audience: &str, service_account: String) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        // The library checks other claims only where they are present.
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        validation.set_audience(&[audience]);
        validation.set_issuer(&ISSUERS);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        Self {
            validation,
            service_account,
        }
    }

    /// Checks the signature and every claim; the account last, as only a valid token has one.
    pub(super) fn check(&self, token: &[u8], key: &DecodingKey) -> Result<(), TokenError> {
        let claims = self.claims(token, key).map_err(TokenError::Invalid)?;
        if claims.email == self.service_account {
            Ok(())
        } else {
            Err(TokenError::WrongAccount)
        }
    }

    fn claims(&self, token: &[u8], key: &DecodingKey) -> Result<Claims, Flaw> {
        let claims: Claims = decode(token, key, &self.validation)?.claims;
        if claims.iat > jsonwebtoken::get_current_timestamp().saturating_add(LEEWAY) {
            return Err(Flaw::Premature);
        }
        if !claims.email_verified {
            return Err(Flaw::UnverifiedEmail);
        }
        Ok(claims)
    }
}
