//! Headers that mean something: Idempotency-Key, If-Match, Last-Event-ID.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use crate::{Problem, problem::Code};

/// The header `Idempotency-Key`, which is one thing with the body's member of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        idempotency_key(&parts.headers).map(Self)
    }
}

/// What the request names as its program. Nothing depends on it, so nothing of it is refused.
pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let named = headers.get(header::USER_AGENT)?;
    let named = String::from_utf8_lossy(named.as_bytes()).trim().to_owned();
    (!named.is_empty()).then_some(named)
}

/// What the header `Idempotency-Key` says.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let key = only(headers, "idempotency-key")?;
    if key.is_some_and(str::is_empty) {
        return Err(Problem::new(Code::InvalidHeader, "the header `idempotency-key` is empty"));
    }
    Ok(key.map(str::to_owned))
}

impl IdempotencyKey {
    /// The key of the request, wherever it stands.
    pub(crate) fn or(self, body: Option<String>) -> Result<Option<String>, Problem> {
        one_key(self.0, body)
    }
}

/// The key of a request whose header and body may both say it.
pub(super) fn one_key(header: Option<String>, body: Option<String>) -> Result<Option<String>, Problem> {
    match (header, body) {
        (_, Some(body)) if body.is_empty() => {
            Err(Problem::field(Code::InvalidRequest, "/idempotency_key", "must not be empty"))
        }
        (Some(header), Some(body)) if header != body => Err(Problem::new(
            Code::IdempotencyKeyMismatch,
            format!("the header `idempotency-key` is `{header}`, the body's idempotency_key is `{body}`"),
        )),
        (header, body) => Ok(header.or(body)),
    }
}

/// What a tag stands for that was not made here: it matches nothing, which the operation finds in its turn.
const NEVER_STORED: u64 = u64::MAX;

/// The version that a change is made on, from the header `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) u64);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let tag = only(&parts.headers, header::IF_MATCH.as_str())?.ok_or_else(|| {
            Problem::new(
                Code::PreconditionRequired,
                "read the object first and send its `etag` in `if-match`",
            )
        })?;
        let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        Ok(Self(version.and_then(|version| version.parse().ok()).unwrap_or(NEVER_STORED)))
    }
}

/// The last event that a stream's reader has, from the header `Last-Event-ID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastEventId(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let id = only(&parts.headers, "last-event-id")?;
        Ok(Self(id.filter(|id| !id.is_empty()).map(str::to_owned)))
    }
}

/// The tag of a version.
pub(crate) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The header's text; 400 if it is there twice or no text.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Problem> {
    let mut all = headers.get_all(name).iter();
    let (first, second) = (all.next(), all.next());
    if second.is_some() {
        return Err(Problem::new(
            Code::InvalidHeader,
            format!("the header `{name}` is given more than once"),
        ));
    }
    let text = first.map(|value| value.to_str()).transpose();
    text.map_err(|_| Problem::new(Code::InvalidHeader, format!("the header `{name}` is no visible ASCII")))
}
