//! Values with everything set to what a store could get wrong: the largest counts, microseconds, every alphabet, empty
//! texts. A test changes what it speaks about.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Duration, Utc};
use drivers::{ConnectConfig, Db};
use models::{
    account::{ApiKey, CaptureMode, FailureMode, OwnerType, Role, Tenant},
    activity::{EvidenceHealth, LatencyBucket, RiskLevel, Run, RunState},
    ids::{KeyId, RunId, SnapshotId, TenantId, TraceId},
    incidents::{Incident, IncidentRun, LifecycleState},
    logs::Trace,
    policies::Snapshot,
    verdict::Verdict,
};
use proof::{
    hash::{Hash, sha256},
    records::{DecisionRecord, StepRecord},
    run_ranges::RunRanges,
    tagged::Hashed,
    words::{
        Action, ActorType, Asked, Assurance, CauseType, HaltReason, IncidentCategory, IncidentRelation,
        IntegrityStatus, Moment, OutcomeCategory, PermitNote, ReplayBehavior, ReplayMode, RunSource,
        RunStatus, Severity, StepKind, StepLevel, StepSource, StepStatus, TraceStatus,
    },
};
use testkit::TestDatabase;
use uuid::Uuid;

/// The largest count that a canonical record holds.
pub(crate) const MOST: u64 = 1 << 53;

/// Every sort of character that a text column must give back as it got it.
pub(crate) const ODD: &str = "Zażółć 🦀 漢字 \u{1}\u{7f}\u{202e} ' \" \\ $1 ? % _ \n\t";

pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e0));
pub(crate) const OTHER: TenantId = TenantId(Uuid::from_u128(0x7e1));

/// A store with two tenants, each with a snapshot.
pub(crate) async fn store(database: &TestDatabase) -> Db {
    let db = open(database).await;
    let tx = db.begin().await.expect("a unit of work");
    for tenant in [TENANT, OTHER] {
        tx.account().insert_tenant(&self::tenant(tenant)).await.expect("a tenant");
        tx.policies().insert_snapshot(&snapshot(tenant)).await.expect("a snapshot");
    }
    tx.commit().await.expect("the commit");
    db
}

pub(crate) async fn open(database: &TestDatabase) -> Db {
    let config = ConnectConfig { test: true, ..ConnectConfig::new(database.url()) };
    Db::connect(&config).await.expect("a store")
}

pub(crate) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | n)
}

/// `n` seconds and one microsecond after the start of the day.
pub(crate) fn at(n: i64) -> DateTime<Utc> {
    let day: DateTime<Utc> = "2026-11-21T00:00:00.000001Z".parse().expect("a time");
    day + Duration::seconds(n)
}

pub(crate) fn time(n: i64) -> String {
    models::time::text(at(n))
}

pub(crate) fn hash(n: u64) -> Hash {
    sha256(&n.to_be_bytes())
}

pub(crate) fn hex(n: u64) -> String {
    hash(n).to_string()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn tenant(id: TenantId) -> Tenant {
    Tenant {
        id,
        slug: id.to_string(),
        name: ODD.to_owned(),
        capture_mode: CaptureMode::Metadata,
        permits: models::account::Permits::Required,
        failure_mode: FailureMode::Degrade,
        time_zone: "Europe/Warsaw".to_owned(),
        block_unknown_cost: true,
        policy_generation: 0,
        settings_version: 7,
        zone_changes: models::account::ZoneChanges::default(),
        wrapped_key: vec![0, 255, 0],
        key_id: String::new(),
        created_at: at(0),
    }
}

pub(crate) fn key(tenant: TenantId, n: u128) -> ApiKey {
    ApiKey {
        tenant,
        id: KeyId(uuid(n)),
        prefix: "hoc_".to_owned(),
        secret_hash: hash(1),
        role: Role::Agent,
        owner: ODD.to_owned(),
        owner_type: OwnerType::Service,
        scopes: vec![],
        agents: None,
        expires_at: Some(at(9)),
        revoked_at: None,
        last_used_at: None,
        created_at: at(0),
    }
}

pub(crate) fn snapshot(tenant: TenantId) -> Snapshot {
    Snapshot {
        tenant,
        id: SnapshotId(uuid(tenant.0.as_u128())),
        digest: hash(2),
        generation: MOST,
        definition: ODD.to_owned(),
        created_at: at(0),
    }
}

pub(crate) fn run(tenant: TenantId, n: u128) -> Run {
    Run {
        tenant,
        id: RunId(uuid(n)),
        trace_id: TraceId(uuid(n)),
        agent_id: ODD.to_owned(),
        project_id: some(""),
        actor_type: ActorType::Human,
        actor_id: some(ODD),
        goal: some(ODD),
        source: RunSource::Sdk,
        provider_type: some("openai"),
        parent_run_id: Some(RunId(uuid(0))),
        attempt: MOST,
        replay_of: Some(RunId(uuid(1))),
        replay_mode: Some(ReplayMode::Full),
        status: RunStatus::Running,
        state: RunState::Live,
        termination_reason: None,
        halt_action: None,
        error_message: None,
        started_at: at(i64::try_from(n).unwrap_or(0)),
        last_seen_at: at(1),
        completed_at: None,
        duration_ms: None,
        expected_latency_ms: Some(0),
        seal_due_at: None,
        snapshot_id: snapshot(tenant).id,
        snapshot_digest: hash(2),
        assurance: Assurance::Enforced,
        step_count: MOST,
        refused_count: MOST,
        unasked_count: MOST,
        llm_call_count: MOST,
        tool_call_count: MOST,
        input_tokens: MOST,
        output_tokens: MOST,
        cost_nanousd: MOST,
        correlation_id: String::new(),
        external_trace_id: None,
        idempotency_key: Some(format!("{ODD}{n}")),
        request_hash: Some(hash(3)),
        metadata: some(r#"{"b":1,"a":9007199254740993}"#),
        labels: vec![String::new(), ODD.to_owned()],
        is_synthetic: false,
        synthetic_scenario_id: some(ODD),
        risk_level: RiskLevel::Normal,
        latency_bucket: LatencyBucket::Ok,
        evidence_health: EvidenceHealth::Flowing,
        integrity_status: IntegrityStatus::Unknown,
        incident_count: 0,
        policy_violation: false,
        cost_known: true,
        policy_draft_count: 0,
        conversation_id: some(""),
        session_id: some(""),
        user_id: some(""),
        key_id: KeyId(uuid(5)),
        created_at: at(0),
        reported_end: None,
        late: None,
    }
}

/// The agent of the first runs.
pub(crate) fn agents() -> HashMap<RunId, String> {
    (0..10).map(|n| (RunId(uuid(n)), ODD.to_owned())).collect()
}

pub(crate) fn trace(tenant: TenantId, n: u128) -> Trace {
    let mut ranges = RunRanges::default();
    ranges.push_hash(proof::records::RecordKind::Step, hash(4));
    Trace {
        tenant,
        id: TraceId(uuid(n)),
        run_id: RunId(uuid(n)),
        attempt: MOST,
        addendum_of: None,
        agent_id: some(ODD),
        correlation_id: ODD.to_owned(),
        status: TraceStatus::Running,
        abort_reason: some(""),
        schema_version: "1".to_owned(),
        metadata: some(ODD),
        root_hash: None,
        chain_head: hash(5),
        ranges,
        step_count: MOST,
        refused_count: MOST,
        cost_known: true,
        tally: BTreeMap::from([(Action::Allow, MOST), (Action::Kill, 1)]),
        tools_used: vec![String::new(), ODD.to_owned()],
        tools_cut: false,
        last_tool: some(ODD),
        failure_count: MOST,
        expected_activity: MOST,
        expected_provider: MOST,
        last_recorded_at: Some(at(3)),
        replay_mode: Some(ReplayMode::TraceOnly),
        started_at: at(0),
        completed_at: None,
        archived_at: None,
        sealed_leaf_index: None,
        opened_leaf_index: MOST,
    }
}

pub(crate) fn decision(tenant: TenantId, run: u128, n: u64) -> DecisionRecord {
    DecisionRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        decision_id: models::ids::DecisionId(uuid(run << 32 | u128::from(n))).to_string(),
        seq: n,
        moment: Moment::StepBoth,
        step_index: Some(n),
        permit_id: Some(models::ids::PermitId(uuid(6)).to_string()),
        snapshot_digest: hex(2),
        engine_version: ODD.to_owned(),
        schema_version: String::new(),
        facts: ODD.to_owned(),
        limit_inputs: "[]".to_owned(),
        fired: "[]".to_owned(),
        limits: "[]".to_owned(),
        action: Action::Block,
        would_have: Some(Action::Abort),
        halt_reason: Some(HaltReason::EvaluationError),
        deciding_policy_id: some(ODD),
        overridden_by: some(""),
        permit_note: Some(PermitNote::Lapsed),
        permit_required: true,
        intervention: some(ODD),
        decided_at: time(4),
    }
}

pub(crate) fn verdict(tenant: TenantId, run: u128, n: u64) -> Verdict {
    Verdict::conclude(Arc::new(Hashed::new(decision(tenant, run, n))))
}

/// How a record of a sample names this text.
pub(crate) fn said(text: &str) -> proof::contents::Content {
    salt().name(text)
}

/// What the texts of samples are hashed with.
pub(crate) fn salt() -> proof::contents::Salt {
    proof::contents::Salt::new([9; 32])
}

pub(crate) fn step(tenant: TenantId, run: u128, n: u64) -> StepRecord {
    StepRecord {
        cache_write_tokens: MOST,
        cost_note: Some(proof::words::CostNote::ReportedZero),
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        trace_id: TraceId(uuid(run)).to_string(),
        step_index: n,
        parent_step_index: Some(MOST),
        kind: StepKind::LlmCall,
        skill_name: ODD.to_owned(),
        params: Some(said("")),
        status: StepStatus::Refused,
        asked: Asked::After,
        reported_status: Some(StepStatus::Skipped),
        outcome_category: OutcomeCategory::Refused,
        outcome_code: some(ODD),
        outcome_data: Some(said(r#"{"b":18446744073709551615}"#)),
        prompt: Some(said(ODD)),
        response: Some(said("")),
        finish_reason: some("stop"),
        provider: some("openai"),
        model: some("gpt"),
        model_requested: some(ODD),
        input_tokens: MOST,
        output_tokens: MOST,
        cache_read_tokens: MOST,
        reasoning_tokens: MOST,
        cost_nanousd: MOST,
        cost_known: false,
        duration_ms: MOST,
        retry_count: MOST,
        started_at: Some(time(5)),
        recorded_at: time(6),
        level: StepLevel::Warn,
        source: StepSource::External,
        reported_by: Some(models::ids::KeyId(uuid(5)).to_string()),
        external_span_id: some("ab"),
        external_parent_span_id: some("cd"),
        idempotency_key: Some(format!("{ODD}{n}")),
        request_hash: Some(hex(7)),
        replay_behavior: Some(ReplayBehavior::Check),
        input_hash: hex(8),
        output_hash: hex(9),
        params_hash: Some(hex(17)),
        outcome_hash: Some(hex(18)),
        permit_id: Some(models::ids::PermitId(uuid(6)).to_string()),
        permit_note: Some(PermitNote::Unknown),
        decision_id: Some(decision(tenant, run, n).decision_id),
        pre_decision_hash: Some(hex(10)),
        post_decision_hash: Some(hex(11)),
        activity_hash: Some(hex(12)),
        provider_hash: Some(hex(13)),
        run_after: "{}".to_owned(),
        determinism_hash: hex(14),
        prev_hash: hex(15),
    }
}

pub(crate) fn incident(tenant: TenantId, n: u128, run: Option<u128>) -> Incident {
    Incident {
        tenant,
        id: models::ids::IncidentId(uuid(n)),
        title: ODD.to_owned(),
        category: IncidentCategory::PolicyViolation,
        severity: Severity::High,
        opened_severity: Severity::Medium,
        lifecycle_state: LifecycleState::Active,
        cause_type: CauseType::LlmRun,
        cause_key: format!("{ODD}{n}"),
        source_run_id: run.map(|run| RunId(uuid(run))),
        source_step_index: Some(MOST),
        policy_id: some(ODD),
        limit_id: Some(models::ids::LimitId(uuid(1))),
        description: String::new(),
        error_code: some(""),
        cost_impact_nanousd: MOST,
        affected_count: MOST,
        occurrences: MOST,
        last_seen_at: at(7),
        agents: vec![String::new(), ODD.to_owned()],
        more_agents: true,
        recurrence_count: MOST,
        recurrence_signature: ODD.to_owned(),
        similar_incident_group_id: some(ODD),
        correlation_id: ODD.to_owned(),
        is_synthetic: true,
        synthetic_scenario_id: some(ODD),
        acknowledged_at: None,
        acknowledged_by: None,
        resolved_at: None,
        resolved_by: None,
        resolution_type: None,
        resolution_notes: None,
        escalated_at: Some(at(8)),
        created_at: at(i64::try_from(n).unwrap_or(0)),
        updated_at: at(9),
    }
}

/// What the run did of the incident.
pub(crate) fn incident_run(tenant: TenantId, of: u128, run: u128) -> IncidentRun {
    IncidentRun {
        tenant,
        incident_id: models::ids::IncidentId(uuid(of)),
        run_id: RunId(uuid(run)),
        relation: IncidentRelation::Affected,
        seq: Some(u64::try_from(of).unwrap_or(0)),
        note: some(ODD),
        first_step_index: Some(MOST),
        cost_impact_nanousd: MOST,
        later_impact_nanousd: 7,
        occurrences: MOST,
        first_at: at(i64::try_from(run).unwrap_or(0)),
        last_at: at(9),
    }
}
