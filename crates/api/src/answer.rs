//! Answers that are more than a 200 with JSON.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::extract::{Json, etag};

/// 201: a thing that was made, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Created<T> {
    /// Its path; none where it cannot be read by itself.
    pub(crate) location: Option<String>,
    /// As it is stored.
    pub(crate) body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.body)).into_response();
        if let Some(location) = self.location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// A thing with the tag of its version, for `If-Match`.
#[derive(Clone, Debug)]
pub(crate) struct Versioned<T> {
    /// The stored version.
    pub(crate) version: u64,
    /// The rest of the answer.
    pub(crate) answer: T,
}

impl<T: IntoResponse> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        if let Ok(tag) = HeaderValue::from_str(&etag(self.version)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
