//! Locks and reads every row that a group touches, in the one lock order: runs, traces, permits, usage. Incidents are next:
//! which of them, is known when the calls are decided.
//!
//! Each kind is one statement, however many calls; those that no call needs are left out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    activity::{Freeze, Run},
    ids::{DecisionId, KeyId, PermitId, RunId, SnapshotId},
    logs::Trace,
    policies::{Usage, UsageKey},
};
use proof::{
    records::RecordKind,
    tagged::Hashed,
    words::{Action, InterventionKind},
};

use super::{
    prepare::{Call, CallKind},
    state::{
        KnownStep, RunState, State, Tracked, held::HeldPermit, kept, late, snapshots::BoundSnapshot, traced,
        tree, usage,
    },
};
use crate::{context::TenantSettings, spine::Spine};

/// The most permits that lapsed and are released with one group; the rest go with the next.
const MAX_LAPSED: u64 = 500;

/// What the calls of a group name.
#[derive(Default)]
struct Named {
    runs: BTreeSet<RunId>,
    /// Runs that starts name, to come after them.
    lineage: BTreeSet<RunId>,
    start_keys: Vec<(KeyId, String)>,
    traces: Vec<String>,
    keys: Vec<(RunId, String)>,
    permits: BTreeSet<PermitId>,
    starts: bool,
    /// Runs that spans are reported of: what comes to a sealed one is late.
    spans: BTreeSet<RunId>,
    /// A permit or a record: limits apply.
    spends: bool,
}

impl Named {
    fn by(calls: &[&[Call]]) -> Self {
        let mut named = Self::default();
        for call in calls.iter().copied().flatten() {
            named.add(call);
        }
        named
    }

    fn add(&mut self, call: &Call) {
        match &call.what {
            CallKind::Start(start) => {
                self.starts = true;
                self.start_keys.extend(call.caller.start_key(&start.request));
                self.lineage.extend(start.parent_run_id);
                self.lineage.extend(start.replay_of);
            }
            CallKind::Trace(start) => {
                self.starts = true;
                self.traces.extend(start.request.external_trace_id.clone());
            }
            CallKind::Permit(permit) => {
                self.spends = true;
                self.runs.insert(permit.run_id);
                self.keys.extend(permit.request.idempotency_key.clone().map(|key| (permit.run_id, key)));
            }
            CallKind::Record(step) => {
                self.spends = true;
                self.spans.extend(step.is_span.then_some(step.run_id));
                self.runs.insert(step.run_id);
                self.permits.extend(step.report.permit_id);
                self.keys.extend(step.report.idempotency_key.clone().map(|key| (step.run_id, key)));
                self.keys.extend(traced::remote_parent(step));
            }
            CallKind::End(run, _) | CallKind::Kill(run, _) => {
                self.runs.insert(*run);
            }
        }
    }
}

/// What is known of calls that were answered while the store was down.
#[derive(Default)]
pub(super) struct Late {
    /// What comes to these runs has happened already: if one is sealed, it goes into an addendum.
    pub(super) let_through: BTreeSet<RunId>,
    /// When the calls of each run were decided: they count in the windows of then.
    pub(super) decided: HashMap<RunId, Vec<DateTime<Utc>>>,
}

/// Everything that the group's calls are decided on.
pub(super) async fn load(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    tx: &Tx,
    calls: &[&[Call]],
    late: &Late,
) -> Result<State, StoreError> {
    let mut named = Named::by(calls);
    let mut state = State::new(spine, tenant);
    if !named.start_keys.is_empty() {
        for run in tx.activity().find_runs_by_keys(tenant.id, &named.start_keys).await? {
            named.runs.insert(run.id);
            state.run_keys.extend(run.idempotency_key.map(|key| ((run.key_id, key), run.id)));
        }
    }
    if !named.traces.is_empty() {
        for run in tx.activity().find_runs_by_traces(tenant.id, &named.traces).await? {
            named.runs.insert(run.id);
            state.traces.extend(run.external_trace_id.map(|trace| (trace, run.id)));
        }
    }
    if named.starts {
        state.current = Some(spine.choke().snapshots.current(spine, tx, tenant).await?);
    }
    if !named.lineage.is_empty() {
        // Not locked: what is asked of them never changes, and they may be another key's.
        let ids: Vec<RunId> = named.lineage.iter().copied().collect();
        state.lineage = tx.activity().lineage(tenant.id, &ids).await?;
    }
    load_runs(&mut state, tx, &named).await?;
    load_interventions(&mut state, tx, &named).await?;
    late::load(&mut state, tx, &named.spans, &late.let_through).await?;
    tree::load(&mut state, tx, named.spans.iter().copied()).await?;
    load_answers(&mut state, tx, &named, calls).await?;
    load_permits(&mut state, tx, &named).await?;
    if named.spends {
        load_usage(&mut state, tx, calls, late).await?;
    }
    load_breaches(&mut state, tx).await?;
    kept::load(&mut state, tx, calls).await?;
    Ok(state)
}

async fn load_runs(state: &mut State, tx: &Tx, named: &Named) -> Result<(), StoreError> {
    if named.runs.is_empty() {
        return Ok(());
    }
    let (tenant, ids) = (Arc::clone(&state.tenant), named.runs.iter().copied().collect::<Vec<_>>());
    let runs = tx.activity().lock_runs_for_steps(tenant.id, &ids).await?;
    let mut traces: HashMap<RunId, Trace> = tx
        .traces()
        .lock_traces(tenant.id, &ids)
        .await?
        .into_iter()
        .map(|trace| (trace.run_id, trace))
        .collect();
    let bound: BTreeSet<SnapshotId> = runs.iter().map(|(run, _)| run.snapshot_id).collect();
    let snapshots = state.spine.choke().snapshots.of(tx, &tenant, &bound).await?;
    for (run, frozen) in runs {
        let missing = |table| StoreError::Corrupt {
            table,
            row: run.id.to_string(),
            why: "the run names it, and it is not there".to_owned(),
        };
        let trace = traces.remove(&run.id).ok_or_else(|| missing("aos_traces"))?;
        let snapshot = snapshots.get(&run.snapshot_id).ok_or_else(|| missing("policy_snapshots"))?;
        // What a store knows of a freeze is its text; a name that is not ASCII may be the same in another.
        state.frozen |= frozen || !run.agent_id.is_ascii();
        state.runs.insert(run.id, stored(run, trace, Arc::clone(snapshot)));
    }
    let memory = &state.spine.choke().memory;
    if let Some(why) = ids.iter().find_map(|id| memory.fallen(tenant.id, *id, state.runs.get(id))) {
        state.spine.give_up(&why);
        return Err(StoreError::ReadOnly(why));
    }
    Ok(())
}

/// The freezes that hold, and what runs met of them; and kills that their agents do not know of yet. None of this is
/// read where nothing is frozen and nothing was killed.
async fn load_interventions(state: &mut State, tx: &Tx, named: &Named) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    if state.frozen || named.starts {
        state.freezes = tx.activity().freezes(tenant).await?.into_iter().map(Arc::new).collect();
    }
    let mut concerned = Vec::new();
    for run in state.runs.values_mut() {
        let holds = |freeze: &&Arc<Freeze>| freeze.holds(&run.run.agent_id);
        run.freeze = state.freezes.iter().find(holds).cloned();
        let met = run.trace.ranges.next(RecordKind::Intervention) > 0 || run.run.late.is_some();
        if met && (run.freeze.is_some() || run.run.halt_action == Some(Action::Kill)) {
            concerned.push(run.run.id);
        }
    }
    if concerned.is_empty() {
        return Ok(());
    }
    for record in tx.activity().interventions_met(tenant, &concerned).await? {
        let run = record.run_id.parse().ok().and_then(|id| state.runs.get_mut(&id));
        let (Some(run), Ok(id)) = (run, record.intervention_id.parse()) else { continue };
        run.met.insert(id);
        if record.kind == InterventionKind::Kill {
            run.unacked_kill = Some(id);
        }
    }
    for ack in tx.activity().acks_of_runs(tenant, &concerned).await? {
        if let Some(run) = state.runs.get_mut(&ack.run_id) {
            run.acked.insert(ack.intervention_id);
            run.unacked_kill = run.unacked_kill.filter(|id| *id != ack.intervention_id);
        }
    }
    Ok(())
}

fn stored(run: Run, trace: Trace, snapshot: Arc<BoundSnapshot>) -> RunState {
    RunState {
        stood: run.standing(),
        run,
        trace,
        snapshot,
        breached: HashSet::new(),
        near_limit: false,
        changed: false,
        is_new: false,
        ending: None,
        freeze: None,
        met: HashSet::new(),
        acked: HashSet::new(),
        unacked_kill: None,
        late: None,
    }
}

/// Answers that calls with the same keys got before.
async fn load_answers(
    state: &mut State,
    tx: &Tx,
    named: &Named,
    calls: &[&[Call]],
) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    let mut decisions: BTreeSet<DecisionId> = BTreeSet::new();
    if !named.keys.is_empty() {
        load_steps(state, tx, &named.keys, &mut decisions).await?;
        let contested = traced::contested(state, calls.iter().copied().flatten());
        if !contested.is_empty() {
            load_steps(state, tx, &contested, &mut decisions).await?;
        }
        for permit in tx.policies().find_permits_by_keys(tenant, &named.keys).await? {
            decisions.insert(permit.decision_id);
            state
                .permit_keys
                .extend(permit.idempotency_key.clone().map(|key| ((permit.run_id, key), permit)));
        }
    }
    let restarted: Vec<RunId> = state.run_keys.values().copied().collect();
    if !restarted.is_empty() {
        for decision in tx.policies().start_decisions(tenant, &restarted).await? {
            state
                .decisions
                .extend(decision.decision_id.parse().ok().map(|id| (id, Arc::new(Hashed::new(decision)))));
        }
    }
    if !decisions.is_empty() {
        let ids: Vec<_> = decisions.into_iter().collect();
        for decision in tx.policies().find_decisions(tenant, &ids).await? {
            state
                .decisions
                .extend(decision.decision_id.parse().ok().map(|id| (id, Arc::new(Hashed::new(decision)))));
        }
    }
    Ok(())
}

/// The steps that have these keys, and the ids of their decisions.
async fn load_steps(
    state: &mut State,
    tx: &Tx,
    keys: &[(RunId, String)],
    decisions: &mut BTreeSet<DecisionId>,
) -> Result<(), StoreError> {
    for step in tx.traces().find_steps_by_keys(state.tenant.id, keys).await? {
        let (Ok(run), Some(key)) = (step.record.run_id.parse(), step.record.idempotency_key.clone()) else {
            continue;
        };
        decisions.extend(step.record.decision_id.as_deref().and_then(|id| id.parse::<DecisionId>().ok()));
        state.step_keys.insert((run, key), KnownStep::of(&step.record, step.step_hash));
    }
    Ok(())
}

/// The permits that records name, and those that lapsed meanwhile: their reservations are released here.
async fn load_permits(state: &mut State, tx: &Tx, named: &Named) -> Result<(), StoreError> {
    if !named.spends {
        return Ok(());
    }
    let ids: Vec<PermitId> = named.permits.iter().copied().collect();
    // By a wrong clock nothing lapses: what others were granted is still under way.
    let most = if state.spine.clocks().wrong().is_some() { 0 } else { MAX_LAPSED };
    for permit in tx.policies().lock_permits(state.tenant.id, &ids, state.now, most).await? {
        state.permits.insert(permit.id, HeldPermit::locked(permit));
    }
    Ok(())
}

/// Every window that the group may count in, and every window that a reservation is released from.
async fn load_usage(state: &mut State, tx: &Tx, calls: &[&[Call]], late: &Late) -> Result<(), StoreError> {
    let mut opened: BTreeMap<UsageKey, Option<DateTime<Utc>>> = BTreeMap::new();
    for call in calls.iter().copied().flatten() {
        if !matches!(call.what, CallKind::Permit(_) | CallKind::Record(_)) {
            continue;
        }
        if let Some(run) = call.run_id().and_then(|run| state.runs.get(&run)) {
            let now = [run.counts_at(state.now)];
            for at in late.decided.get(&run.run.id).map_or(&now[..], Vec::as_slice) {
                opened.extend(usage::windows(run, call.provider(), *at, state.tenant.calendar));
            }
        }
    }
    let mut keys: BTreeSet<UsageKey> = opened.keys().cloned().collect();
    for permit in state.permits.values() {
        keys.extend(usage::reserved(permit.row()));
    }
    for ((run, _), spent) in tree::windows_of(state, calls.iter().copied().flatten()) {
        let Some(run) = state.runs.get(&run) else { continue };
        let windows = usage::windows(run, spent.provider.as_deref(), spent.at, state.tenant.calendar);
        keys.extend(windows.into_iter().map(|(key, _)| key));
    }
    if keys.is_empty() {
        return Ok(());
    }
    let (tenant, keys) = (state.tenant.id, keys.into_iter().collect::<Vec<_>>());
    let mut usage = tx.policies().lock_usage(tenant, &keys).await?;
    // Windows that nobody has counted in yet. One that is over, and of which a lapsed permit held something, may be gone.
    let found: HashSet<UsageKey> = usage.iter().map(Usage::key).collect();
    opened.retain(|key, _| !found.contains(key));
    if !opened.is_empty() {
        let opened: Vec<usage::Opened> = opened.into_iter().collect();
        tx.policies().ensure_usage(tenant, &opened, state.now).await?;
        usage = tx.policies().lock_usage(tenant, &keys).await?;
    }
    for usage in usage {
        state.usage.insert(usage.key(), Tracked::stored(usage));
    }
    if state.spine.clocks().wrong().is_none() {
        usage::release_lapsed(state);
    }
    Ok(())
}

/// Breaches that the runs have already, so that a repeat is told from a first.
async fn load_breaches(state: &mut State, tx: &Tx) -> Result<(), StoreError> {
    let breached = state.runs.values().filter(|run| run.next_seq(RecordKind::Breach) > 0);
    let breached: Vec<RunId> = breached.map(|run| run.run.id).collect();
    if breached.is_empty() {
        return Ok(());
    }
    for breach in tx.policies().breach_keys_of_runs(state.tenant.id, &breached).await? {
        if let Some(run) = state.runs.get_mut(&breach.run_id) {
            run.breached.insert((breach.limit_id, breach.window_start));
        }
    }
    Ok(())
}
