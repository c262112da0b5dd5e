//! The error body of every route: RFC 9457, `application/problem+json`.
//!
//! A handler ends in a [`Problem`]. It becomes a body only at the edge (`crate::edge`), which knows the request's
//! id and path, and which makes problems of the framework's own refusals as well. So there is one way out.

mod code;
mod operation;
mod view;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use orchestrator::errors::{FieldError, told};

pub use self::code::Code;
pub(crate) use self::view::{Facts, FieldErrorView, ProblemView};

/// What a caller is told instead of what it asked for.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    facts: Option<Box<Facts>>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of `code`; `detail` is for a person and says what to do.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let (errors, facts, retry_after) = (Vec::new(), None, code.retry_after());
        Self { code, detail: detail.into(), errors, facts, retry_after }
    }

    /// What it says to a person.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// With what is wrong, field by field.
    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// With one field that is wrong, which is then the detail, too.
    pub(crate) fn field(code: Code, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let error = FieldError::new(pointer, message);
        let place = if error.pointer.is_empty() { "the body" } else { &error.pointer };
        Self::new(code, format!("{place}: {}", error.message)).with_errors(vec![error])
    }

    /// With members of its own.
    pub(crate) fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = Some(Box::new(facts));
        self
    }

    /// With the seconds after which a retry may help.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Of which a retry is no help.
    pub(crate) fn for_good(mut self) -> Self {
        self.retry_after = None;
        self
    }

    /// The tenant has no such thing, as far as the caller may know.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("no {what} {id}"))
    }

    /// Our own fault: told to the log, not to the caller.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "the request failed");
        Self::new(Code::Internal, "the cause is in the server's log, under this request_id")
    }

    /// What a framework's refusal means.
    pub(crate) fn of_framework(status: StatusCode) -> Self {
        let code = Code::of_framework(status);
        let detail = match code {
            Code::MethodNotAllowed => "the header `allow` lists the methods that it takes",
            Code::RouteNotFound => "/api/v1/openapi.json lists the routes that there are",
            Code::Internal => "the cause is in the server's log, under this request_id",
            _ => code.title(),
        };
        Self::new(code, detail)
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Which it is.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// As it is told in answer to one request.
    pub(crate) fn view(&self, instance: &str, request_id: &str) -> ProblemView {
        let Self { code, detail, errors, facts, .. } = self;
        ProblemView {
            kind: format!("urn:hoc:problem:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: told(detail),
            instance: instance.to_owned(),
            code: code.as_str(),
            request_id: request_id.to_owned(),
            errors: errors.iter().map(FieldErrorView::of).collect(),
            facts: facts.as_deref().cloned().unwrap_or_default(),
        }
    }

    /// The headers that go with it.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hoc\""));
        }
        headers
    }
}

impl IntoResponse for Problem {
    /// The status, with the problem as an extension: the edge writes the body.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
