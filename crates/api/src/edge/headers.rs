//! Headers that every answer has.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

use crate::carried::About;

/// An answer is data for the one who asked: no page, not framed, not kept, not guessed at.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds them, where a route has not said otherwise, and the request's id; also that the connection ends with this
/// answer, where it does.
pub(super) fn on_all(mut response: Response, about: &About, is_last: bool) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&about.request_id) {
        headers.insert("x-request-id", id);
    }
    if is_last {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
