//! The working state of a group: the rows it holds locked, as its calls change them, and the rows it adds.

pub(super) mod answered;
pub(super) mod given;
pub(super) mod held;
pub(super) mod hot;
pub(super) mod kept;
pub(super) mod kept_keys;
pub(super) mod kept_texts;
pub(super) mod kept_trees;
pub(super) mod keys;
mod known;
pub(super) mod late;
pub(super) mod met;
pub(super) mod open;
pub(super) mod recent;
mod run;
pub(super) mod snapshots;
pub(super) mod standing;
pub(super) mod strikes;
pub(super) mod sums;
pub(super) mod traced;
pub(super) mod tree;
pub(super) mod trees;
pub(super) mod usage;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use drivers::logs::{Base, LostStep, RunSalt};
use engines::ledger::AuditDraft;
use models::{
    account::KeptAnswer,
    activity::{Ack, Ancestor, Freeze, Intervention},
    ids::{DecisionId, KeyId, RunId},
    incidents::{Incident, IncidentEvent, IncidentRun},
    logs::{LlmRunRecord, StepKey, Uncounted},
    policies::{Permit, Usage, UsageKey, Verdict},
};
use proof::{
    contents::{Salt, Texts},
    leaves::RunLeaf,
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord,
        EnvironmentRecord, GapRecord, IntegrityRecord, InterventionRecord, PreventionRecord, ProviderRecord,
        StepRecord,
    },
    tagged::Hashed,
};

use self::{
    answered::Kept,
    held::{HeldPermits, Write},
    keys::Keys,
    snapshots::BoundSnapshot,
    strikes::{FiredRows, Strike},
    trees::Tree,
};
pub(super) use self::{
    known::KnownStep,
    run::{Ending, LateState, RunState},
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

/// Rows that the group adds.
#[derive(Default)]
pub(super) struct Additions {
    pub(super) runs: Vec<RunId>,
    pub(super) steps: Vec<(Hashed<StepRecord>, Verdict)>,
    /// What the new records of each run name.
    pub(super) texts: BTreeMap<RunId, Texts>,
    /// Of the runs that begin.
    pub(super) salts: Vec<(RunId, Salt)>,
    pub(super) decisions: Vec<Arc<Hashed<DecisionRecord>>>,
    pub(super) environments: Vec<Hashed<EnvironmentRecord>>,
    pub(super) activities: Vec<Hashed<ActivityRecord>>,
    pub(super) providers: Vec<Hashed<ProviderRecord>>,
    pub(super) integrities: Vec<Hashed<IntegrityRecord>>,
    pub(super) capture_failures: Vec<CaptureFailureRecord>,
    pub(super) gaps: Vec<Hashed<GapRecord>>,
    pub(super) llm_runs: Vec<LlmRunRecord>,
    /// Steps that do not count, now or no longer.
    pub(super) uncounted: Vec<Uncounted>,
    pub(super) enforcements: Vec<EnforcementRecord>,
    pub(super) preventions: Vec<PreventionRecord>,
    pub(super) breaches: Vec<BreachRecord>,
    /// The incidents that the group opened or joined, as they are now. Those that it opened are there as they were
    /// then.
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
    /// When that was by [`Spine::elapsed`].
    pub(super) began: TimeDelta,
    /// What a run that starts now is bound to.
    pub(super) current: Option<Arc<BoundSnapshot>>,
    pub(super) runs: HashMap<RunId, RunState>,
    /// What their texts are hashed with; nothing where the store was not asked.
    pub(super) salts: HashMap<RunId, RunSalt>,
    /// The keys of runs of which all are known.
    pub(super) keys: HashMap<RunId, Keys>,
    /// The trees of the runs that spans are reported of.
    pub(super) trees: HashMap<RunId, Tree>,
    /// Runs that starts name, to come after them.
    pub(super) lineage: HashMap<RunId, Ancestor>,
    /// Runs by the credential that started them, and the idempotency key of that.
    pub(super) run_keys: HashMap<(KeyId, String), RunId>,
    /// Runs by the outside trace that they are.
    pub(super) traces: HashMap<String, RunId>,
    pub(super) permits: HeldPermits,
    /// Permits that were granted under the keys that calls come with: for their answers, and as they were read, not
    /// locked.
    pub(super) permit_keys: HashMap<(RunId, String), Permit>,
    pub(super) step_keys: HashMap<(RunId, StepKey), KnownStep>,
    /// Steps that were recorded under the keys that calls come with, and cannot be read any more.
    pub(super) lost: HashMap<(RunId, StepKey), LostStep>,
    /// Decisions behind earlier answers, and those of this group.
    pub(super) decisions: HashMap<DecisionId, Arc<Hashed<DecisionRecord>>>,
    pub(super) usage: HashMap<UsageKey, Tracked<Usage>>,
    /// Every freeze of the tenant, where it matters.
    pub(super) freezes: Vec<Arc<Freeze>>,
    /// A freeze holds for one of the runs, or may.
    pub(super) frozen: bool,
    /// A permit of the tenant has lapsed, and is to be released.
    pub(super) lapsed: bool,
    pub(super) new: Additions,
    /// Where the new texts of runs are kept, and what they stand on; without their bytes.
    pub(super) said: HashMap<RunId, Base>,
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
            began: spine.elapsed(),
            current: None,
            runs: HashMap::new(),
            salts: HashMap::new(),
            keys: HashMap::new(),
            trees: HashMap::new(),
            lineage: HashMap::new(),
            run_keys: HashMap::new(),
            traces: HashMap::new(),
            permits: HeldPermits::new(),
            permit_keys: HashMap::new(),
            step_keys: HashMap::new(),
            lost: HashMap::new(),
            decisions: HashMap::new(),
            usage: HashMap::new(),
            freezes: Vec::new(),
            frozen: false,
            lapsed: false,
            new: Additions::default(),
            said: HashMap::new(),
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

    /// Refuses a call under whose key a step was recorded that cannot be read any more: nobody can say whether it is
    /// the same.
    pub(super) fn readable(&self, place: &(RunId, StepKey)) -> Result<(), Error> {
        let Some(lost) = self.lost.get(place) else { return Ok(()) };
        Err(Error::Damaged { table: lost.table, row: lost.row.clone(), why: lost.why.clone() })
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
