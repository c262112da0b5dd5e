//! The console's cookie.
//!
//! Over https it is called `__Host-hoc_session`: a cookie of that name cannot have been set by another host of the
//! domain, nor by anybody on the way. Over http a browser refuses that name, so the cookie is plain `hoc_session`; that
//! is for this machine only. A setting says which of the two it is. No header does, because anybody may say anything in
//! a header.

use axum::http::{HeaderMap, HeaderValue, header};

/// How browsers reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reached {
    /// By http: on this machine.
    #[default]
    ByHttp,
    /// By https, which a proxy speaks.
    ByHttps,
}

impl Reached {
    /// The cookie's name.
    const fn name(self) -> &'static str {
        match self {
            Self::ByHttp => "hoc_session",
            Self::ByHttps => "__Host-hoc_session",
        }
    }
}

/// The session's token, where the browser sent one.
pub(crate) fn token(reached: Reached, headers: &HeaderMap) -> Option<String> {
    let name = reached.name();
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then(|| value.to_owned()))
}

/// What makes the browser keep the token for so many seconds.
pub(crate) fn keep(reached: Reached, token: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if reached == Reached::ByHttps { "; Secure" } else { "" };
    let name = reached.name();
    let cookie = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::try_from(cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What makes the browser forget it.
pub(crate) fn forget(reached: Reached) -> Option<HeaderValue> {
    keep(reached, "", 0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{
        Reached::{ByHttp, ByHttps},
        forget, keep, token,
    };

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
        assert_eq!(token(ByHttp, &headers(&[("cookie", both)])).as_deref(), Some("plain"));
        assert_eq!(token(ByHttps, &headers(&[("cookie", both)])).as_deref(), Some("bound"));
        assert_eq!(token(ByHttps, &headers(&[("cookie", "hoc_session=plain")])), None);
        assert_eq!(token(ByHttp, &headers(&[("cookie", "hoc_session=")])), None);
        assert_eq!(token(ByHttp, &headers(&[])), None);
        let claims = headers(&[("cookie", both), ("x-forwarded-proto", "https")]);
        assert_eq!(token(ByHttp, &claims).as_deref(), Some("plain"), "anybody may say so");
    }

    #[test]
    fn a_cookie_is_for_our_pages_alone() {
        let http = keep(ByHttp, "t", 60).expect("a value");
        assert_eq!(http, "hoc_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let https = keep(ByHttps, "t", 60).expect("a value");
        assert_eq!(https, "__Host-hoc_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(
            forget(ByHttp).expect("a value"),
            "hoc_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
