//! Policies: how behaviour is defined, and what came of it.
#![expect(missing_docs, reason = "the fields are named by spec 2 and 3; the structs say what they are")]

mod drafts;

use chrono::{DateTime, Utc};
use proof::{
    definitions::{LimitDefinition, RuleDefinition},
    hash::Hash,
    words::{
        EnforcementMode, IntegrityStatus, LimitCategory, LimitStatus, RuleSource, RuleType, Scope, StepKind,
    },
};
use serde::{Deserialize, Serialize};

pub use self::drafts::{Amount, LimitChange, LimitDraft, RuleChange, RuleDraft};
use crate::ids::{
    DecisionId, IncidentId, LimitId, PermitId, ProposalId, RuleId, RunId, SnapshotId, TenantId,
};
pub use crate::verdict::Verdict;

proof::words! {
    /// Whether a rule is in force. RETIRED is final.
    RuleStatus { Active = "ACTIVE", Retired = "RETIRED" }

    /// What a proposal would do.
    ProposalType { Create = "CREATE", Modify = "MODIFY", Retire = "RETIRE" }

    /// Where a proposal stands.
    ProposalStatus { Draft = "draft", Approved = "approved", Rejected = "rejected", Expired = "expired" }

    /// Who made a proposal.
    ProposedBy { System = "SYSTEM", Human = "HUMAN" }

    /// Where a permit stands.
    PermitStatus { Granted = "GRANTED", Used = "USED", Lapsed = "LAPSED" }
}

/// A rule: its definition in force, and its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub tenant: TenantId,
    pub definition: RuleDefinition,
    pub status: RuleStatus,
    pub source_proposal_id: Option<ProposalId>,
    pub parent_rule_id: Option<RuleId>,
    pub superseded_by: Option<RuleId>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub retired_at: Option<DateTime<Utc>>,
    pub retired_by: Option<String>,
    pub retirement_reason: Option<String>,
}

/// A limit: its definition in force, and its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub tenant: TenantId,
    pub definition: LimitDefinition,
    pub status: LimitStatus,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The integrity row of one version of a rule or limit: without it, that version cannot be in force.
#[derive(Clone, Debug, PartialEq)]
pub struct DefinitionIntegrity {
    pub status: IntegrityStatus,
    pub score_permille: u64,
    /// The hash of the whole definition.
    pub hash_root: Hash,
    pub computed_at: DateTime<Utc>,
}

/// The rules and limits that a run is bound to. Its digest is its address.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub tenant: TenantId,
    pub id: SnapshotId,
    pub digest: Hash,
    /// The tenant's policy generation when it was made.
    pub generation: u64,
    /// Canonical JSON of `proof::definitions::SnapshotDefinition`.
    pub definition: String,
    pub created_at: DateTime<Utc>,
}

/// What a caller expects an act to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// None where it is not known.
    pub cost_nanousd: Option<u64>,
}

/// What a granted permit holds back of a limit until it is used or lapses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    pub limit_id: LimitId,
    pub scope_key: String,
    pub window_start: String,
    pub amount: u64,
}

/// Leave to act once, given before the act.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    pub tenant: TenantId,
    pub id: PermitId,
    pub run_id: RunId,
    pub status: PermitStatus,
    pub kind: StepKind,
    pub skill_name: String,
    /// Keyed hash of the parameters that it is bound to.
    pub params_hash: Hash,
    /// What else it is bound to, as far as it was said: a permit without a model is no leave for any.
    pub provider: Option<String>,
    pub model: Option<String>,
    /// In order, each once.
    pub labels: Vec<String>,
    pub idempotency_key: Option<String>,
    /// Keyed hash of the request.
    pub request_hash: Hash,
    pub estimate: Estimate,
    pub reservations: Vec<Reservation>,
    pub decision_id: DecisionId,
    pub decision_hash: Hash,
    /// Canonical JSON of `proof::records::RunAfter`: the answer's view of the run.
    pub run_after: String,
    pub granted_at: DateTime<Utc>,
    /// Until when it serves, as it was told.
    pub expires_at: DateTime<Utc>,
    /// From when on what it holds is to be given back: as it expires, or at once where its run has ended.
    pub lapses_at: DateTime<Utc>,
    pub used_by_step: Option<u64>,
}

/// A permit that is granted, and neither used nor lapsed: what of it a limit on its run holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPermit {
    pub id: PermitId,
    pub run_id: RunId,
    pub estimate: Estimate,
    /// Until when it serves: then it holds nothing.
    pub expires_at: DateTime<Utc>,
}

/// The window of a limit in which use is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageKey {
    pub limit_id: LimitId,
    /// The agent, project, provider or run that the window counts for; empty for all.
    pub scope_key: String,
    /// As text; empty where the limit has no window.
    pub window_start: String,
}

/// Use of a limit in one window.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    pub tenant: TenantId,
    pub limit_id: LimitId,
    pub scope_key: String,
    pub window_start: String,
    pub used: u64,
    /// Held by permits that were granted and not yet used.
    pub reserved: u64,
    pub updated_at: DateTime<Utc>,
    /// By when the window is over; none where the limit never resets.
    pub over_by: Option<DateTime<Utc>>,
}

impl Usage {
    /// Of a window that nobody has counted in.
    #[must_use]
    pub fn none(tenant: TenantId, key: UsageKey, over_by: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let UsageKey { limit_id, scope_key, window_start } = key;
        Self { tenant, limit_id, scope_key, window_start, used: 0, reserved: 0, updated_at: now, over_by }
    }

    /// Its window.
    #[must_use]
    pub fn key(&self) -> UsageKey {
        UsageKey {
            limit_id: self.limit_id,
            scope_key: self.scope_key.clone(),
            window_start: self.window_start.clone(),
        }
    }
}

/// A change that is proposed. Nothing activates itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub tenant: TenantId,
    pub id: ProposalId,
    pub name: String,
    pub proposal_type: ProposalType,
    pub target_rule_id: Option<RuleId>,
    /// Canonical JSON of the rule as it would be; none to retire one.
    pub proposed_rule: Option<String>,
    pub rationale: String,
    pub proposed_by: ProposedBy,
    pub triggering_run_id: Option<RunId>,
    pub triggering_incident_id: Option<IncidentId>,
    pub confidence_permille: Option<u64>,
    pub status: ProposalStatus,
    pub expires_at: Option<DateTime<Utc>>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub reviewed_by: Option<String>,
    pub review_notes: Option<String>,
    pub is_synthetic: bool,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

/// The filters of the list of rules; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleFilter {
    pub status: Option<RuleStatus>,
    pub enforcement_mode: Option<EnforcementMode>,
    pub rule_type: Option<RuleType>,
    pub scope: Option<Scope>,
    pub source: Option<RuleSource>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

/// The filters of the list of limits; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitFilter {
    pub status: Option<LimitStatus>,
    pub limit_category: Option<LimitCategory>,
    pub scope: Option<Scope>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

/// The filters of the list of proposals; what is not set does not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProposalFilter {
    pub status: Option<ProposalStatus>,
    pub proposal_type: Option<ProposalType>,
    pub created_after: Option<DateTime<Utc>>,
    pub created_before: Option<DateTime<Utc>>,
}

/// How often a policy fired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnforcementStats {
    /// A rule's or a limit's id.
    pub policy_id: String,
    pub trigger_count_30d: u64,
    /// Ever, not only in 30 days.
    pub last_triggered_at: Option<DateTime<Utc>>,
}

/// How often a limit was breached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreachStats {
    pub breach_count_30d: u64,
    /// Ever, not only in 30 days.
    pub last_breached_at: Option<DateTime<Utc>>,
}

/// One limit, window and run: what makes two breaches one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BreachKey {
    pub limit_id: LimitId,
    pub window_start: String,
    pub run_id: RunId,
}
