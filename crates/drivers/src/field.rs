//! How a value stands in a column, and that it comes back as it went. Values and rows are paired by
//! [`rows`](crate::rows).
//!
//! Records carry ids, hashes and times as text, as they are hashed; columns carry them as uuids, bytes and times, and
//! only a text that comes back the same is let in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entities::Id;
use models::{
    account::{AgentNames, CaptureMode, FailureMode, OwnerType, Permits, Role, ZoneChanges},
    activity::{
        AckVia, EvidenceHealth, InterventionOutcome, InterventionState, Late, LatencyBucket, ReportedEnd,
        RiskLevel, RunState,
    },
    ids::{
        AuditId, BreachId, CheckpointId, DecisionId, EnforcementId, EvidenceId, FailureId, GapId,
        IncidentEventId, IncidentId, InterventionId, JobId, KeyId, LimitId, LlmRunId, LoginLinkId, PermitId,
        PreventionId, ProposalId, RuleId, RunId, SessionId, SnapshotId, SystemRecordId, TenantId, TraceId,
    },
    incidents::{IncidentEventType, LifecycleState, ResolutionType},
    jobs::{JobAuditEventType, JobKind, JobState, ProgressStage},
    ledger::{MarkType, RunLeafType},
    logs::{ExecutionStatus, SystemEventType, SystemSeverity},
    policies::{PermitStatus, ProposalStatus, ProposalType, ProposedBy, Reservation, RuleStatus},
    time,
};
use proof::{
    canonical,
    hash::Hash,
    leaves::{MarkLeaf, RunLeaf},
    merkle::Frontier,
    run_ranges::RunRanges,
    words::{
        Action, ActionTaken, ActorType, Asked, Assurance, AuditEntityType, AuditEventType, BindAt,
        BreachType, CaptureFailureReason, CauseType, Consequence, CostNote, EnforcementMode, EvidenceClass,
        FailureResolution, HaltReason, IncidentCategory, IncidentRelation, IntegrityGrade, IntegrityState,
        IntegrityStatus, InterventionKind, InterventionTarget, LimitCategory, LimitEnforcement, LimitStatus,
        LimitType, LogName, Moment, OutcomeCategory, PermitNote, PolicyKind, PreventionOutcome,
        ReplayBehavior, ReplayMode, ResetPeriod, RuleSource, RuleType, RunSource, RunStatus, Scope, Severity,
        StepKind, StepLevel, StepSource, StepStatus, TerminationReason, TraceStatus, WayIn,
    },
};
use uuid::Uuid;

use crate::keys::Key;

/// A column that keeps a value of type `V`.
pub(crate) trait Field<V>: Sized {
    /// The value as it is stored; or why the store cannot keep it.
    fn put(value: &V) -> Result<Self, String>;
    /// The value as it was; or why the column cannot mean one.
    fn get(self) -> Result<V, String>;
}

/// An error that names the table, the row and the column.
pub(crate) fn corrupt(
    table: &impl sea_orm::EntityName,
    row: String,
    column: &str,
    why: &str,
) -> crate::StoreError {
    crate::StoreError::Corrupt { table: table.table_name(), row, why: format!("{column}: {why}") }
}

/// One value outside of a whole row, such as what a condition compares with.
pub(crate) fn put<C: Field<V>, V>(
    table: &impl sea_orm::EntityName,
    column: &str,
    value: &V,
) -> Result<C, crate::StoreError> {
    C::put(value).map_err(|why| corrupt(table, "a condition".to_owned(), column, &why))
}

/// A type that is stored as it is.
pub(crate) trait Plain: Clone {}

impl Plain for String {}
impl Plain for i64 {}
impl Plain for bool {}
impl Plain for Vec<u8> {}
impl Plain for DateTime<Utc> {}
impl Plain for Uuid {}

impl<V: Plain> Field<V> for V {
    fn put(value: &V) -> Result<Self, String> {
        Ok(value.clone())
    }
    fn get(self) -> Result<V, String> {
        Ok(self)
    }
}

/// Ids: as they are, and as the text that a record carries; and by each rows are looked for.
macro_rules! ids {
    ($($id:ident),+ $(,)?) => {$(
        impl Field<$id> for Id<$id> {
            fn put(value: &$id) -> Result<Self, String> { Ok(Id(*value)) }
            fn get(self) -> Result<$id, String> { Ok(self.0) }
        }

        impl Field<String> for Id<$id> {
            fn put(value: &String) -> Result<Self, String> { value.parse::<$id>().map(Id).map_err(said) }
            fn get(self) -> Result<String, String> { Ok(self.0.to_string()) }
        }

        impl Key for $id {
            type Column = Id<$id>;
            fn stored(self) -> Id<$id> { Id(self) }
            fn of(stored: Id<$id>) -> Self { stored.0 }
        }
    )+};
}

/// Words of a closed vocabulary, stored as they are written.
macro_rules! written {
    ($($word:ident),+ $(,)?) => {$(
        impl Field<$word> for String {
            fn put(value: &$word) -> Result<Self, String> { Ok(value.as_str().to_owned()) }
            fn get(self) -> Result<$word, String> { self.parse().map_err(said) }
        }
    )+};
}

/// Values that are stored as canonical JSON.
macro_rules! documents {
    ($($of:ty),+ $(,)?) => {$(
        impl Field<$of> for String {
            fn put(value: &$of) -> Result<Self, String> {
                let bytes = canonical::try_to_bytes(value).map_err(said)?;
                String::from_utf8(bytes).map_err(said)
            }
            fn get(self) -> Result<$of, String> { serde_json::from_str(&self).map_err(said) }
        }
    )+};
}

ids!(
    AuditId,
    BreachId,
    CheckpointId,
    DecisionId,
    EnforcementId,
    EvidenceId,
    FailureId,
    GapId,
    IncidentEventId,
    IncidentId,
    InterventionId,
    JobId,
    KeyId,
    LimitId,
    LlmRunId,
    LoginLinkId,
    PermitId,
    PreventionId,
    ProposalId,
    RuleId,
    RunId,
    SessionId,
    SnapshotId,
    SystemRecordId,
    TenantId,
    TraceId,
);

written!(
    Asked,
    CostNote,
    PermitNote,
    Permits,
    AckVia,
    Action,
    ActionTaken,
    ActorType,
    Assurance,
    AuditEntityType,
    AuditEventType,
    BindAt,
    BreachType,
    CaptureFailureReason,
    CaptureMode,
    CauseType,
    Consequence,
    EnforcementMode,
    EvidenceClass,
    EvidenceHealth,
    ExecutionStatus,
    FailureMode,
    FailureResolution,
    HaltReason,
    IncidentCategory,
    IncidentRelation,
    IncidentEventType,
    IntegrityGrade,
    IntegrityState,
    IntegrityStatus,
    InterventionKind,
    InterventionOutcome,
    InterventionState,
    InterventionTarget,
    JobAuditEventType,
    JobKind,
    JobState,
    LatencyBucket,
    LifecycleState,
    LimitCategory,
    LimitEnforcement,
    LimitStatus,
    LimitType,
    LogName,
    Moment,
    OutcomeCategory,
    OwnerType,
    PermitStatus,
    PolicyKind,
    PreventionOutcome,
    ProposalStatus,
    ProposalType,
    ProgressStage,
    ProposedBy,
    ReplayBehavior,
    ReplayMode,
    ResetPeriod,
    ResolutionType,
    RiskLevel,
    Role,
    RuleSource,
    RuleStatus,
    RuleType,
    MarkType,
    RunLeafType,
    RunSource,
    RunState,
    RunStatus,
    Scope,
    Severity,
    StepKind,
    StepLevel,
    StepSource,
    StepStatus,
    SystemEventType,
    SystemSeverity,
    TerminationReason,
    TraceStatus,
    WayIn,
);

documents!(BTreeMap<Action, u64>, Vec<String>, Vec<Reservation>, RunLeaf, ReportedEnd, Late, MarkLeaf, ZoneChanges, AgentNames);

impl<V, C: Field<V>> Field<Option<V>> for Option<C> {
    fn put(value: &Option<V>) -> Result<Self, String> {
        value.as_ref().map(C::put).transpose()
    }
    fn get(self) -> Result<Option<V>, String> {
        self.map(C::get).transpose()
    }
}

/// Counts: a canonical record holds none above 2^53, and neither does the store.
impl Field<u64> for i64 {
    fn put(value: &u64) -> Result<Self, String> {
        if *value > canonical::MAX_INTEGER {
            return Err(format!("{value} is beyond 2^53"));
        }
        Self::try_from(*value).map_err(said)
    }
    fn get(self) -> Result<u64, String> {
        u64::try_from(self).map_err(said)
    }
}

impl Field<u32> for i64 {
    fn put(value: &u32) -> Result<Self, String> {
        Ok(Self::from(*value))
    }
    fn get(self) -> Result<u32, String> {
        u32::try_from(self).map_err(said)
    }
}

impl Field<String> for DateTime<Utc> {
    fn put(value: &String) -> Result<Self, String> {
        time::parse(value).map_err(said)
    }
    fn get(self) -> Result<String, String> {
        Ok(time::text(self))
    }
}

impl Field<Hash> for Vec<u8> {
    fn put(value: &Hash) -> Result<Self, String> {
        Ok(value.0.to_vec())
    }
    fn get(self) -> Result<Hash, String> {
        <[u8; 32]>::try_from(self).map(Hash).map_err(|bytes| format!("{} bytes are no hash", bytes.len()))
    }
}

/// A hash as the text that a record carries.
impl Field<String> for Vec<u8> {
    fn put(value: &String) -> Result<Self, String> {
        let hash: Hash = value.parse().map_err(said)?;
        Self::put(&hash)
    }
    fn get(self) -> Result<String, String> {
        let hash: Hash = self.get()?;
        Ok(hash.to_string())
    }
}

impl Field<RunRanges> for Vec<u8> {
    fn put(value: &RunRanges) -> Result<Self, String> {
        Ok(value.to_bytes())
    }
    fn get(self) -> Result<RunRanges, String> {
        RunRanges::from_bytes(&self).map_err(said)
    }
}

impl Field<Frontier> for Vec<u8> {
    fn put(value: &Frontier) -> Result<Self, String> {
        Ok(value.to_bytes())
    }
    fn get(self) -> Result<Frontier, String> {
        Frontier::from_bytes(&self).map_err(said)
    }
}

fn said(why: impl std::fmt::Display) -> String {
    why.to_string()
}
