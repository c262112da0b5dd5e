//! What an operation ended in, as a problem: one match, which knows every error there is.

use std::sync::Arc;

use models::ids::RunId;
use orchestrator::errors::{ConflictCode, Error, StepEnforcementError};

use super::{Code, Facts, Problem};
use crate::view::VerdictView;

impl From<Error> for Problem {
    fn from(err: Error) -> Self {
        let detail = err.to_string();
        match err {
            Error::NotFound { .. } => Self::new(Code::NotFound, detail),
            Error::Invalid(errors) => match <[_; 1]>::try_from(errors) {
                Ok([error]) => Self::field(Code::InvalidRequest, error.pointer, error.message),
                Err(errors) => Self::new(Code::InvalidRequest, detail).with_errors(errors),
            },
            Error::RunNotRunning { run_id, status, .. } => {
                Self::new(Code::RunNotRunning, detail).with_facts(run_facts(run_id, status.as_str()))
            }
            Error::RunKilled { run_id } => {
                Self::new(Code::RunKilled, detail).with_facts(run_facts(run_id, "HALTED"))
            }
            Error::StepOutOfOrder { expected, .. } => Self::new(Code::StepOutOfOrder, detail)
                .with_facts(Facts { expected_step_index: Some(expected), ..Facts::default() }),
            Error::IdempotencyConflict { .. } => Self::new(Code::IdempotencyConflict, detail),
            Error::StepHalted(halted) => {
                Self::new(Code::StepHalted, detail).with_facts(halted_facts(*halted))
            }
            Error::RateLimited { retry_after_ms, verdict } => Self::new(Code::RateLimited, detail)
                .retry_after(retry_after_ms.div_ceil(1_000).max(1))
                .with_facts(Facts {
                    verdict: Some(Box::new(VerdictView::from(*verdict))),
                    retry_after_ms: Some(retry_after_ms),
                    ..Facts::default()
                }),
            Error::Conflict { code, .. } => Self::new(conflict(code), detail),
            Error::PreconditionFailed { .. } => Self::new(Code::PreconditionFailed, detail),
            Error::Busy => Self::new(Code::Overloaded, detail),
            Error::Unavailable(cause) => retriable(Code::StoreUnavailable, detail, &cause),
            Error::CommitUnknown(cause) => retriable(Code::CommitUnknown, detail, &cause),
            Error::Store(_) | Error::Internal(_) => Self::internal(&err),
        }
    }
}

fn run_facts(run_id: RunId, run_status: &'static str) -> Facts {
    Facts { run_id: Some(run_id.to_string()), run_status: Some(run_status), ..Facts::default() }
}

fn halted_facts(halted: StepEnforcementError) -> Facts {
    Facts {
        verdict: Some(Box::new(VerdictView::from(halted.verdict))),
        step_index: Some(halted.step_index),
        recorded: Some(halted.recorded),
        ..run_facts(halted.run_id, halted.run_status.as_str())
    }
}

/// The store's own words are for the log; the caller is told that it may come again.
fn retriable<E: std::error::Error + 'static>(code: Code, detail: String, cause: &Arc<E>) -> Problem {
    tracing::warn!(error = cause.as_ref() as &dyn std::error::Error, code = code.as_str(), "{detail}");
    Problem::new(code, detail)
}

const fn conflict(code: ConflictCode) -> Code {
    match code {
        ConflictCode::IncidentResolved => Code::IncidentResolved,
        ConflictCode::IncidentAcknowledgedByOther => Code::IncidentAcknowledgedByOther,
        ConflictCode::RuleRetired => Code::RuleRetired,
        ConflictCode::RuleNameTaken => Code::RuleNameTaken,
        ConflictCode::LimitDisabled => Code::LimitDisabled,
        ConflictCode::LimitNameTaken => Code::LimitNameTaken,
        ConflictCode::KeyRevoked => Code::KeyRevoked,
        ConflictCode::RunEnded => Code::RunEnded,
        ConflictCode::TenantExists => Code::TenantExists,
    }
}
