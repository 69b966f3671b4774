//! A browser's session: an API token in a cookie that scripts cannot read, and which requests of that
//! browser may use it.
//!
//! The cookie holds the token itself, so any pod can check it, nothing is remembered in between, and a
//! revoked token ends the session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundcontrol_core::satellite::Token;
use http::header::{COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

/// What the cookie is called.
const NAME: &str = "groundcontrol_token";
/// The cookie goes to the API and nowhere else.
const PATH: &str = "/api/v1";
/// A browser forgets the token after this long, if it is not revoked or expires before.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// What browsers say of where a request comes from (Fetch Metadata). They say it over TLS, and to
/// loopback.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Whose page sent a request, as the browser tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A page of this server.
    Own,
    /// Somebody else's.
    Foreign,
    /// The browser does not tell, or it was the person in front of it.
    Unsaid,
}

/// Whose page sent the request with these headers.
pub(crate) fn sender(headers: &HeaderMap) -> Sender {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return match site.as_bytes() {
            b"same-origin" => Sender::Own,
            b"none" => Sender::Unsaid,
            _ => Sender::Foreign,
        };
    }
    let Some(origin) = headers.get(ORIGIN) else { return Sender::Unsaid };
    let origin = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (origin, host) {
        (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host) => Sender::Own,
        _ => Sender::Foreign,
    }
}

/// The token in the cookie, if there is one.
pub(crate) fn token(headers: &HeaderMap) -> Option<Token> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == NAME)?;
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(value.trim()).ok()?);
    let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.is_empty())?;
    Some(Token::presented(text))
}

/// The header `Set-Cookie` that lets a browser keep `token`.
pub(crate) fn keep(token: &Token, headers: &HeaderMap) -> HeaderValue {
    // A token that an operator chose may hold whatever a cookie may not.
    let value = Zeroizing::new(URL_SAFE_NO_PAD.encode(token.expose()));
    set(&value, REMEMBERED, headers)
}

/// The header `Set-Cookie` that lets a browser forget its token.
pub(crate) fn forget(headers: &HeaderMap) -> HeaderValue {
    set("", Duration::ZERO, headers)
}

fn set(value: &str, age: Duration, headers: &HeaderMap) -> HeaderValue {
    // Where the page came by TLS, here or at a proxy in front, the cookie may go by nothing else.
    let origin = headers.get(ORIGIN).map_or(&b""[..], HeaderValue::as_bytes);
    let secure = if origin.starts_with(b"https://") { "; Secure" } else { "" };
    let age = age.as_secs();
    let text = Zeroizing::new(format!(
        "{NAME}={value}; Path={PATH}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}"
    ));
    let mut header = HeaderValue::from_str(&text).expect("base64 may stand in a header");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_the_browser_says_of_the_site_decides() {
        let with = |site| {
            sender(&headers(&[(SEC_FETCH_SITE, site), ("host", "a"), ("origin", "http://a")]))
        };
        assert_eq!(with("same-origin"), Sender::Own);
        assert_eq!(with("none"), Sender::Unsaid);
        for foreign in ["same-site", "cross-site", "anything else"] {
            assert_eq!(with(foreign), Sender::Foreign, "{foreign}");
        }
    }

    #[test]
    fn without_that_the_origin_must_be_the_host() {
        let with = |origin| sender(&headers(&[("origin", origin), ("host", "gc.example:8443")]));
        assert_eq!(with("https://gc.example:8443"), Sender::Own);
        assert_eq!(with("https://GC.example:8443"), Sender::Own);
        for foreign in ["https://gc.example", "https://evil.example", "null", "gc.example:8443"] {
            assert_eq!(with(foreign), Sender::Foreign, "{foreign}");
        }
        assert_eq!(sender(&headers(&[("origin", "https://gc.example")])), Sender::Foreign);
        assert_eq!(sender(&headers(&[("host", "gc.example")])), Sender::Unsaid);
    }

    #[test]
    fn whatever_a_token_holds_survives_the_cookie() {
        for text in ["gcapi_AZaz09-_", "a; b=c, \"d\"", "größer\u{1f6f0}"] {
            let kept = keep(&Token::presented(text), &HeaderMap::new());
            let pair = kept.to_str().unwrap().split(';').next().unwrap().to_owned();
            let mut sent = HeaderMap::new();
            sent.append(COOKIE, "other=1".parse().unwrap());
            sent.append(COOKIE, format!("theme=dark; {pair}; last=x").parse().unwrap());
            assert_eq!(token(&sent).unwrap().expose(), text);
        }
    }

    #[test]
    fn what_is_no_token_in_the_cookie_is_none() {
        for sent in
            ["", "groundcontrol_token=", "groundcontrol_token=*", "x_groundcontrol_token=YQ"]
        {
            assert!(token(&headers(&[("cookie", sent)])).is_none(), "{sent}");
        }
    }

    #[test]
    fn scripts_and_other_sites_get_no_hold_of_the_cookie() {
        let (plain, tls) = (HeaderMap::new(), headers(&[("origin", "https://gc.example")]));
        for (header, secure) in [
            (keep(&Token::presented("t"), &plain), false),
            (keep(&Token::presented("t"), &tls), true),
            (forget(&tls), true),
        ] {
            let text = header.to_str().unwrap();
            for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/api/v1;", "; Max-Age="] {
                assert!(text.contains(part), "{text}");
            }
            assert_eq!(text.ends_with("; Secure"), secure, "{text}");
            assert!(header.is_sensitive());
        }
    }
}
