//! The words that a column takes are the words that the code writes, so that neither refuses the other's.

use std::collections::BTreeMap;

use models::{account, activity, counters, incidents, jobs, ledger, logs, policies};
use proof::words::{self, Vocabulary};

use crate::rows::tables;

/// Each column with a vocabulary, by its table, and its words in the code.
type Vocabularies = Vec<(&'static str, &'static str, Words)>;
type Words = Vec<&'static str>;

/// All words of a vocabulary.
fn all<V: Vocabulary + PartialEq>() -> Words {
    but::<V>(&[])
}

/// Its words without some, each with the reason.
fn but<V: Vocabulary + PartialEq>(without: &[(V, &str)]) -> Words {
    let takes = |word: &&V| without.iter().all(|(other, _)| other != *word);
    V::ALL.iter().filter(takes).map(|word| word.as_str()).collect()
}

fn of_runs() -> Vocabularies {
    vec![
        ("tenants", "capture_mode", all::<account::CaptureMode>()),
        ("tenants", "failure_mode", all::<account::FailureMode>()),
        ("tenants", "permits", all::<account::Permits>()),
        ("api_keys", "role", all::<account::Role>()),
        ("api_keys", "owner_type", all::<account::OwnerType>()),
        ("runs", "actor_type", all::<words::ActorType>()),
        ("runs", "source", all::<words::RunSource>()),
        ("runs", "replay_mode", all::<words::ReplayMode>()),
        ("runs", "status", all::<words::RunStatus>()),
        ("runs", "state", all::<activity::RunState>()),
        ("runs", "termination_reason", all::<words::TerminationReason>()),
        (
            "runs",
            "halt_action",
            but(&[
                (words::Action::Allow, "ends nothing"),
                (words::Action::Warn, "ends nothing"),
                (words::Action::Block, "refuses the step only"),
            ]),
        ),
        ("runs", "assurance", all::<words::Assurance>()),
        ("runs", "risk_level", all::<activity::RiskLevel>()),
        ("runs", "latency_bucket", all::<activity::LatencyBucket>()),
        ("runs", "evidence_health", all::<activity::EvidenceHealth>()),
        ("runs", "integrity_status", all::<words::IntegrityStatus>()),
        ("interventions", "kind", all::<words::InterventionKind>()),
        ("interventions", "target_type", all::<words::InterventionTarget>()),
        ("interventions", "actor_type", all::<words::ActorType>()),
        ("interventions", "outcome", but(&[(activity::InterventionOutcome::Acked, "an ack says it")])),
        ("freezes", "actor_type", all::<words::ActorType>()),
        ("run_interventions", "kind", but(&[(words::InterventionKind::Unfreeze, "no run meets it")])),
        ("run_interventions", "target_type", all::<words::InterventionTarget>()),
        ("run_interventions", "actor_type", all::<words::ActorType>()),
        ("intervention_acks", "via", all::<activity::AckVia>()),
        ("aos_traces", "status", all::<words::TraceStatus>()),
        ("aos_traces", "replay_mode", all::<words::ReplayMode>()),
        ("evidence_capture_failures", "evidence_class", all::<words::EvidenceClass>()),
        ("evidence_capture_failures", "reason", all::<words::CaptureFailureReason>()),
        ("evidence_capture_failures", "resolution", all::<words::FailureResolution>()),
        ("llm_run_records", "cost_note", all::<words::CostNote>()),
        ("llm_run_records", "execution_status", all::<logs::ExecutionStatus>()),
        ("llm_run_records", "source", all::<words::StepSource>()),
        ("system_records", "event_type", all::<logs::SystemEventType>()),
        ("system_records", "severity", all::<logs::SystemSeverity>()),
        ("audit_ledger", "event_type", all::<words::AuditEventType>()),
        ("audit_ledger", "entity_type", all::<words::AuditEntityType>()),
        ("audit_ledger", "actor_type", all::<words::ActorType>()),
    ]
}

fn of_policies() -> Vocabularies {
    vec![
        (
            "policy_rule_integrity",
            "status",
            but(&[(words::IntegrityStatus::Unknown, "it is computed with the row")]),
        ),
        ("policy_rules", "rule_type", all::<words::RuleType>()),
        ("policy_rules", "enforcement_mode", all::<words::EnforcementMode>()),
        ("policy_rules", "scope", but(&[(words::Scope::Provider, "for limits only")])),
        ("policy_rules", "bind_at", all::<words::BindAt>()),
        ("policy_rules", "source", all::<words::RuleSource>()),
        ("policy_rules", "status", all::<policies::RuleStatus>()),
        (
            "limit_integrity",
            "status",
            but(&[(words::IntegrityStatus::Unknown, "it is computed with the row")]),
        ),
        ("limits", "limit_category", all::<words::LimitCategory>()),
        ("limits", "limit_type", all::<words::LimitType>()),
        ("limits", "scope", all::<words::Scope>()),
        ("limits", "reset_period", all::<words::ResetPeriod>()),
        ("limits", "enforcement", all::<words::LimitEnforcement>()),
        ("limits", "consequence", all::<words::Consequence>()),
        ("limits", "status", all::<words::LimitStatus>()),
        ("limit_breaches", "limit_type", all::<words::LimitType>()),
        ("limit_breaches", "breach_type", all::<words::BreachType>()),
        ("permits", "status", all::<policies::PermitStatus>()),
        ("permits", "kind", all::<words::StepKind>()),
        ("policy_enforcements", "policy_kind", all::<words::PolicyKind>()),
        ("policy_enforcements", "action_taken", all::<words::ActionTaken>()),
        ("prevention_records", "policy_kind", all::<words::PolicyKind>()),
        ("prevention_records", "outcome", all::<words::PreventionOutcome>()),
        ("prevention_records", "asked", all::<words::Asked>()),
        ("prevention_records", "would_have", all::<words::Action>()),
        ("policy_proposals", "proposal_type", all::<policies::ProposalType>()),
        ("policy_proposals", "proposed_by", all::<policies::ProposedBy>()),
        ("policy_proposals", "status", all::<policies::ProposalStatus>()),
    ]
}

fn of_incidents_and_ledger() -> Vocabularies {
    vec![
        ("incidents", "category", all::<words::IncidentCategory>()),
        ("incidents", "severity", all::<words::Severity>()),
        ("incidents", "opened_severity", all::<words::Severity>()),
        ("incidents", "lifecycle_state", all::<incidents::LifecycleState>()),
        ("incidents", "cause_type", all::<words::CauseType>()),
        ("incidents", "resolution_type", all::<incidents::ResolutionType>()),
        ("incident_runs", "relation", all::<words::IncidentRelation>()),
        ("incident_events", "event_type", all::<incidents::IncidentEventType>()),
        ("log_heads", "log", all::<words::LogName>()),
        ("run_log", "leaf_type", all::<ledger::RunLeafType>()),
        ("log_marks", "log", all::<words::LogName>()),
        ("log_marks", "mark_type", all::<ledger::MarkType>()),
        ("tree_nodes", "log", all::<words::LogName>()),
        ("checkpoints", "log", all::<words::LogName>()),
        ("counters", "counted", all::<counters::Counted>()),
        ("jobs", "kind", all::<jobs::JobKind>()),
        ("jobs", "state", all::<jobs::JobState>()),
        ("jobs", "stage", all::<jobs::ProgressStage>()),
        ("job_audit_events", "event_type", all::<jobs::JobAuditEventType>()),
        ("job_audit_events", "state", all::<jobs::JobState>()),
    ]
}

#[test]
fn a_column_takes_the_words_that_the_code_writes() {
    let code = [of_runs(), of_policies(), of_incidents_and_ledger()].into_iter().flatten();
    let code: BTreeMap<_, _> = code.map(|(table, column, words)| ((table, column), words)).collect();
    let tables = tables();
    let mut stored = BTreeMap::new();
    for table in &tables {
        for column in table.columns.iter().filter(|column| !column.words.is_empty()) {
            let words: Vec<&str> = column.words.iter().map(String::as_str).collect();
            stored.insert((table.name.as_str(), column.name.as_str()), words);
        }
    }
    assert_eq!(stored, code);
}
