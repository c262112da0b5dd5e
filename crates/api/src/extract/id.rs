//! Ids in paths: one that does not parse does not exist. What is no id but the word of another route is told as that.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{StatusCode, request::Parts},
};
use models::ids::{AuditId, IncidentId, JobId, KeyId, LimitId, LlmRunId, RuleId, RunId, SystemRecordId};

use crate::{Problem, view::words::LogName};

/// What stands in a path.
pub(crate) trait Named: FromStr {
    /// What it names, for a person.
    const WHAT: &'static str;
    /// Words that the specification has for routes beside those of an id: asked for one by one, they name no such
    /// thing.
    const ROUTES: &'static [&'static str] = &[];
}

impl Named for RunId {
    const WHAT: &'static str = "run";
}

impl Named for RuleId {
    const WHAT: &'static str = "rule";
}

impl Named for LimitId {
    const WHAT: &'static str = "limit";
}

impl Named for JobId {
    const WHAT: &'static str = "job";
}

impl Named for IncidentId {
    const WHAT: &'static str = "incident";
    const ROUTES: &'static [&'static str] = &["by-run", "metrics", "patterns"];
}

impl Named for AuditId {
    const WHAT: &'static str = "audit entry";
}

impl Named for LlmRunId {
    const WHAT: &'static str = "LLM run";
}

impl Named for SystemRecordId {
    const WHAT: &'static str = "system record";
}

impl Named for KeyId {
    const WHAT: &'static str = "key";
}

impl Named for LogName {
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
        if T::ROUTES.contains(&text) {
            return Err(Problem::of_framework(StatusCode::NOT_FOUND));
        }
        text.parse().map(Self).map_err(|_| Problem::not_found(T::WHAT, text))
    }
}

/// The run of a filter. An id that does not parse names no run, and nothing passes: no run has this one.
pub(crate) fn run_of_filter(text: &str) -> Result<RunId, Problem> {
    text.parse()
        .or_else(|_| "run_00000000000000000000000000000000".parse())
        .map_err(|err| Problem::internal(&err))
}
