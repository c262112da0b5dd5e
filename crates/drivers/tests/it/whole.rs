//! One row of everything, for tests that go over all drivers.

use drivers::{
    Db, Tx,
    bundles::{RunRows, TableRows},
    logs::{DecidedStep, Named, NewSegment, RunReading, RunRecords, TraceReads},
};
use models::{
    activity::Run,
    ids::{
        AuditId, BreachId, CheckpointId, DecisionId, EnforcementId, EvidenceId, FailureId, GapId,
        IncidentEventId, InterventionId, LimitId, LlmRunId, PermitId, PreventionId, ProposalId, RuleId,
        RunId, SystemRecordId, TenantId, TraceId,
    },
    incidents::{IncidentEvent, IncidentEventType, RunIncident},
    ledger::{Checkpoint, RunLogEntry},
    logs::{
        AuditEntry, ExecutionStatus, LlmRunRecord, StepRow, SystemEventType, SystemRecord, SystemSeverity,
    },
    policies::{
        DefinitionIntegrity, Estimate, Limit, Permit, PermitStatus, Proposal, ProposalStatus, ProposalType,
        ProposedBy, Reservation, Rule, RuleStatus, UsageKey,
    },
};
use proof::{
    definitions::{LimitDefinition, RuleDefinition},
    leaves::{AuditLeaf, AuditRecord, OpenedLeaf, RunLeaf},
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, EnforcementRecord, EnvironmentRecord, GapRecord,
        IntegrityRecord, InterventionRecord, PreventionRecord, ProviderRecord, Record, StepRecord,
    },
    segment::{Line, MissingSegment},
    tagged::Hashed,
    words::{
        Action, ActionTaken, ActorType, Asked, AuditEntityType, AuditEventType, BindAt, BreachType,
        CaptureFailureReason, Consequence, EnforcementMode, EvidenceClass, FailureResolution, IntegrityGrade,
        IntegrityState, IntegrityStatus, InterventionKind, InterventionTarget, LimitCategory,
        LimitEnforcement, LimitStatus, LimitType, LogName, PolicyKind, PreventionOutcome, ResetPeriod,
        RuleSource, RuleType, Scope, StepKind, StepSource, WayIn,
    },
};

use crate::sample::{
    MOST, ODD, TENANT, at, hash, hex, incident, incident_run, run, snapshot, step, time, trace, uuid, verdict,
};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn id_of(run: u128, n: u64) -> uuid::Uuid {
    uuid(run << 32 | u128::from(n))
}

pub(crate) fn environment(tenant: TenantId, run: u128) -> EnvironmentRecord {
    EnvironmentRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        evidence_id: EvidenceId(id_of(run, 1)).to_string(),
        sdk_name: some(""),
        sdk_version: None,
        environment: some(ODD),
        telemetry: None,
        details: some(r#"{"z":1}"#),
        way_in: WayIn::OtlpJson,
        user_agent: some(ODD),
        hoc_version: "1.2.3".to_owned(),
        captured_at: time(1),
    }
}

pub(crate) fn activity(tenant: TenantId, run: u128, n: u64) -> ActivityRecord {
    ActivityRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        evidence_id: EvidenceId(id_of(run, 100 + n)).to_string(),
        seq: n,
        step_index: MOST,
        prompt_hash: Some(hex(1)),
        response_hash: None,
        prompt_length: MOST,
        response_length: 0,
        model: some(ODD),
        sensitivity: String::new(),
        redacted_count: MOST,
        redaction_version: 1,
        commitment: ODD.to_owned(),
        commitment_key_id: String::new(),
        captured_at: time(2),
    }
}

pub(crate) fn provider(tenant: TenantId, run: u128, n: u64) -> ProviderRecord {
    ProviderRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        evidence_id: EvidenceId(id_of(run, 200 + n)).to_string(),
        seq: n,
        step_index: 0,
        provider: some(ODD),
        model: None,
        request_id: some(""),
        input_tokens: MOST,
        output_tokens: MOST,
        cache_read_tokens: MOST,
        cache_write_tokens: MOST,
        reasoning_tokens: MOST,
        latency_ms: MOST,
        finish_reason: some("stop"),
        http_status: Some(200),
        error: some(ODD),
        captured_at: time(3),
    }
}

pub(crate) fn integrity(tenant: TenantId, run: u128) -> IntegrityRecord {
    IntegrityRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        evidence_id: EvidenceId(id_of(run, 300)).to_string(),
        expected: "{}".to_owned(),
        observed: ODD.to_owned(),
        missing: String::new(),
        missing_reasons: "{}".to_owned(),
        capture_failures: MOST,
        score_permille: 1_000,
        state: IntegrityState::Sealed,
        grade: IntegrityGrade::Warn,
        integrity_status: IntegrityStatus::Degraded,
        explanation: ODD.to_owned(),
        computed_at: time(4),
    }
}

pub(crate) fn gap(tenant: TenantId, run: u128, n: u64) -> GapRecord {
    GapRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        gap_id: GapId(id_of(run, 450 + n)).to_string(),
        seq: n,
        decision_id: DecisionId(id_of(run, 500)).to_string(),
        step_index: Some(MOST),
        permit_id: None,
        answered_at: time(5),
        recorded_at: time(6),
    }
}

pub(crate) fn failure(
    tenant: TenantId,
    run: u128,
    n: u64,
    resolution: FailureResolution,
) -> CaptureFailureRecord {
    CaptureFailureRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        failure_id: FailureId(id_of(run, 400 + n)).to_string(),
        seq: n,
        step_index: Some(MOST),
        evidence_class: EvidenceClass::Provider,
        reason: CaptureFailureReason::NetworkPartition,
        resolution,
        error_message: ODD.to_owned(),
        failed_at: time(5),
    }
}

pub(crate) fn enforcement(tenant: TenantId, run: u128, n: u64) -> EnforcementRecord {
    EnforcementRecord {
        tenant_id: tenant.to_string(),
        run_id: Some(RunId(uuid(run)).to_string()),
        enforcement_id: EnforcementId(id_of(run, n)).to_string(),
        seq: Some(n),
        policy_id: ODD.to_owned(),
        policy_kind: PolicyKind::Rule,
        rule_id: Some(RuleId(uuid(1)).to_string()),
        incident_id: Some(incident(tenant, run, Some(run)).id.to_string()),
        step_index: Some(MOST),
        action_taken: ActionTaken::Audited,
        details: "{}".to_owned(),
        triggered_at: time(i64::try_from(n).unwrap_or(0)),
    }
}

pub(crate) fn prevention(tenant: TenantId, run: u128, n: u64) -> PreventionRecord {
    PreventionRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        prevention_id: PreventionId(id_of(run, n)).to_string(),
        seq: Some(n),
        policy_id: some(ODD),
        policy_kind: Some(PolicyKind::Limit),
        policy_name: some(""),
        pattern_id: some(ODD),
        step_index: Some(0),
        outcome: PreventionOutcome::LimitBreached,
        asked: Some(Asked::After),
        would_have: Some(Action::Kill),
        refused_after: true,
        confidence_permille: 1_000,
        original_incident_id: Some(incident(tenant, 1, None).id.to_string()),
        blocked_incident_id: Some(incident(tenant, 2, None).id.to_string()),
        is_simulated: true,
        is_synthetic: false,
        evaluated_at: time(6),
    }
}

pub(crate) fn breach(tenant: TenantId, run: u128, n: u64) -> BreachRecord {
    BreachRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        breach_id: BreachId(id_of(run, n)).to_string(),
        seq: n,
        limit_id: LimitId(uuid(1)).to_string(),
        limit_name: ODD.to_owned(),
        limit_type: LimitType::CostUsd,
        breach_type: BreachType::Exhausted,
        window_start: if n == 0 { String::new() } else { time(i64::try_from(n).unwrap_or(0)) },
        step_index: None,
        breached_value: MOST,
        threshold_value: 0,
        breached_at: time(i64::try_from(n).unwrap_or(0)),
    }
}

pub(crate) fn intervention(tenant: TenantId, run: u128, n: u64) -> InterventionRecord {
    InterventionRecord {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        intervention_id: InterventionId(id_of(run, n)).to_string(),
        seq: n,
        kind: InterventionKind::Freeze,
        target_type: InterventionTarget::Agent,
        target_id: Some(ODD.to_owned()),
        actor_type: ActorType::Human,
        actor_id: None,
        reason: Some(ODD.to_owned()),
        requested_at: time(7),
        decision_hash: hex(7),
        effective_at: time(8),
    }
}

pub(crate) fn permit(tenant: TenantId, run: u128, n: u64) -> Permit {
    Permit {
        tenant,
        id: PermitId(id_of(run, n)),
        run_id: RunId(uuid(run)),
        status: PermitStatus::Granted,
        kind: StepKind::ToolCall,
        skill_name: ODD.to_owned(),
        params_hash: hash(1),
        provider: Some(ODD.to_owned()),
        model: None,
        labels: vec![String::new(), ODD.to_owned()],
        idempotency_key: Some(format!("{ODD}{n}")),
        request_hash: hash(2),
        estimate: Estimate { input_tokens: MOST, output_tokens: 0, cost_nanousd: None },
        reservations: vec![Reservation {
            limit_id: LimitId(uuid(1)),
            scope_key: ODD.to_owned(),
            window_start: String::new(),
            amount: MOST,
        }],
        decision_id: models::ids::DecisionId(uuid(run << 32)),
        decision_hash: hash(3),
        run_after: "{}".to_owned(),
        granted_at: at(1),
        expires_at: at(10 + i64::try_from(n).unwrap_or(0)),
        lapses_at: at(10 + i64::try_from(n).unwrap_or(0)),
        used_by_step: None,
    }
}

pub(crate) fn rule(tenant: TenantId, n: u128) -> Rule {
    Rule {
        tenant,
        definition: RuleDefinition {
            rule_id: RuleId(uuid(n)).to_string(),
            version: 1,
            name: format!("{ODD}{n}"),
            description: String::new(),
            rule_type: RuleType::Temporal,
            enforcement_mode: EnforcementMode::DryRun,
            scope: Scope::Agent,
            scope_id: some(ODD),
            bind_at: BindAt::StepPre,
            precedence: -(1 << 53),
            condition: ODD.to_owned(),
            source: RuleSource::Learned,
            source_incident_id: Some(incident(tenant, n, None).id.to_string()),
        },
        status: RuleStatus::Active,
        source_proposal_id: Some(ProposalId(uuid(n))),
        parent_rule_id: Some(RuleId(uuid(9))),
        superseded_by: None,
        created_by: ODD.to_owned(),
        created_at: at(i64::try_from(n).unwrap_or(0)),
        updated_at: at(2),
        retired_at: None,
        retired_by: None,
        retirement_reason: None,
    }
}

pub(crate) fn limit(tenant: TenantId, n: u128) -> Limit {
    Limit {
        tenant,
        definition: LimitDefinition {
            limit_id: LimitId(uuid(n)).to_string(),
            version: 1,
            name: format!("{ODD}{n}"),
            limit_category: LimitCategory::Budget,
            limit_type: LimitType::TokensTotal,
            scope: Scope::Provider,
            scope_id: None,
            max_value: MOST,
            reset_period: Some(ResetPeriod::Weekly),
            window_seconds: None,
            measurement_window_seconds: Some(0),
            degrade_to: None,
            enforcement: LimitEnforcement::Degrade,
            consequence: Consequence::Abort,
        },
        status: LimitStatus::Active,
        created_by: String::new(),
        created_at: at(i64::try_from(n).unwrap_or(0)),
        updated_at: at(3),
    }
}

pub(crate) fn definition_integrity(n: u64) -> DefinitionIntegrity {
    DefinitionIntegrity {
        status: IntegrityStatus::Verified,
        score_permille: 1_000,
        hash_root: hash(n),
        computed_at: at(1),
    }
}

pub(crate) fn proposal(tenant: TenantId, n: u128) -> Proposal {
    Proposal {
        tenant,
        id: ProposalId(uuid(n)),
        name: ODD.to_owned(),
        proposal_type: ProposalType::Modify,
        target_rule_id: Some(RuleId(uuid(1))),
        proposed_rule: some("{}"),
        rationale: String::new(),
        proposed_by: ProposedBy::System,
        triggering_run_id: Some(RunId(uuid(1))),
        triggering_incident_id: None,
        confidence_permille: Some(900),
        status: ProposalStatus::Draft,
        expires_at: Some(at(9)),
        reviewed_at: None,
        reviewed_by: None,
        review_notes: None,
        is_synthetic: true,
        created_by: ODD.to_owned(),
        created_at: at(i64::try_from(n).unwrap_or(0)),
    }
}

pub(crate) fn usage_key(n: u128) -> UsageKey {
    UsageKey { limit_id: LimitId(uuid(n)), scope_key: ODD.to_owned(), window_start: String::new() }
}

pub(crate) fn event(tenant: TenantId, n: u128, of: u128) -> IncidentEvent {
    IncidentEvent {
        tenant,
        id: IncidentEventId(uuid(n)),
        incident_id: models::ids::IncidentId(uuid(of)),
        event_type: IncidentEventType::SeverityEscalated,
        actor: some(ODD),
        details: None,
        at: at(i64::try_from(n).unwrap_or(0)),
    }
}

pub(crate) fn llm_run(tenant: TenantId, run: u128, n: u64) -> LlmRunRecord {
    LlmRunRecord {
        tenant,
        id: LlmRunId(id_of(run, n)),
        run_id: RunId(uuid(run)),
        trace_id: TraceId(uuid(run)),
        step_index: n,
        provider: some(""),
        model: None,
        prompt_hash: Some(hash(1)),
        response_hash: None,
        input_tokens: MOST,
        output_tokens: MOST,
        cache_read_tokens: MOST,
        cache_write_tokens: MOST,
        reasoning_tokens: MOST,
        cost_nanousd: MOST,
        cost_known: true,
        cost_note: Some(proof::words::CostNote::ReportedZero),
        price_book: Some("a book".to_owned()),
        execution_status: ExecutionStatus::Timeout,
        started_at: at(1),
        completed_at: Some(at(2)),
        source: StepSource::Replay,
        is_synthetic: false,
        synthetic_scenario_id: some(ODD),
        created_at: at(3),
    }
}

pub(crate) fn system_record(tenant: TenantId, n: u128) -> SystemRecord {
    SystemRecord {
        tenant,
        id: SystemRecordId(uuid(n)),
        component: ODD.to_owned(),
        event_type: SystemEventType::HealthCheck,
        severity: SystemSeverity::Critical,
        summary: String::new(),
        details: some("{}"),
        caused_by: None,
        correlation_id: some(ODD),
        created_at: at(i64::try_from(n).unwrap_or(0)),
    }
}

pub(crate) fn audit(tenant: TenantId, index: u64, run: Option<u128>) -> AuditEntry {
    let record = AuditRecord {
        tenant_id: tenant.to_string(),
        run_id: run.map(|run| RunId(uuid(run)).to_string()),
        id: AuditId(uuid(u128::from(index))).to_string(),
        event_type: AuditEventType::LimitBreached,
        entity_type: AuditEntityType::Limit,
        entity_id: ODD.to_owned(),
        actor_type: ActorType::System,
        actor_id: some(""),
        action_reason: some(ODD),
        before_state: None,
        after_state: some(r#"{"a":1}"#),
        run_seq: run.map(|_| index + 1),
        correlation_id: String::new(),
        created_at: time(i64::try_from(index).unwrap_or(0)),
    };
    let leaf_hash = AuditLeaf::Entry(record.clone()).hash();
    AuditEntry { record, leaf_index: index, leaf_hash }
}

pub(crate) fn opened(tenant: TenantId, index: u64, run: u128) -> RunLogEntry {
    let leaf = RunLeaf::Opened(OpenedLeaf {
        tenant_id: tenant.to_string(),
        run_id: RunId(uuid(run)).to_string(),
        started_at: time(0),
        snapshot_digest: hex(2),
        environment_hash: hex(3),
    });
    let (leaf_hash, run_id) = (leaf.hash(), RunId(uuid(run)));
    RunLogEntry { tenant, leaf_index: index, leaf_hash, run_id, leaf, created_at: at(1) }
}

pub(crate) fn checkpoint(tenant: TenantId, n: u64) -> Checkpoint {
    Checkpoint {
        tenant,
        id: CheckpointId(uuid(u128::from(n))),
        log: LogName::Runs,
        epoch: 0,
        tree_size: n,
        root_hash: hash(n),
        note: ODD.to_owned(),
        key_id: "k".to_owned(),
        created_at: at(i64::try_from(n).unwrap_or(0)),
    }
}

/// A run of `tenant` with one or two rows of everything; stored, and as its bundle and its proof must find it: with
/// what its segments hold.
pub(crate) async fn store_run(db: &Db, tenant: TenantId, n: u128) -> (RunRows, RunRecords) {
    let verdicts = [verdict(tenant, n, 0), verdict(tenant, n, 1)];
    let steps = [step(tenant, n, 0), step(tenant, n, 1)];
    let stored = |record: &StepRecord| StepRow::new(record.clone(), Record::Step(record.clone()).hash());
    let tables = TableRows {
        capture_failures: vec![failure(tenant, n, 0, FailureResolution::Permanent)],
        enforcements: vec![
            enforcement(tenant, n, 1),
            EnforcementRecord { seq: None, ..enforcement(tenant, n, 0) },
        ],
        preventions: vec![
            prevention(tenant, n, 1),
            PreventionRecord { seq: None, ..prevention(tenant, n, 0) },
        ],
        breaches: vec![breach(tenant, n, 0), breach(tenant, n, 1)],
        interventions: vec![intervention(tenant, n, 0), intervention(tenant, n, 1)],
        incidents: vec![RunIncident {
            incident: incident(tenant, n, Some(n)),
            of: incident_run(tenant, n, n),
        }],
    };
    let records = RunRecords {
        steps: steps.iter().map(stored).collect(),
        environment: Some(environment(tenant, n)),
        activities: vec![activity(tenant, n, 0), activity(tenant, n, 1)],
        providers: vec![provider(tenant, n, 0), provider(tenant, n, 1)],
        integrity: Some(integrity(tenant, n)),
        gaps: vec![gap(tenant, n, 0), gap(tenant, n, 1)],
        decisions: verdicts.iter().map(|verdict| verdict.record().clone()).collect(),
    };
    let rows = RunRows {
        run: Run { incident_count: 1, ..run(tenant, n) },
        trace: Some(trace(tenant, n)),
        snapshot: Some(snapshot(tenant)),
        tables,
        leaves: vec![opened(tenant, u64::try_from(n).unwrap_or(0), n)],
        audit: vec![audit(tenant, u64::try_from(n).unwrap_or(0), Some(n))],
    };
    let tx = db.begin().await.expect("a unit of work");
    let hashed = steps.map(Hashed::new);
    let decided: Vec<_> =
        hashed.iter().zip(&verdicts).map(|(record, verdict)| DecidedStep { record, verdict }).collect();
    insert(&tx, &rows, &records, &decided).await;
    tx.commit().await.expect("the commit");
    (rows, records)
}

/// So many segments are one page: few, so that a run has several.
const PAGE: u64 = 2;

/// All that the segments of a run hold, read page by page; what of it is missing; and which texts its steps name.
pub(crate) async fn read_run(
    traces: TraceReads<'_>,
    tenant: TenantId,
    run: RunId,
) -> (RunRecords, Vec<MissingSegment>, Named) {
    let end = traces.segments_end(tenant, run).await.expect("the end");
    let (mut reading, mut all, mut behind) = (RunReading::default(), RunRecords::default(), None);
    loop {
        let page = traces.segments_behind(tenant, run, behind.as_ref(), &end, PAGE).await;
        let mut page = page.expect("a page");
        for segment in &page {
            let RunRecords { steps, decisions, environment, activities, providers, integrity, gaps } =
                reading.meet(segment);
            all.steps.extend(steps);
            all.decisions.extend(decisions);
            all.environment = all.environment.or(environment);
            all.activities.extend(activities);
            all.providers.extend(providers);
            all.integrity = all.integrity.or(integrity);
            all.gaps.extend(gaps);
        }
        behind = page.pop();
        if behind.is_none() {
            break;
        }
    }
    reading.end(&end);
    let named = reading.take_named();
    (all, reading.into_missing(), named)
}

/// The runs of the sample tenant, begun.
pub(crate) async fn start(db: &Db, runs: impl IntoIterator<Item = u128>) {
    let tx = db.begin().await.expect("begin");
    let (runs, traces): (Vec<_>, Vec<_>) =
        runs.into_iter().map(|n| (run(TENANT, n), trace(TENANT, n))).unzip();
    tx.activity().insert_runs(&runs).await.expect("runs");
    tx.traces().start_traces(&traces).await.expect("traces");
    tx.commit().await.expect("commit");
}

/// What the rows hold, but for `steps`, which come with their verdicts.
pub(crate) fn segment<'r>(
    tenant: TenantId,
    run: u128,
    records: &'r RunRecords,
    steps: Vec<DecidedStep<'r>>,
) -> NewSegment<'r> {
    let mut evidence: Vec<Line<'_>> = Vec::new();
    evidence.extend(records.environment.iter().map(Line::of));
    evidence.extend(records.decisions.iter().map(Line::of));
    evidence.extend(records.activities.iter().map(Line::of));
    evidence.extend(records.providers.iter().map(Line::of));
    evidence.extend(records.gaps.iter().map(Line::of));
    evidence.extend(records.integrity.iter().map(Line::of));
    let run = RunId(uuid(run));
    NewSegment { tenant, run, first_record: 0, first_step: 0, steps, evidence, contents: None }
}

async fn insert(tx: &Tx, rows: &RunRows, records: &RunRecords, steps: &[DecidedStep<'_>]) {
    let done = async {
        tx.activity().insert_runs(std::slice::from_ref(&rows.run)).await?;
        tx.traces().start_traces(rows.trace.as_slice()).await?;
        let n = rows.run.id.0.as_u128() - uuid(0).as_u128();
        tx.traces().append(&[segment(rows.run.tenant, n, records, steps.to_vec())]).await?;
        tx.evidence().insert_capture_failures(&rows.tables.capture_failures).await?;
        for RunIncident { incident, of } in &rows.tables.incidents {
            tx.incidents().insert_incidents(std::slice::from_ref(incident)).await?;
            tx.incidents().insert_runs(std::slice::from_ref(of)).await?;
        }
        tx.enforcements().record_enforcement(&rows.tables.enforcements).await?;
        tx.preventions().insert(&rows.tables.preventions).await?;
        tx.policies().insert_breaches(&rows.tables.breaches).await?;
        tx.activity().insert_met(&rows.tables.interventions).await?;
        tx.ledger().insert_run_leaves(&rows.leaves).await?;
        tx.logs().insert_audit(&rows.audit).await
    };
    done.await.expect("a row of everything");
}
