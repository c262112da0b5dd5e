//! The working state of a group: the rows it holds locked, as its calls change them, and the rows it adds.

pub(super) mod answered;
pub(super) mod given;
pub(super) mod held;
pub(super) mod kept;
pub(super) mod late;
pub(super) mod met;
pub(super) mod snapshots;
pub(super) mod standing;
pub(super) mod strikes;
pub(super) mod sums;
pub(super) mod traced;
pub(super) mod tree;
pub(super) mod trees;
pub(super) mod usage;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use engines::ledger::AuditDraft;
use models::{
    account::KeptAnswer,
    activity::{Ack, Ancestor, Freeze, Intervention, Run, Standing},
    ids::{DecisionId, InterventionId, KeyId, LimitId, RunId},
    incidents::{Incident, IncidentEvent, IncidentRun},
    logs::{Actor, ExecutionContext, LlmRunRecord, Trace, Uncounted},
    policies::{Permit, Usage, UsageKey, Verdict},
};
use proof::{
    hash::Hash,
    leaves::RunLeaf,
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord,
        EnvironmentRecord, GapRecord, IntegrityRecord, InterventionRecord, PreventionRecord, ProviderRecord,
        RecordKind, RunAfter, StepRecord,
    },
    tagged::Hashed,
    words::{RunStatus, StepStatus, TerminationReason},
};

use self::{
    answered::Kept,
    held::{HeldPermits, Write},
    snapshots::BoundSnapshot,
    strikes::{FiredRows, Strike},
    trees::Tree,
};
use crate::{context::TenantSettings, errors::Error, spine::Spine};

/// A row that may have changed.
#[derive(Clone)]
pub(super) struct Tracked<T> {
    pub(super) row: T,
    pub(super) changed: bool,
}

impl<T> Tracked<T> {
    pub(super) fn stored(row: T) -> Self {
        Self { row, changed: false }
    }

    /// To change the row is to have it written.
    pub(super) fn change(&mut self) -> &mut T {
        self.changed = true;
        &mut self.row
    }
}

/// A run of the group, with what its next step needs.
#[derive(Clone)]
pub(super) struct RunState {
    pub(super) run: Run,
    pub(super) trace: Trace,
    pub(super) snapshot: Arc<BoundSnapshot>,
    /// Limits that the run has breached already, by window.
    pub(super) breached: HashSet<(LimitId, String)>,
    /// A limit stands at 80 % or more.
    pub(super) near_limit: bool,
    /// Where it stood in lists when it was read.
    pub(super) stood: Standing,
    pub(super) changed: bool,
    /// The run was opened by this group.
    pub(super) is_new: bool,
    /// Why the run is to be sealed when the group's calls are decided.
    pub(super) ending: Option<Ending>,
    /// The freeze that holds for it.
    pub(super) freeze: Option<Arc<Freeze>>,
    /// What it met of people's interventions, and what its agent knows.
    pub(super) met: HashSet<InterventionId>,
    pub(super) acked: HashSet<InterventionId>,
    /// A person's kill that its agent does not know of yet.
    pub(super) unacked_kill: Option<InterventionId>,
    /// The run is sealed, and what comes now goes into an addendum: `trace` is the addendum's.
    pub(super) late: Option<LateState>,
}

/// Where an addendum of a sealed run goes on.
#[derive(Clone)]
pub(super) struct LateState {
    /// How many records of each kind the receipt covers: late ones are counted on from there.
    pub(super) sealed: BTreeMap<RecordKind, u64>,
    /// Hash of the SEALED leaf.
    pub(super) sealed_leaf: Hash,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) status: RunStatus,
    pub(super) reason: TerminationReason,
    pub(super) error: Option<String>,
}

impl RunState {
    /// The index that the run's next step, or refusal, takes.
    pub(super) fn next_index(&self) -> u64 {
        self.next_seq(RecordKind::Step)
    }

    /// When a call of the run that is taken now counts. A step of a trace does by when it is recorded, which never goes
    /// back: that is what a replica finds that is to take it from its window again, and another replica's clock may be ahead.
    pub(super) fn counts_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.trace.last_recorded_at.filter(|_| self.run.is_reported());
        last.map_or(now, |last| last.max(now))
    }

    /// The run as a committed group leaves it: nothing of it is new or waits to be written.
    pub(super) fn settled(self) -> Self {
        let stood = self.run.standing();
        Self { stood, changed: false, is_new: false, ending: None, ..self }
    }

    /// The position that the run's next record of `kind` takes.
    pub(super) fn next_seq(&self, kind: RecordKind) -> u64 {
        let sealed = self.late.as_ref().and_then(|late| late.sealed.get(&kind)).copied();
        sealed.unwrap_or(0) + self.trace.ranges.next(kind)
    }

    /// What evidence of the run is captured in.
    pub(super) fn context(&self) -> ExecutionContext {
        let run = &self.run;
        let actor = Actor { actor_type: run.actor_type, actor_id: run.actor_id.clone() };
        let ctx =
            ExecutionContext::new(run.tenant, run.id, self.trace.id, actor, run.source, run.snapshot_id);
        if run.is_synthetic { ctx.synthetic(run.synthetic_scenario_id.clone()) } else { ctx }
    }

    /// The running totals, as records and answers carry them.
    pub(super) fn after(&self) -> RunAfter {
        let (run, totals) = (&self.run, self.run.totals());
        RunAfter {
            cost_nanousd: totals.cost_nanousd,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            refused_count: run.refused_count,
            status: run.status,
            step_count: totals.step_count,
        }
    }
}

/// A step that was stored under a key, now or before: what its repeat is answered with.
pub(super) struct KnownStep {
    pub(super) step_index: u64,
    pub(super) status: StepStatus,
    pub(super) step_hash: Hash,
    pub(super) request_hash: Option<String>,
    pub(super) reported_by: Option<String>,
    pub(super) decision_id: Option<String>,
    pub(super) run_after: String,
}

impl KnownStep {
    pub(super) fn of(record: &StepRecord, step_hash: Hash) -> Self {
        Self {
            step_index: record.step_index,
            status: record.status,
            step_hash,
            request_hash: record.request_hash.clone(),
            reported_by: record.reported_by.clone(),
            decision_id: record.decision_id.clone(),
            run_after: record.run_after.clone(),
        }
    }

    /// Whether the call that comes under its key is the one that it was.
    pub(super) fn is_of(&self, request_hash: Hash) -> bool {
        self.request_hash.as_deref() == Some(&request_hash.to_string())
    }
}

/// Rows that the group adds.
#[derive(Default)]
pub(super) struct Additions {
    pub(super) runs: Vec<RunId>,
    pub(super) steps: Vec<(Hashed<StepRecord>, bool, Verdict)>,
    pub(super) decisions: Vec<Arc<Hashed<DecisionRecord>>>,
    pub(super) environments: Vec<EnvironmentRecord>,
    pub(super) activities: Vec<ActivityRecord>,
    pub(super) providers: Vec<ProviderRecord>,
    pub(super) integrities: Vec<IntegrityRecord>,
    pub(super) capture_failures: Vec<CaptureFailureRecord>,
    pub(super) gaps: Vec<GapRecord>,
    pub(super) llm_runs: Vec<LlmRunRecord>,
    /// Steps that do not count, now or no longer.
    pub(super) uncounted: Vec<Uncounted>,
    pub(super) enforcements: Vec<EnforcementRecord>,
    pub(super) preventions: Vec<PreventionRecord>,
    pub(super) breaches: Vec<BreachRecord>,
    /// The incidents that the group opened or joined, as they are now. Those that it opened are there as they were then.
    pub(super) incidents: Vec<Incident>,
    /// What runs did of incidents for the first time, and what they did again.
    pub(super) incident_runs: Vec<IncidentRun>,
    pub(super) recurring: Vec<IncidentRun>,
    pub(super) incident_events: Vec<IncidentEvent>,
    pub(super) audits: Vec<AuditDraft>,
    pub(super) interventions: Vec<Intervention>,
    pub(super) met: Vec<InterventionRecord>,
    pub(super) acks: Vec<Ack>,
    pub(super) answers: Vec<KeptAnswer>,
    /// Leaves of the run log, in order.
    pub(super) leaves: Vec<(RunId, RunLeaf)>,
}

/// Everything that a group's calls are decided on.
pub(super) struct State {
    pub(super) spine: Spine,
    pub(super) tenant: Arc<TenantSettings>,
    pub(super) now: DateTime<Utc>,
    /// What a run that starts now is bound to.
    pub(super) current: Option<Arc<BoundSnapshot>>,
    pub(super) runs: HashMap<RunId, RunState>,
    /// The trees of the runs that spans are reported of.
    pub(super) trees: HashMap<RunId, Tree>,
    /// Runs that starts name, to come after them.
    pub(super) lineage: HashMap<RunId, Ancestor>,
    /// Runs by the credential that started them, and the idempotency key of that.
    pub(super) run_keys: HashMap<(KeyId, String), RunId>,
    /// Runs by the outside trace that they are.
    pub(super) traces: HashMap<String, RunId>,
    pub(super) permits: HeldPermits,
    /// Permits that were granted under the keys that calls come with: for their answers, and as they were read, not locked.
    pub(super) permit_keys: HashMap<(RunId, String), Permit>,
    pub(super) step_keys: HashMap<(RunId, String), KnownStep>,
    /// Decisions behind earlier answers, and those of this group.
    pub(super) decisions: HashMap<DecisionId, Arc<Hashed<DecisionRecord>>>,
    pub(super) usage: HashMap<UsageKey, Tracked<Usage>>,
    /// Every freeze of the tenant, where it matters.
    pub(super) freezes: Vec<Arc<Freeze>>,
    /// A freeze holds for one of the runs, or may.
    pub(super) frozen: bool,
    pub(super) new: Additions,
    /// Ends and kills that come with a key.
    pub(super) kept: Kept,
    /// What struck runs, and what fired in them: what incidents that comes to is settled when all calls are decided.
    pub(super) strikes: Vec<Strike>,
    pub(super) fired: Vec<FiredRows>,
}

impl State {
    /// Nothing loaded yet.
    pub(super) fn new(spine: &Spine, tenant: &Arc<TenantSettings>) -> Self {
        Self {
            spine: spine.clone(),
            tenant: Arc::clone(tenant),
            now: spine.now(),
            current: None,
            runs: HashMap::new(),
            trees: HashMap::new(),
            lineage: HashMap::new(),
            run_keys: HashMap::new(),
            traces: HashMap::new(),
            permits: HeldPermits::new(),
            permit_keys: HashMap::new(),
            step_keys: HashMap::new(),
            decisions: HashMap::new(),
            usage: HashMap::new(),
            freezes: Vec::new(),
            frozen: false,
            new: Additions::default(),
            kept: Kept::new(),
            strikes: Vec::new(),
            fired: Vec::new(),
        }
    }

    pub(super) fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.spine.id(self.now)
    }

    /// The freeze that holds for an agent's runs.
    pub(super) fn freeze_for(&self, agent_id: &str) -> Option<&Arc<Freeze>> {
        self.freezes.iter().find(|freeze| freeze.holds(agent_id))
    }

    /// A run of the group.
    pub(super) fn run(&self, id: RunId) -> Result<&RunState, Error> {
        self.runs.get(&id).ok_or_else(|| Error::not_found("run", id))
    }

    /// A run of the group, to change it: so it will be written.
    pub(super) fn run_mut(&mut self, id: RunId) -> Result<&mut RunState, Error> {
        let run = self.runs.get_mut(&id).ok_or_else(|| Error::not_found("run", id))?;
        run.changed = true;
        Ok(run)
    }

    /// Whether anything is to be stored.
    pub(super) fn has_writes(&self) -> bool {
        self.runs.values().any(|run| run.changed)
            || self.permits.values().any(|permit| permit.to_write() != Write::Nothing)
            || !self.new.decisions.is_empty()
            || !self.new.interventions.is_empty()
            || !self.new.acks.is_empty()
            || !self.new.answers.is_empty()
    }
}
