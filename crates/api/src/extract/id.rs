//! Ids in paths: one that does not parse does not exist.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use models::ids::{AuditId, IncidentId, KeyId, LimitId, LlmRunId, RuleId, RunId, SystemRecordId};

use crate::{Problem, view::words};

/// What stands in a path.
pub(crate) trait Named: FromStr {
    /// What it names, for a person.
    const WHAT: &'static str;
}

macro_rules! named {
    ($($id:ident = $what:literal),+ $(,)?) => {$(
        impl Named for $id {
            const WHAT: &'static str = $what;
        }
    )+};
}

named! {
    RunId = "run",
    RuleId = "rule",
    LimitId = "limit",
    IncidentId = "incident",
    AuditId = "audit entry",
    LlmRunId = "LLM run",
    SystemRecordId = "system record",
    KeyId = "key",
}

impl Named for words::LogName {
    const WHAT: &'static str = "log";
}

/// The id in the route's path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Problem::not_found(T::WHAT, "of this name"))?;
        let (_, text) = params.iter().next().ok_or_else(|| Problem::not_found(T::WHAT, "without an id"))?;
        text.parse().map(Self).map_err(|_| Problem::not_found(T::WHAT, text))
    }
}

/// The run of a filter. An id that does not parse names no run, and nothing passes: no run has this one.
pub(crate) fn run_of_filter(text: &str) -> Result<RunId, Problem> {
    text.parse()
        .or_else(|_| "run_00000000000000000000000000000000".parse())
        .map_err(|err| Problem::internal(&err))
}
