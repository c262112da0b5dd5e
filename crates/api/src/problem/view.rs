//! A problem as it is written.

use orchestrator::errors::{FieldError, told};
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{VerdictView, words};

/// An error, as RFC 9457 writes it. `code` is stable; docs/errors.md lists every code.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView {
    /// The code as a URI.
    #[serde(rename = "type")]
    #[schema(example = "urn:hoc:problem:not_found")]
    pub(super) kind: String,
    /// The same words whenever this code occurs.
    pub(super) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened here, for a person.
    pub(crate) detail: String,
    /// The path that was called.
    pub(super) instance: String,
    /// Stable; this is what a program matches.
    #[schema(example = "not_found")]
    pub(crate) code: &'static str,
    /// The `X-Request-Id` of the answer.
    pub(crate) request_id: String,
    /// What is wrong, field by field.
    pub(crate) errors: Vec<FieldErrorView>,
    #[serde(flatten)]
    pub(super) facts: Facts,
}

/// One field that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub(crate) struct FieldErrorView {
    /// JSON pointer (RFC 6901) into the body; for a parameter, into the object that the parameters would be.
    #[schema(example = "/llm/cost_usd")]
    pub(crate) pointer: String,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

/// Members that only some codes have.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = ProblemFacts)]
#[expect(clippy::option_option, reason = "no member, null, and an index are three things")]
pub(crate) struct Facts {
    /// `step_halted`, `rate_limited`: what fired, and what decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) verdict: Option<Box<VerdictView>>,
    /// `step_halted`, `run_not_running`, `run_killed`: the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) run_id: Option<String>,
    /// `step_halted`: the index that the refusal took in the chain; null where it took none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub(crate) step_index: Option<Option<u64>>,
    /// `step_halted`, `run_not_running`, `run_killed`: where the run is in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::RunStatus, required = false)]
    pub(crate) run_status: Option<&'static str>,
    /// `step_halted`: false while the store is down; the halt holds, and is written when the store is back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) recorded: Option<bool>,
    /// `rate_limited`: when the window ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) retry_after_ms: Option<u64>,
    /// `step_out_of_order`: the index that would have been right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) expected_step_index: Option<u64>,
}

impl FieldErrorView {
    pub(crate) fn of(error: &FieldError) -> Self {
        Self { pointer: told(&error.pointer), message: told(&error.message) }
    }
}
