//! Whether a browser's request comes from our own pages (CSRF): by what the browser itself says of it, no token.

use axum::http::{HeaderMap, header};

use crate::{Problem, problem::Code};

/// Refuses what another site may have made the browser send. Every browser says one of the two of a POST; who says
/// neither is no browser, and has no business with a browser's session.
pub(crate) fn must_be_ours(headers: &HeaderMap) -> Result<(), Problem> {
    if is_ours(headers) {
        return Ok(());
    }
    Err(Problem::new(Code::CrossSiteRequest, "open the console and do it there; programs use an API key"))
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    // Browsers leave `Sec-Fetch-Site` out where the address is neither https nor this machine.
    let origin = text(header::ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    let host = text(header::HOST.as_str());
    matches!((origin, host), (Some((_, origin)), Some(host)) if origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::is_ours;

    #[test]
    fn only_what_comes_from_our_own_pages() {
        let cases: [(&[(&'static str, &str)], bool); 9] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://a:1"), ("host", "a:1")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://hoc.lan:8080"), ("host", "hoc.lan:8080")], true),
            (&[("origin", "http://hoc.lan:9090"), ("host", "hoc.lan:8080")], false),
            (&[("origin", "null"), ("host", "null")], false),
            (&[("host", "hoc.lan:8080")], false),
            (&[], false),
        ];
        for (given, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, value.parse().expect("a value"));
            }
            assert_eq!(is_ours(&headers), expected, "{given:?}");
        }
    }
}
