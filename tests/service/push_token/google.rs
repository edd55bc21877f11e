//! Tokens, signed like Google's and in wrong ways.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const AUDIENCE: &str = "https://thumbnails.example/";
pub const ACCOUNT: &str = "push@project.iam.gserviceaccount.com";

/// An RSA key with its id.
pub struct SigningKey {
    id: &'static str,
    pair: KeyPair,
}

impl SigningKey {
    pub fn generate(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048);
        Self {
            id,
            pair: pair.expect("the machine has entropy"),
        }
    }

    /// The public key as RFC 7517 writes it.
    pub fn public(&self) -> Value {
        let key = self.pair.public_key();
        let modulus = key.modulus().big_endian_without_leading_zero();
        let exponent = key.exponent().big_endian_without_leading_zero();
        json!({
            "kid": self.id, "kty": "RSA", "alg": "RS256", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
        })
    }

    /// The header of this key's tokens.
    pub fn header(&self) -> Value {
        json!({ "alg": "RS256", "kid": self.id, "typ": "JWT" })
    }

    /// A token as Google signs it.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims, &signature::RSA_PKCS1_SHA256)
    }

    /// A token with any header and padding.
    pub fn sign(
        &self,
        header: &Value,
        claims: &Value,
        padding: &'static dyn RsaEncoding,
    ) -> String {
        let message = message(header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self
            .pair
            .sign(padding, &random, message.as_bytes(), &mut signature);
        signed.expect("the key can sign");
        with_signature(&message, &signature)
    }

    /// The public key's bytes in every form that an attacker could take for a shared secret.
    pub fn secrets(&self) -> Vec<Vec<u8>> {
        let public = self.public();
        let key = self.pair.public_key();
        vec![
            key.as_ref().to_vec(),
            key.modulus().big_endian_without_leading_zero().to_vec(),
            public["n"].as_str().unwrap_or_default().into(),
            public.to_string().into(),
        ]
    }
}

/// A token signed with a shared secret.
pub fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = message(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    with_signature(&message, hmac::sign(&key, message.as_bytes()).as_ref())
}

/// A token with any text in place of a signature.
pub fn unsigned(header: &Value, claims: &Value, signature: &str) -> String {
    format!("{}.{signature}", message(header, claims))
}

/// The claims of a token that is accepted.
pub fn claims() -> Value {
    json!({
        "aud": AUDIENCE, "azp": "113774264463038321964", "sub": "113774264463038321964",
        "email": ACCOUNT, "email_verified": true,
        "iat": now(), "exp": now() + 3600, "iss": "https://accounts.google.com",
    })
}

pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_secs()
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn with_signature(message: &str, signature: &[u8]) -> String {
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
