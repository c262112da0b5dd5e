//! One run as it is recorded: each call decided, each record hashed into its tree, everything sealed at the end.

use std::collections::BTreeMap;

use proof::{
    bundle::{AsOf, AuditPart, Bundle, Checkpoints, LiveIncident, Parts, ReceiptPart, assemble},
    canonical,
    definitions::SnapshotDefinition,
    hash::{Hash, sha256},
    leaves::{AuditLeaf, AuditRecord, OpenedLeaf, RunLeaf, SealedLeaf},
    records::{IntegrityRecord, Record, RecordKind, RunAfter, StepRecord},
    run_ranges::RunRanges,
    words::{
        Action, Assurance, AuditEntityType, AuditEventType, IntegrityGrade, IntegrityState, IntegrityStatus,
        LogName, Moment, OutcomeCategory, RunStatus, StepKind, StepLevel, StepSource, StepStatus,
    },
};
use rules::CompiledSnapshot;

use super::{Log, RUN, TENANT, TRACE, signing_key};

/// What an agent does.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) kind: StepKind,
    pub(super) skill: String,
    pub(super) cost: u64,
}

impl Call {
    pub(crate) fn model(cost: u64) -> Self {
        Self { kind: StepKind::LlmCall, skill: "chat".to_owned(), cost }
    }

    pub(crate) fn tool(skill: &str) -> Self {
        Self { kind: StepKind::ToolCall, skill: skill.to_owned(), cost: 0 }
    }

    pub(super) fn tokens(&self) -> (u64, u64) {
        if self.kind == StepKind::LlmCall { (120, 40) } else { (0, 0) }
    }
}

pub(crate) struct Scene {
    pub(super) compiled: CompiledSnapshot,
    pub(super) snapshot: SnapshotDefinition,
    pub(super) opened: OpenedLeaf,
    pub(super) opened_index: u64,
    pub(crate) records: Vec<Record>,
    pub(super) ranges: RunRanges,
    pub(super) chain_head: Hash,
    pub(super) after: RunAfter,
    pub(super) calls: (u64, u64),
    pub(super) incidents: Vec<LiveIncident>,
    pub(super) audit: Vec<(AuditRecord, u64)>,
    pub(super) sealed: Option<(SealedLeaf, u64)>,
    pub(crate) runs: Log<RunLeaf>,
    pub(crate) ledger: Log<AuditLeaf>,
    pub(super) clock: u64,
    pub(super) ids: u64,
}

impl Scene {
    pub(crate) fn new(snapshot: SnapshotDefinition) -> Self {
        let mut scene = Self {
            compiled: CompiledSnapshot::compile(&snapshot),
            opened: OpenedLeaf {
                tenant_id: TENANT.to_owned(),
                run_id: RUN.to_owned(),
                started_at: String::new(),
                snapshot_digest: snapshot.digest().to_string(),
                environment_hash: String::new(),
            },
            snapshot,
            opened_index: 0,
            records: Vec::new(),
            ranges: RunRanges::default(),
            chain_head: sha256(b""),
            after: RunAfter {
                cost_microusd: 0,
                input_tokens: 0,
                output_tokens: 0,
                refused_count: 0,
                status: RunStatus::Running,
                step_count: 0,
            },
            calls: (0, 0),
            incidents: Vec::new(),
            audit: Vec::new(),
            sealed: None,
            runs: Log::new(LogName::Runs),
            ledger: Log::new(LogName::Audit),
            clock: 0,
            ids: 0,
        };
        scene.others(3);
        let environment = scene.environment();
        scene.opened.environment_hash = scene.push(environment).to_string();
        scene.opened.started_at = scene.now();
        let leaf = RunLeaf::Opened(scene.opened.clone());
        scene.chain_head = leaf.hash();
        scene.opened_index = scene.runs.append(leaf, scene.chain_head);
        scene.others(2);
        scene
    }

    /// Other runs and other governance of the tenant, so that proofs have something to prove.
    fn others(&mut self, count: usize) {
        for _ in 0..count {
            let other = self.id("run_");
            let opened =
                RunLeaf::Opened(OpenedLeaf { run_id: other, started_at: self.now(), ..self.opened.clone() });
            let hash = opened.hash();
            self.runs.append(opened, hash);
            self.govern(AuditEventType::LimitCreated, AuditEntityType::Limit, "lim_other", false);
        }
    }

    pub(crate) fn now(&mut self) -> String {
        self.clock += 1_500;
        let (seconds, micros) = (self.clock / 1_000, self.clock % 1_000 * 1_000);
        format!("2026-11-21T08:{:02}:{:02}.{micros:06}Z", seconds / 60 % 60, seconds % 60)
    }

    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}0192a5b6c7d87a1b8c2d3e4f{:08x}", self.ids)
    }

    pub(super) fn push(&mut self, record: Record) -> Hash {
        let hash = self.ranges.push(&record);
        self.records.push(record);
        hash
    }

    pub(super) fn next(&self, kind: RecordKind) -> u64 {
        self.ranges.next(kind)
    }

    /// A call that is recorded without a permit.
    pub(crate) fn call(&mut self, call: &Call) {
        self.record(call, None);
    }

    /// A call that asked before it acted.
    pub(crate) fn permitted(&mut self, call: &Call) {
        let (granted, hash, _) = self.decide(call, Moment::StepPre, None);
        assert!(!granted.action.refuses());
        self.record(call, Some(hash));
    }

    fn record(&mut self, call: &Call, permit: Option<Hash>) {
        let index = self.next(RecordKind::Step);
        let moment = if permit.is_some() { Moment::StepPost } else { Moment::StepBoth };
        let (verdict, decision, decision_id) = self.decide(call, moment, Some(index));
        let refused = verdict.action.refuses();
        let (input, output) = call.tokens();
        self.after.cost_microusd += call.cost;
        self.after.input_tokens += input;
        self.after.output_tokens += output;
        if refused {
            self.after.refused_count += 1;
        } else {
            self.after.step_count += 1;
            self.calls.0 += u64::from(call.kind == StepKind::LlmCall);
            self.calls.1 += u64::from(call.kind == StepKind::ToolCall);
        }
        if matches!(verdict.action, Action::Stop | Action::Kill) {
            self.after.status = RunStatus::Halted;
        }
        let evidence = self.evidence(call, index);
        self.fired(&verdict, index);
        let mut step = StepRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: TRACE.to_owned(),
            step_index: index,
            parent_step_index: index.checked_sub(1),
            kind: call.kind,
            skill_name: call.skill.clone(),
            params: Some("{\"q\":\"weather in Graz\"}".to_owned()),
            status: if refused { StepStatus::Refused } else { StepStatus::Success },
            outcome_category: if refused { OutcomeCategory::Refused } else { OutcomeCategory::Success },
            outcome_code: None,
            outcome_data: Some("{\"ok\":true}".to_owned()),
            prompt: Some("What is the weather? \u{1f326}".to_owned()),
            response: Some("Rain.\nTake an umbrella.".to_owned()),
            finish_reason: Some("stop".to_owned()),
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o-mini".to_owned()),
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: 0,
            reasoning_tokens: 0,
            cost_microusd: call.cost,
            cost_known: true,
            duration_ms: 12,
            retry_count: 0,
            started_at: None,
            recorded_at: self.now(),
            level: if refused { StepLevel::Warn } else { StepLevel::Info },
            source: StepSource::External,
            external_span_id: None,
            external_parent_span_id: None,
            idempotency_key: Some(format!("key-{index}")),
            request_hash: Some(sha256(b"request").to_string()),
            replay_behavior: None,
            input_hash: sha256(b"input").to_string(),
            output_hash: sha256(b"output").to_string(),
            permit_id: permit.map(|_| "prm_1".to_owned()),
            decision_id: Some(decision_id),
            pre_decision_hash: Some(permit.unwrap_or(decision).to_string()),
            post_decision_hash: Some(decision.to_string()),
            activity_hash: Some(evidence.0.to_string()),
            provider_hash: evidence.1.map(|hash| hash.to_string()),
            run_after: canonical::to_text(&self.after),
            determinism_hash: String::new(),
            prev_hash: self.chain_head.to_string(),
        };
        step.determinism_hash = step.determinism().to_string();
        self.chain_head = self.push(Record::Step(step));
    }

    pub(crate) fn seal(&mut self, status: RunStatus) {
        if !self.records.iter().any(|record| matches!(record, Record::Prevention(_))) {
            let clean = self.prevention(None, None, None);
            self.push(clean);
        }
        let integrity = Record::Integrity(IntegrityRecord {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            evidence_id: self.id("evi_"),
            expected: "{\"A\":1}".to_owned(),
            observed: "{\"A\":1}".to_owned(),
            missing: String::new(),
            missing_reasons: "{}".to_owned(),
            capture_failures: self.next(RecordKind::CaptureFailure),
            score_permille: 1_000,
            state: IntegrityState::Sealed,
            grade: IntegrityGrade::Pass,
            integrity_status: IntegrityStatus::Verified,
            explanation: "nothing is missing".to_owned(),
            computed_at: self.now(),
        });
        self.push(integrity);
        self.after.status = status;
        let completed_at = self.now();
        let run = Record::Run(self.run_record(completed_at.clone()));
        self.push(run);
        let mut verdict_tally: BTreeMap<Action, u64> =
            Action::ALL.iter().map(|action| (*action, 0)).collect();
        for record in &self.records {
            if let Record::Decision(decision) = record {
                *verdict_tally.entry(decision.action).or_default() += 1;
            }
        }
        let leaf = SealedLeaf {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: TRACE.to_owned(),
            root_hash: self.ranges.kind(RecordKind::Step).root().to_string(),
            chain_head: self.chain_head.to_string(),
            step_count: self.after.step_count,
            refused_count: self.after.refused_count,
            verdict_tally,
            records_root: self.ranges.records_root().to_string(),
            record_counts: self.ranges.counts(),
            snapshot_digest: self.snapshot.digest().to_string(),
            status,
            grade: IntegrityGrade::Pass,
            assurance: Assurance::Enforced,
            sealed_at: completed_at,
        };
        let sealed = RunLeaf::Sealed(leaf.clone());
        let hash = sealed.hash();
        self.sealed = Some((leaf, self.runs.append(sealed, hash)));
        self.others(2);
    }

    /// The parts of the bundle as of now. `records` are usually the scene's own.
    pub(crate) fn parts<'r>(&mut self, records: &'r [Record]) -> Parts<'r> {
        let key = signing_key();
        let run = self.live_run();
        let audit = self
            .audit
            .iter()
            .map(|(record, index)| AuditPart { record: record.clone(), proof: self.ledger.proof(*index) });
        Parts {
            opened: self.opened.clone(),
            opened_proof: self.runs.proof(self.opened_index),
            receipt: self
                .sealed
                .as_ref()
                .map(|(leaf, index)| ReceiptPart { leaf: leaf.clone(), proof: self.runs.proof(*index) }),
            snapshot: self.snapshot.clone(),
            records,
            addenda: Vec::new(),
            run,
            incidents: self.incidents.clone(),
            audit: audit.collect(),
            checkpoints: Checkpoints {
                audit: self.ledger.checkpoint(&key),
                runs: self.runs.checkpoint(&key),
            },
            as_of: AsOf { audit_size: self.ledger.size(), runs_size: self.runs.size(), time: self.now() },
        }
    }

    /// The bundle as of now, signed.
    pub(crate) fn bundle(&mut self) -> Bundle {
        let records = self.records.clone();
        assemble(self.parts(&records), &signing_key()).expect("whole numbers")
    }

    /// The document as of now.
    pub(crate) fn json(&mut self) -> Vec<u8> {
        self.bundle().into_bytes()
    }
}
