//! What an operation can end in, free of any transport: L2 translates it, once.

use std::sync::Arc;

use drivers::StoreError;
use models::ids::RunId;
use proof::words::RunStatus;
use rules::fields::FieldErrors;

use crate::verdict::VerdictView;

/// A field of the request that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the request body.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl FieldError {
    /// A field error at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A refusal of a step by the choke point: the seeds' StepEnforcementError.
#[derive(Clone, Debug, PartialEq)]
pub struct StepEnforcementError {
    /// The run that was refused a step.
    pub run_id: RunId,
    /// The index that the refusal took in the chain. None where the run itself was refused, or nothing was stored.
    pub step_index: Option<u64>,
    /// The run as the refusal left it.
    pub run_status: RunStatus,
    /// False while the store is down: the halt holds, and is written when the store is back.
    pub recorded: bool,
    /// What fired, and what decided.
    pub verdict: VerdictView,
}

/// Why an operation did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tenant has no such thing, or the caller may not know of it.
    #[error("no {what} {id}")]
    NotFound {
        /// What was looked for, in words.
        what: &'static str,
        /// The id as it was given.
        id: String,
    },
    /// The body is well formed but breaks rules.
    #[error("{}", said(.0))]
    Invalid(Vec<FieldError>),
    /// The body is not what its content type says.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// The caller's key begins no runs as this agent.
    #[error(
        "this key begins runs as {bound}, and not as `{agent_id}`: use the key of that agent, or have one made that \
         names it"
    )]
    AgentNotBound {
        /// The agent that was asked for.
        agent_id: String,
        /// The agents of the key.
        bound: String,
    },
    /// The run takes no steps any more.
    #[error("run {run_id} is {status}: {reason}")]
    RunNotRunning {
        /// The run.
        run_id: RunId,
        /// Where it is in its life.
        status: RunStatus,
        /// Why it takes none.
        reason: String,
    },
    /// The run was killed: nothing it sends is stored any more, but spans of a trace.
    #[error("run {run_id} was killed")]
    RunKilled {
        /// The run.
        run_id: RunId,
    },
    /// The step index that the caller named is not the next one.
    #[error("the next step_index of this run is {expected}, not {given}")]
    StepOutOfOrder {
        /// The next index.
        expected: u64,
        /// What was given.
        given: u64,
    },
    /// The idempotency key was used for another request (the seeds' IdempotencyViolationError).
    #[error("idempotency key `{key}` was used for another request")]
    IdempotencyConflict {
        /// The key.
        key: String,
    },
    /// The choke point refused the step.
    #[error("the step was refused: {}", .0.verdict.summary())]
    StepHalted(Box<StepEnforcementError>),
    /// A RATE limit with REJECT: try again later. Leaves a decision, no step.
    #[error("rate limited: {}", verdict.summary())]
    RateLimited {
        /// When the window ends.
        retry_after_ms: u64,
        /// What decided.
        verdict: Box<VerdictView>,
    },
    /// The thing is not in a state that allows the move.
    #[error("{detail}")]
    Conflict {
        /// Stable code of the problem.
        code: ConflictCode,
        /// What stands in the way, and what to do.
        detail: String,
    },
    /// `If-Match` names another version.
    #[error("the stored version is {current}; read it again and repeat the change on it")]
    PreconditionFailed {
        /// The version that is stored.
        current: u64,
    },
    /// Too many calls wait already.
    #[error("too many calls are waiting; try again shortly")]
    Busy,
    /// The store cannot be reached; nothing was recorded.
    #[error("the store is not reachable; nothing was recorded")]
    Unavailable(#[source] Arc<StoreError>),
    /// An older backup was restored: nothing is written until somebody accepts what that lost.
    #[error("{0}")]
    HeldBack(String),
    /// The clock of this server is not the store's: it begins no runs.
    #[error("{0}")]
    ClockOff(String),
    /// Another key than that of this server signs for the store: it signs nothing.
    #[error("{0}")]
    OtherSigningKey(String),
    /// The store did not confirm the commit: it may or may not have happened.
    #[error("the store did not confirm the commit; repeat the call with the same idempotency_key")]
    CommitUnknown(#[source] Arc<StoreError>),
    /// What is stored of a run does not read back: a segment of its records, the key of a step, or the salt of its
    /// texts.
    #[error(
        "what is stored of this does not read back: {table}, row {row}, which was changed past HOC, or damaged; whoever runs the \
         server finds an incident about it, and more in its log"
    )]
    Damaged {
        /// The table.
        table: &'static str,
        /// Its row: of a segment the run and its place.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// The store failed otherwise.
    #[error("the store failed")]
    Store(#[source] Arc<StoreError>),
    /// Something that cannot be, was.
    #[error("{0}")]
    Internal(String),
    /// Something that cannot be was met by a call of the choke point, half of whose changes stand in the working state:
    /// all of its group is rolled back.
    #[error("{0}")]
    HalfDone(String),
}

/// What is missing of a store names tenants, their logs and folders of the server: that is for its log, and not for
/// whoever calls it.
const BEHIND: &str = "this store is behind what was seen of it: it is read and not written until whoever runs the server has \
    settled that; its log and `hoc doctor` say what is missing";

/// What is told of our own fault: the rest is for the log.
pub(crate) const IN_THE_LOG: &str = "the cause is in the server's log";

impl Error {
    /// What is told of it to whoever may see that something failed: nothing of the server, and nothing of our own
    /// fault.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::HeldBack(_) => BEHIND.to_owned(),
            Self::Store(_) | Self::Internal(_) | Self::HalfDone(_) => IN_THE_LOG.to_owned(),
            other => other.to_string(),
        }
    }
}

fn said(fields: &[FieldError]) -> String {
    let each = fields.iter().map(|field| format!("{} {}", field.pointer, field.message));
    each.collect::<Vec<_>>().join(", ")
}

/// The states that stand in the way of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ConflictCode {
    IncidentResolved,
    IncidentAcknowledgedByOther,
    RuleRetired,
    RuleNameTaken,
    LimitDisabled,
    LimitNameTaken,
    KeyRevoked,
    RunEnded,
    TenantExists,
    AgentFrozen,
    TenantFrozen,
    AlreadyFrozen,
    AnswerLost,
    JobOver,
    JobInQueue,
    JobStanding,
    TooManyJobs,
}

/// A text without what must be told to nobody, not even in an error: its words may quote what a caller sent.
#[must_use]
pub fn redacted(text: &str) -> String {
    engines::logs::redact::redact_text(text).value
}

/// How much of a text is told: what is wrong stands at its beginning or is not said at all.
const LONGEST: usize = 1_000;

/// How much of it is looked at for that: a secret that is cut off here is still long enough to be seen.
const LOOKED_AT: usize = 4 * LONGEST;

/// An error's words as they are told, whoever made them: redacted, and not at any length. Nor are they looked at at any
/// length: they may quote megabytes of what a caller sent.
#[must_use]
pub fn told(text: &str) -> String {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(end, _)| end);
    let mut text = redacted(&text[..end]);
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Error {
    /// Nothing of that kind and id.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "ids are Copy, and texts are borrowed")]
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// One field that is not valid.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }
}

/// Something that cannot be, was: as its error tells it.
pub(crate) fn internal(err: impl std::fmt::Display) -> Error {
    Error::Internal(err.to_string())
}

/// The same of a call that is being decided: its group is rolled back.
pub(crate) fn half_done(err: impl std::fmt::Display) -> Error {
    Error::HalfDone(err.to_string())
}

impl Error {
    /// One call's share of a failure that met its whole group.
    pub(crate) fn from_group(err: &Arc<StoreError>) -> Self {
        match err.as_ref() {
            StoreError::UnknownCommit(_) => Self::CommitUnknown(Arc::clone(err)),
            StoreError::ReadOnly(why) => Self::HeldBack(why.clone()),
            StoreError::Busy(_) => Self::Busy,
            cause if cause.is_unavailable() || cause.is_retry() || cause.is_locked() => {
                Self::Unavailable(Arc::clone(err))
            }
            StoreError::Corrupt { table: table @ ("run_segments" | "step_keys" | "run_salts"), row, why } => {
                Self::Damaged { table, row: row.clone(), why: why.clone() }
            }
            _ => Self::Store(Arc::clone(err)),
        }
    }
}

/// What the door, engines and rules refuse.
impl From<FieldErrors> for Error {
    fn from(refused: FieldErrors) -> Self {
        let told = |field: rules::fields::FieldError| FieldError::new(field.pointer, field.message);
        Self::Invalid(refused.0.into_iter().map(told).collect())
    }
}

impl From<StoreError> for Error {
    fn from(err: StoreError) -> Self {
        Self::from_group(&Arc::new(err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_fault_and_what_is_of_the_server_is_for_its_log() {
        for fault in [Error::Internal, Error::HalfDone, Error::HeldBack] {
            let told = fault("/srv/secrets is on fire".to_owned()).in_short();
            assert!(!told.contains("fire") && told.contains("log"), "{told}");
        }
        assert_eq!(Error::Busy.in_short(), Error::Busy.to_string());
    }

    #[test]
    fn busy_is_not_down() {
        assert!(matches!(Error::from(StoreError::Busy("all are taken".into())), Error::Busy));
        assert!(matches!(Error::from(StoreError::Unavailable("gone".into())), Error::Unavailable(_)));
    }
}
