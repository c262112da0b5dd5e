//! One run as it is recorded: each call decided, each record hashed into its tree, everything sealed at the end.

use proof::{
    bundle::LiveIncident,
    canonical,
    contents::{Content, Salt},
    definitions::SnapshotDefinition,
    hash::{Hash, sha256},
    leaves::{AuditLeaf, AuditRecord, ErasedLeaf, OpenedLeaf, RunLeaf, SealedLeaf},
    records::{InterventionRecord, Record, RecordKind, RunAfter, StepRecord},
    run_ranges::RunRanges,
    words::{
        Action, Asked, AuditEntityType, AuditEventType, LogName, Moment, OutcomeCategory, RunStatus,
        StepKind, StepLevel, StepSource, StepStatus,
    },
};
use rules::CompiledSnapshot;

use super::{Call, Log, Plant, RUN, TENANT, TRACE, evidence::Decided, late::Late};

pub(crate) fn salt() -> Salt {
    Salt::new([9; 32])
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
    /// What came after it was sealed.
    pub(super) late: Option<Late>,
    /// The freeze that holds for what comes next, and whether a decision has met it.
    pub(super) frozen: Option<(InterventionRecord, bool)>,
    /// What comes next is only told of: it has happened.
    pub(crate) reported: bool,
    /// What comes next has these parameters, where somebody says it.
    pub(crate) params: Option<String>,
    /// What its records name; none where it was erased.
    pub(crate) texts: Vec<String>,
    pub(crate) erased: Option<(ErasedLeaf, u64)>,
    pub(super) plant: Plant,
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
                cost_nanousd: 0,
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
            late: None,
            frozen: None,
            reported: false,
            params: None,
            texts: Vec::new(),
            erased: None,
            plant: Plant::now(),
            runs: Log::new(LogName::Runs),
            ledger: Log::new(LogName::Audit),
            clock: 0,
            ids: 0,
        };
        scene.others(3);
        let environment = scene.environment();
        scene.opened.environment_hash = scene.push(environment).to_string();
        scene.opened.started_at = scene.now();
        let RunLeaf::Opened(opened) = scene.plant.leaf(RunLeaf::Opened(scene.opened.clone())) else {
            unreachable!("a plant leaves the kind")
        };
        scene.opened = opened;
        let leaf = RunLeaf::Opened(scene.opened.clone());
        scene.chain_head = leaf.hash();
        scene.opened_index = scene.runs.append(leaf, scene.chain_head);
        scene.others(2);
        scene
    }

    /// Other runs and other governance of the tenant, so that proofs have something to prove.
    pub(super) fn others(&mut self, count: usize) {
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
        let (hour, minute, second) = (8 + seconds / 3_600, seconds / 60 % 60, seconds % 60);
        format!("2026-11-21T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }

    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}0192a5b6c7d87a1b8c2d3e4f{:08x}", self.ids)
    }

    pub(super) fn push(&mut self, record: Record) -> Hash {
        let Some(record) = self.plant.record(record) else { return sha256(b"nothing") };
        let hash = self.ranges.push(&record);
        match &mut self.late {
            None => self.records.push(record),
            Some(late) => late.records.push(record),
        }
        hash
    }

    pub(super) fn next(&self, kind: RecordKind) -> u64 {
        let sealed = self.late.as_ref().and_then(|late| late.sealed.get(&kind)).copied();
        sealed.unwrap_or(0) + self.ranges.next(kind)
    }

    /// A call that is recorded without a permit.
    pub(crate) fn call(&mut self, call: &Call) {
        self.record(call, None);
    }

    /// A call that asked before it acted.
    pub(crate) fn permitted(&mut self, call: &Call) {
        let permit = self.permit(call);
        self.record(call, Some(permit));
    }

    /// Leave to act: the permit, and the hash of its decision.
    pub(crate) fn permit(&mut self, call: &Call) -> (String, Hash) {
        let permit = self.id("prm_");
        let decided = self.decide(call, Moment::StepPre, None, Some(permit.clone()));
        assert!(!decided.verdict.action.refuses());
        (permit, decided.hash)
    }

    pub(crate) fn record(&mut self, call: &Call, permit: Option<(String, Hash)>) {
        let index = self.next(RecordKind::Step);
        let moment = if permit.is_some() { Moment::StepPost } else { Moment::StepBoth };
        let (permit_id, granted) = permit.unzip();
        if let Some(told) = &call.instead_of {
            self.take_back(told);
        }
        let Decided { verdict, hash: decision, id: decision_id } =
            self.decide(call, moment, Some(index), permit_id.clone());
        let refused = verdict.action.refuses() && !self.reported;
        let (cost, tokens) = call.counted();
        self.after.cost_nanousd += cost;
        self.after.input_tokens += tokens.0;
        self.after.output_tokens += tokens.1;
        if let Some(late) = &mut self.late {
            late.count(cost, tokens);
            self.after.step_count += 1;
        } else if refused {
            self.after.refused_count += 1;
        } else {
            self.after.step_count += 1;
            self.calls.0 += u64::from(call.counts && call.kind == StepKind::LlmCall);
            self.calls.1 += u64::from(call.counts && call.kind == StepKind::ToolCall);
        }
        if refused && matches!(verdict.action, Action::Stop | Action::Kill) {
            self.after.status = RunStatus::Halted;
        }
        let evidence = self.evidence(call, index);
        self.fired(&verdict, moment, index);
        let (input, output) = call.tokens();
        let params = self.params.take().unwrap_or_else(|| "{\"q\":\"weather in Graz\"}".to_owned());
        let mut step = StepRecord {
            cache_write_tokens: 0,
            cost_note: None,
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: self.late.as_ref().map_or(TRACE, |late| &late.trace_id).to_owned(),
            step_index: index,
            parent_step_index: index.checked_sub(1),
            kind: call.kind,
            skill_name: call.skill.clone(),
            params: Some(self.say(&params)),
            status: if refused { StepStatus::Refused } else { StepStatus::Success },
            asked: if granted.is_some() { Asked::Before } else { Asked::After },
            reported_status: Some(StepStatus::Success),
            outcome_category: OutcomeCategory::Success,
            outcome_code: None,
            outcome_data: Some(self.say("{\"ok\":true}")),
            prompt: Some(self.say("What is the weather? \u{1f326}")),
            response: Some(self.say("Rain.\nTake an umbrella.")),
            finish_reason: Some("stop".to_owned()),
            provider: Some("openai".to_owned()),
            model: Some("gpt-4o-mini-2024-07-18".to_owned()),
            model_requested: Some("gpt-4o-mini".to_owned()),
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: 0,
            reasoning_tokens: 0,
            cost_nanousd: call.cost,
            cost_known: true,
            duration_ms: 12,
            retry_count: 0,
            started_at: None,
            recorded_at: self.now(),
            level: if refused { StepLevel::Warn } else { StepLevel::Info },
            source: StepSource::External,
            reported_by: Some(call.reporter.to_owned()),
            external_span_id: call.span.map(|(span, _)| span.to_owned()),
            external_parent_span_id: call.span.map(|(_, parent)| parent.to_owned()),
            idempotency_key: Some(format!("key-{index}")),
            request_hash: Some(sha256(b"request").to_string()),
            replay_behavior: None,
            input_hash: sha256(b"input").to_string(),
            output_hash: sha256(b"output").to_string(),
            params_hash: Some(sha256(b"params").to_string()),
            outcome_hash: Some(sha256(b"outcome").to_string()),
            permit_id,
            permit_note: None,
            decision_id: Some(decision_id),
            pre_decision_hash: Some(granted.unwrap_or(decision).to_string()),
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

    /// A text that a record names.
    fn say(&mut self, text: &str) -> Content {
        self.texts.push(text.to_owned());
        salt().name(text)
    }

    /// What a call told is told by another now.
    fn take_back(&mut self, told: &Call) {
        let (input, output) = told.tokens();
        self.after.cost_nanousd -= told.cost;
        self.after.input_tokens -= input;
        self.after.output_tokens -= output;
        self.calls.0 -= u64::from(told.kind == StepKind::LlmCall);
        self.calls.1 -= u64::from(told.kind == StepKind::ToolCall);
    }
}
