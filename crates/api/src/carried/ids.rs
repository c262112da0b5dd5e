//! The names of a request: its own (`X-Request-Id`), and that of the trace it belongs to (W3C trace context).

use axum::http::HeaderMap;
use orchestrator::errors::redacted;

/// The longest request id that is taken over.
const MAX_LENGTH: usize = 128;

/// The caller's request id, if it may stand in a header, a log line and a body as it is: plain, and no secret.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("x-request-id")?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&b);
    let fits = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(plain) && redacted(text) == text;
    fits.then(|| text.to_owned())
}

/// The trace id of a valid `traceparent`: the call belongs to that trace.
pub(crate) fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all("traceparent").iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let mut parts = only.to_str().ok()?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let not_zero = |text: &str| text.bytes().any(|b| b != b'0');
    // Version 00 has these four parts; a later one may have more.
    let version_fits = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let fits = version_fits
        && is_hex(trace, 32)
        && not_zero(trace)
        && is_hex(parent, 16)
        && not_zero(parent)
        && is_hex(flags, 2);
    fits.then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{request_id, trace_id};

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("text"),
        )])
    }

    #[test]
    fn a_trace_is_continued() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let valid =
            [format!("00-{trace}-00f067aa0ba902b7-01"), format!("cc-{trace}-00f067aa0ba902b7-01-more")];
        for parent in valid {
            assert_eq!(trace_id(&headers("traceparent", &parent)).as_deref(), Some(trace), "{parent}");
        }
        for parent in [
            "",
            "00",
            &format!("00-{trace}-00f067aa0ba902b7-01-more"),
            &format!("ff-{trace}-00f067aa0ba902b7-01"),
            &format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            &format!("00-{trace}-0000000000000000-01"),
            &format!("00-{trace}-00f067aa0ba902b7-1"),
        ] {
            assert_eq!(trace_id(&headers("traceparent", parent)), None, "{parent}");
        }
    }

    #[test]
    fn a_request_id_is_taken_over_if_it_is_plain() {
        assert_eq!(request_id(&headers("x-request-id", "abc-1:2/3")).as_deref(), Some("abc-1:2/3"));
        for odd in ["", "a b", "<script>", &"x".repeat(129), &format!("ghp_{}", "a1B2".repeat(9))] {
            assert_eq!(request_id(&headers("x-request-id", odd)), None, "{odd}");
        }
    }
}
