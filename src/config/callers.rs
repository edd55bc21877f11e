//! Validates the two variables of push authentication, which belong together.

use crate::push_token::{Expected, KeysUrl};

/// A variable and what is wrong with it.
type Fault = (&'static str, &'static str);

/// What tokens are checked for; nothing where neither variable is set. An empty one counts as not set.
pub(super) fn check(
    audience: Option<String>,
    service_account: Option<String>,
    keys_url: &str,
) -> Result<Option<Expected>, Fault> {
    let set = |variable: Option<String>| variable.filter(|text| !text.is_empty());
    let (audience, service_account) = match (set(audience), set(service_account)) {
        (None, None) => return Ok(None),
        (Some(audience), Some(service_account)) => (audience, service_account),
        (Some(_), None) => {
            let fault = "is required where PUSH_AUDIENCE is set: whose tokens are let in";
            return Err(("PUSH_SERVICE_ACCOUNT", fault));
        }
        (None, Some(_)) => {
            let fault = "is required where PUSH_SERVICE_ACCOUNT is set: whom its tokens are for";
            return Err(("PUSH_AUDIENCE", fault));
        }
    };
    if !service_account.contains('@') || service_account.contains(char::is_whitespace) {
        let fault = "is not a service account's e-mail address";
        return Err(("PUSH_SERVICE_ACCOUNT", fault));
    }
    Ok(Some(Expected {
        audience,
        service_account,
        keys_url: KeysUrl::parse(keys_url).map_err(|fault| ("PUSH_KEYS_URL", fault))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push_token::GOOGLE_KEYS;

    fn checked(audience: &str, account: &str, keys: &str) -> Result<Option<Expected>, Fault> {
        check(Some(audience.to_owned()), Some(account.to_owned()), keys)
    }

    #[test]
    fn nothing_is_demanded_where_neither_is_set() {
        assert_eq!(check(None, None, GOOGLE_KEYS), Ok(None));
        assert_eq!(checked("", "", GOOGLE_KEYS), Ok(None));
    }

    #[test]
    fn both_together_demand_a_token() {
        let expected = checked("https://x.example", "push@p.example", GOOGLE_KEYS).unwrap();
        let expected = expected.unwrap();
        assert_eq!(expected.audience, "https://x.example");
        assert_eq!(expected.service_account, "push@p.example");
        assert_eq!(Ok(expected.keys_url), KeysUrl::parse(GOOGLE_KEYS));
    }

    #[test]
    fn one_without_the_other_is_a_fault() {
        let faulty = |audience, account, keys| checked(audience, account, keys).unwrap_err().0;
        assert_eq!(faulty("a", "", GOOGLE_KEYS), "PUSH_SERVICE_ACCOUNT");
        assert_eq!(faulty("", "push@p.example", GOOGLE_KEYS), "PUSH_AUDIENCE");
        assert_eq!(faulty("a", "push", GOOGLE_KEYS), "PUSH_SERVICE_ACCOUNT");
        assert_eq!(faulty("a", "push@p. ", GOOGLE_KEYS), "PUSH_SERVICE_ACCOUNT");
        assert_eq!(faulty("a", "push@p.example", "nowhere"), "PUSH_KEYS_URL");
    }
}
