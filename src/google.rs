//! How Google's clients are reached: the real services with default credentials, emulators without any.

use google_cloud_auth::build_errors::Error;
use google_cloud_auth::credentials::{Builder as DefaultCredentials, Credentials, anonymous};

/// The credentials for a service, or for an emulator.
pub(crate) fn credentials(emulated: bool) -> Result<Credentials, Error> {
    if emulated {
        return Ok(anonymous::Builder::new().build());
    }
    // Named here, the universe needn't be asked of the metadata server, which can hang.
    DefaultCredentials::default()
        .with_universe_domain("googleapis.com")
        .build()
}

/// An emulator's address as a URL; by custom its variable holds `host:port`.
pub(crate) fn endpoint(address: &str) -> String {
    let address = address.trim_end_matches('/');
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_s_address_may_lack_the_scheme() {
        assert_eq!(endpoint("127.0.0.1:4443"), "http://127.0.0.1:4443");
        assert_eq!(endpoint("http://fake:4443/"), "http://fake:4443");
    }
}
