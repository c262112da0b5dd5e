//! The console's cookie.
//!
//! Over https it is `__Host-hoc_session`: then no other host of the domain, and nobody on the way, can have set it.
//! Over http a browser takes no such name, so it is plain `hoc_session`; that is for this machine.

use axum::http::{HeaderMap, HeaderValue, header};

/// Its name, as the request arrived.
fn name(headers: &HeaderMap) -> &'static str {
    if is_https(headers) { "__Host-hoc_session" } else { "hoc_session" }
}

/// Whether the browser speaks https: to a proxy that says so, since we do not speak it ourselves.
fn is_https(headers: &HeaderMap) -> bool {
    let proto = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()).unwrap_or_default();
    proto.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}

/// The session's token, where the browser sent one.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let name = name(headers);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then(|| value.to_owned()))
}

/// What makes the browser keep the token for so many seconds.
pub(crate) fn keep(headers: &HeaderMap, token: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if is_https(headers) { "; Secure" } else { "" };
    let cookie =
        format!("{}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", name(headers));
    let mut value = HeaderValue::try_from(cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What makes the browser forget it.
pub(crate) fn forget(headers: &HeaderMap) -> Option<HeaderValue> {
    keep(headers, "", 0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{forget, keep, token};

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn over_https_only_the_name_that_no_other_host_can_set_is_read() {
        let both = "hoc_session=plain; a=b; __Host-hoc_session=bound";
        assert_eq!(token(&headers(&[("cookie", both)])).as_deref(), Some("plain"));
        let https = headers(&[("cookie", both), ("x-forwarded-proto", "https")]);
        assert_eq!(token(&https).as_deref(), Some("bound"));
        let planted = headers(&[("cookie", "hoc_session=plain"), ("x-forwarded-proto", "https")]);
        assert_eq!(token(&planted), None);
        assert_eq!(token(&headers(&[("cookie", "hoc_session=")])), None);
        assert_eq!(token(&headers(&[])), None);
    }

    #[test]
    fn a_cookie_is_for_our_pages_alone() {
        let http = keep(&headers(&[]), "t", 60).expect("a value");
        assert_eq!(http, "hoc_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let https = keep(&headers(&[("x-forwarded-proto", "https")]), "t", 60).expect("a value");
        assert_eq!(https, "__Host-hoc_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(
            forget(&headers(&[])).expect("a value"),
            "hoc_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
