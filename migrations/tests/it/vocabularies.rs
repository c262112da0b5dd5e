//! The words that a column takes are the words that the code writes, so that neither refuses the other's.

use std::collections::BTreeMap;

use models::{account, activity, incidents, ledger, logs, policies};
use proof::words;

use crate::rows::tables;

/// Each column with a vocabulary, and its words in the code; `but` leaves some out, with the reason.
macro_rules! vocabularies {
    ($($table:ident: { $($column:ident = $word:path $(, but $without:path: $reason:literal)*;)+ })+) => {{
        let mut all = Vocabularies::new();
        $($({
            type Word = $word;
            let without: &[Word] = &[$($without),*];
            let _reasons: &[&str] = &[$($reason),*];
            let words = Word::ALL.iter().filter(|word| !without.contains(word)).map(|word| word.as_str());
            all.insert((stringify!($table), stringify!($column)), words.collect());
        })+)+
        all
    }};
}

type Vocabularies = BTreeMap<(&'static str, &'static str), Vec<&'static str>>;

fn of_runs() -> Vocabularies {
    vocabularies! {
        tenants: { capture_mode = account::CaptureMode; failure_mode = account::FailureMode; permits = account::Permits; }
        api_keys: { role = account::Role; owner_type = account::OwnerType; }
        runs: {
            actor_type = words::ActorType;
            source = words::RunSource;
            replay_mode = words::ReplayMode;
            status = words::RunStatus;
            state = activity::RunState;
            termination_reason = words::TerminationReason;
            halt_action = words::Action, but words::Action::Allow: "ends nothing", but words::Action::Warn: "ends nothing",
                but words::Action::Block: "refuses the step only";
            assurance = words::Assurance;
            risk_level = activity::RiskLevel;
            latency_bucket = activity::LatencyBucket;
            evidence_health = activity::EvidenceHealth;
            integrity_status = words::IntegrityStatus;
        }
        interventions: {
            kind = words::InterventionKind;
            target_type = words::InterventionTarget;
            actor_type = words::ActorType;
            outcome = activity::InterventionOutcome, but activity::InterventionOutcome::Acked: "an ack says it";
        }
        freezes: { actor_type = words::ActorType; }
        run_interventions: {
            kind = words::InterventionKind, but words::InterventionKind::Unfreeze: "no run meets it";
            target_type = words::InterventionTarget;
            actor_type = words::ActorType;
        }
        intervention_acks: { via = activity::AckVia; }
        aos_traces: { status = words::TraceStatus; replay_mode = words::ReplayMode; }
        evidence_capture_failures: {
            evidence_class = words::EvidenceClass;
            reason = words::CaptureFailureReason;
            resolution = words::FailureResolution;
        }
        llm_run_records: { cost_note = words::CostNote; execution_status = logs::ExecutionStatus; source = words::StepSource; }
        system_records: { event_type = logs::SystemEventType; severity = logs::SystemSeverity; }
        audit_ledger: {
            event_type = words::AuditEventType;
            entity_type = words::AuditEntityType;
            actor_type = words::ActorType;
        }
    }
}

fn of_policies() -> Vocabularies {
    vocabularies! {
        policy_rule_integrity: {
            status = words::IntegrityStatus, but words::IntegrityStatus::Unknown: "it is computed with the row";
        }
        policy_rules: {
            rule_type = words::RuleType;
            enforcement_mode = words::EnforcementMode;
            scope = words::Scope, but words::Scope::Provider: "for limits only";
            bind_at = words::BindAt;
            source = words::RuleSource;
            status = policies::RuleStatus;
        }
        limit_integrity: {
            status = words::IntegrityStatus, but words::IntegrityStatus::Unknown: "it is computed with the row";
        }
        limits: {
            limit_category = words::LimitCategory;
            limit_type = words::LimitType;
            scope = words::Scope;
            reset_period = words::ResetPeriod;
            enforcement = words::LimitEnforcement;
            consequence = words::Consequence;
            status = words::LimitStatus;
        }
        limit_breaches: { limit_type = words::LimitType; breach_type = words::BreachType; }
        permits: { status = policies::PermitStatus; kind = words::StepKind; }
        policy_enforcements: { policy_kind = words::PolicyKind; action_taken = words::ActionTaken; }
        prevention_records: { policy_kind = words::PolicyKind; outcome = words::PreventionOutcome; asked = words::Asked; would_have = words::Action; }
        policy_proposals: {
            proposal_type = policies::ProposalType;
            proposed_by = policies::ProposedBy;
            status = policies::ProposalStatus;
        }
    }
}

fn of_incidents_and_ledger() -> Vocabularies {
    vocabularies! {
        incidents: {
            category = words::IncidentCategory;
            severity = words::Severity;
            opened_severity = words::Severity;
            lifecycle_state = incidents::LifecycleState;
            cause_type = words::CauseType;
            resolution_type = incidents::ResolutionType;
        }
        incident_runs: { relation = words::IncidentRelation; }
        incident_events: { event_type = incidents::IncidentEventType; }
        log_heads: { log = words::LogName; }
        run_log: { leaf_type = ledger::RunLeafType; }
        log_marks: { log = words::LogName; mark_type = ledger::MarkType; }
        tree_nodes: { log = words::LogName; }
        checkpoints: { log = words::LogName; }
    }
}

#[test]
fn a_column_takes_the_words_that_the_code_writes() {
    let code: BTreeMap<_, _> =
        [of_runs(), of_policies(), of_incidents_and_ledger()].into_iter().flatten().collect();
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
