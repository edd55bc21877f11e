//! Credentials, backoff and endpoints of Google's clients.

use std::time::Duration;

use google_cloud_auth::build_errors::Error;
use google_cloud_auth::credentials::{Builder as DefaultCredentials, Credentials, anonymous};
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// Default credentials for a real service, anonymous ones for an emulator.
pub(crate) fn credentials(emulated: bool) -> Result<Credentials, Error> {
    if emulated {
        return Ok(anonymous::Builder::new().build());
    }
    // Naming the universe spares a request to the metadata server, which can hang.
    DefaultCredentials::default()
        .with_universe_domain("googleapis.com")
        .build()
}

/// Exponential backoff from a tenth of a second up to `longest`.
pub(crate) fn backoff(longest: Duration) -> ExponentialBackoff {
    ExponentialBackoffBuilder::new()
        .with_initial_delay(Duration::from_millis(100))
        .with_maximum_delay(longest)
        .clamp()
}

/// An emulator's address as a URL; its variable usually holds `host:port`.
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
