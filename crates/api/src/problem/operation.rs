//! What an operation ended in, as a problem: one match, which knows every error there is.

use std::sync::Arc;

use models::ids::RunId;
use orchestrator::errors::{ConflictCode, Error, StepEnforcementError};

use super::{Code, Facts, Problem};
use crate::view::VerdictView;

impl From<Error> for Problem {
    fn from(err: Error) -> Self {
        let detail = err.in_short();
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
            Error::Unreadable(_) => Self::new(Code::BadRequest, detail),
            Error::Busy => Self::new(Code::Overloaded, detail),
            Error::Unavailable(cause) => retriable(Code::StoreUnavailable, detail, &cause),
            Error::HeldBack(_) => Self::new(Code::StoreBehind, detail),
            Error::AgentNotBound { .. } => Self::new(Code::AgentNotBound, detail),
            Error::ClockOff(_) => Self::new(Code::ClockOff, detail),
            Error::OtherSigningKey(_) => Self::new(Code::OtherSigningKey, detail),
            Error::CommitUnknown(cause) => retriable(Code::CommitUnknown, detail, &cause),
            Error::Damaged { table, row, why } => {
                tracing::error!(table, row, why, "a stored record does not read back");
                Self::new(Code::RecordDamaged, detail)
            }
            Error::Store(_) | Error::Internal(_) | Error::HalfDone(_) => Self::internal(&err),
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
        ConflictCode::AgentFrozen => Code::AgentFrozen,
        ConflictCode::TenantFrozen => Code::TenantFrozen,
        ConflictCode::AlreadyFrozen => Code::AlreadyFrozen,
        ConflictCode::AnswerLost => Code::AnswerLost,
        ConflictCode::JobOver => Code::JobOver,
        ConflictCode::JobInQueue => Code::JobInQueue,
        ConflictCode::JobStanding => Code::JobStanding,
        ConflictCode::TooManyJobs => Code::TooManyJobs,
    }
}

#[cfg(test)]
mod tests {
    use orchestrator::verdict;

    use super::*;

    fn refused() -> verdict::VerdictView {
        verdict::VerdictView {
            action: "BLOCK".parse().expect("a word"),
            decision_id: "dec_00000000000000000000000000000001".parse().expect("an id"),
            halt_reason: Some("rate_limited".parse().expect("a word")),
            deciding_policy_id: None,
            fired: Vec::new(),
            limits: Vec::new(),
            would_have: None,
            intervention: None,
            asked: None,
            is_of_done: false,
            permit_note: None,
            checked_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
        }
    }

    fn told(problem: &Problem) -> serde_json::Value {
        serde_json::to_value(problem.view("/path", "req-test")).expect("a problem")
    }

    #[test]
    fn what_passes_says_when_to_come_again() {
        for (ms, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_500, "60")] {
            let verdict = Box::new(refused());
            let problem = Problem::from(Error::RateLimited { retry_after_ms: ms, verdict });
            assert_eq!(
                (problem.status().as_u16(), &problem.headers()["retry-after"]),
                (429, &seconds.parse().expect("a value"))
            );
            assert_eq!(
                (&told(&problem)["code"], &told(&problem)["retry_after_ms"]),
                (&"rate_limited".into(), &ms.into())
            );
        }
        let busy = Problem::from(Error::Busy);
        assert_eq!((busy.status().as_u16(), busy.code()), (503, Code::Overloaded));
        assert_eq!(busy.headers()["retry-after"], "1");
    }

    #[test]
    fn a_halt_that_took_no_place_says_so() {
        let halted = StepEnforcementError {
            run_id: "run_00000000000000000000000000000001".parse().expect("an id"),
            step_index: None,
            run_status: "HALTED".parse().expect("a word"),
            recorded: false,
            verdict: refused(),
        };
        let told = told(&Problem::from(Error::StepHalted(Box::new(halted))));
        assert_eq!((&told["step_index"], &told["recorded"]), (&serde_json::Value::Null, &false.into()));
        assert!(told.as_object().is_some_and(|problem| problem.contains_key("step_index")), "{told}");
        assert!(!told.as_object().is_some_and(|problem| problem.contains_key("retry_after_ms")), "{told}");
    }

    #[test]
    fn our_own_fault_is_not_explained() {
        for fault in [Error::Internal, Error::HalfDone] {
            let told = told(&Problem::from(fault("table secrets is on fire".to_owned())));
            assert_eq!(told["code"], "internal");
            assert!(!told.to_string().contains("fire"), "{told}");
        }
    }

    #[test]
    fn a_record_that_is_damaged_is_named_and_what_is_wrong_with_it_is_for_the_log() {
        let (row, why) = ("run_1/12".to_owned(), "body: checksum".to_owned());
        let problem = Problem::from(Error::Damaged { table: "run_segments", row, why });
        assert_eq!((problem.status().as_u16(), problem.code()), (500, Code::RecordDamaged));
        let told = told(&problem).to_string();
        assert!(told.contains("run_segments, row run_1/12") && !told.contains("checksum"), "{told}");
    }

    #[test]
    fn an_error_quotes_no_secret_and_nothing_at_length() {
        let key = format!("ghp_{}", "a1B2".repeat(9));
        let message = format!("`{key}` is not one of A, B; {}", "x".repeat(100_000));
        let told = told(&Problem::from(Error::invalid(format!("/{key}"), message)));
        assert!(!told.to_string().contains(&key), "{told}");
        assert!(told.to_string().len() < 4_000, "{}", told.to_string().len());
    }
}
