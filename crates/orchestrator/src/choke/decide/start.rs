//! RUN_START: opens a run, binds it to the policies in force, and judges whether it may begin.

use std::{collections::HashSet, sync::Arc};

use drivers::logs::RunSalt;
use engines::logs::capture::{WasSeen, capture_environment_evidence};
use models::{
    activity::{EvidenceHealth, LatencyBucket, RiskLevel, Run, RunState as LifeState, RunVersion},
    ids::{EvidenceId, RunId, TraceId},
    logs::Trace,
};
use proof::{
    contents::Salt,
    leaves::{OpenedLeaf, RunLeaf},
    run_ranges::RunRanges,
    tagged::Hashed,
    words::{ActorType, Assurance, IntegrityStatus, Moment, RunSource, RunStatus, TraceStatus},
};

use super::{gates::unreadable, intervene};
use crate::{
    choke::{
        call::{Answer, Done},
        follow::effects,
        judge::{self, Question},
        prepare::{Caller, PreparedStart},
        state::{RunState, State, open::OpenPermits, snapshots::BoundSnapshot, traced},
    },
    errors::{Error, StepEnforcementError},
    verdict::VerdictView,
};

/// The version of the trace record's shape.
const TRACE_SCHEMA: &str = "hoc/trace/v1";

pub(in crate::choke) fn start(state: &mut State, caller: &Caller, start: &PreparedStart) -> Answer {
    if let Some(answer) = repeated(state, caller, start)? {
        return answer;
    }
    begin(state, caller, start)
}

/// Opens the run of a trace, unless the trace has one: the answer says which run it is.
pub(in crate::choke) fn trace(state: &mut State, caller: &Caller, start: &PreparedStart) -> Answer {
    let Some(trace_id) = &start.request.external_trace_id else {
        return Err(Error::HalfDone("a trace without its id".to_owned()));
    };
    if let Some(run) = state.traces.get(trace_id) {
        return Ok(Done::Traced(*run));
    }
    match begin(state, caller, start)? {
        Done::Started(run, _) => {
            state.traces.insert(trace_id.clone(), run.id);
            Ok(Done::Traced(run.id))
        }
        _ => Err(Error::HalfDone("a start starts".to_owned())),
    }
}

/// Opens the run and judges whether it may begin.
fn begin(state: &mut State, caller: &Caller, start: &PreparedStart) -> Answer {
    if let Some(why) = state.spine.clocks().wrong() {
        return Err(Error::ClockOff(why));
    }
    if let Some(bound) = start.bound_to.clone() {
        return Err(Error::AgentNotBound { agent_id: start.request.agent_id.clone(), bound });
    }
    // What is not the caller's does not exist for it, here as elsewhere.
    for (pointer, id) in [("/parent_run_id", start.parent_run_id), ("/replay_of", start.replay_of)] {
        let known = |id| state.lineage.get(&id).is_some_and(|run| caller.sees(run.key_id));
        if let Some(id) = id.filter(|id| !known(*id)) {
            return Err(Error::invalid(pointer, format!("there is no run {id}")));
        }
    }
    // What a trace tells has begun already: it is recorded, and judged.
    if start.request.external_trace_id.is_none() {
        intervene::may_start(state, &start.request.agent_id)?;
    }
    let snapshot = state
        .current
        .clone()
        .ok_or_else(|| Error::HalfDone("a start without the policies in force".to_owned()))?;
    let mut run = new_run(state, caller, start, &snapshot);
    traced::say_part(&mut run, &start.request.part_of);
    let run_id = run.id;
    open(state, run, snapshot, start);
    let judged = judge::judge(state, run_id, &Question::start(start.cut))?;
    effects::apply(state, caller, run_id, &judged, None)?;
    let verdict = judged.view();
    if judged.verdict.action().refuses() {
        effects::refuse_start(state, run_id, &judged)?;
        let run_status = state.run(run_id)?.run.status;
        return Err(halted(run_id, run_status, verdict));
    }
    let run = state.run(run_id)?.run.clone();
    Ok(Done::Started(Box::new(run), Box::new(verdict)))
}

/// The run that an earlier start of the caller's with the same key opened.
fn repeated(state: &State, caller: &Caller, start: &PreparedStart) -> Result<Option<Answer>, Error> {
    let Some(place) = caller.start_key(&start.request) else { return Ok(None) };
    let Some(run) = state.run_keys.get(&place).and_then(|id| state.runs.get(id)) else { return Ok(None) };
    if run.run.request_hash != Some(start.request_hash) {
        return Err(Error::IdempotencyConflict { key: place.1 });
    }
    let decision = state
        .decisions
        .values()
        .find(|decision| decision.moment == Moment::RunStart && decision.run_id == run.run.id.to_string());
    let unreadable = |why| unreadable("run_segments", format!("of the start of {}", run.run.id), why);
    let decision = decision.ok_or_else(|| unreadable("it is missing".to_owned()))?;
    let verdict = VerdictView::of(decision).map_err(|err| unreadable(err.to_string()))?;
    if verdict.action.refuses() {
        return Ok(Some(Err(halted(run.run.id, run.run.status, verdict))));
    }
    Ok(Some(Ok(Done::Started(Box::new(run.run.clone()), Box::new(verdict)))))
}

fn halted(run_id: RunId, run_status: RunStatus, verdict: VerdictView) -> Error {
    Error::StepHalted(Box::new(StepEnforcementError {
        run_id,
        step_index: None,
        run_status,
        recorded: true,
        verdict,
    }))
}

fn new_run(state: &State, caller: &Caller, start: &PreparedStart, snapshot: &BoundSnapshot) -> Run {
    let request = &start.request;
    let (actor_type, actor_id) = match &request.actor {
        Some((kind, id)) => (*kind, id.clone()),
        None => (ActorType::Agent, Some(request.agent_id.clone())),
    };
    let attempt = start.replay_of.and_then(|id| state.lineage.get(&id)).map_or(1, |of| of.attempt + 1);
    let now = state.now;
    Run {
        tenant: state.tenant.id,
        id: start.run_id.unwrap_or_else(|| state.id()),
        trace_id: state.id::<TraceId>(),
        agent_id: request.agent_id.clone(),
        project_id: request.project_id.clone(),
        actor_type,
        actor_id,
        goal: request.goal.clone(),
        source: request.source.unwrap_or(RunSource::Agent),
        provider_type: request.provider_type.clone(),
        parent_run_id: start.parent_run_id,
        attempt,
        replay_of: start.replay_of,
        replay_mode: request.replay_mode,
        status: RunStatus::Running,
        state: LifeState::Live,
        termination_reason: None,
        halt_action: None,
        error_message: None,
        started_at: now,
        last_seen_at: now,
        completed_at: None,
        duration_ms: None,
        expected_latency_ms: request.expected_latency_ms,
        seal_due_at: request.external_trace_id.as_ref().map(|_| traced::given_up_at(state)),
        snapshot_id: snapshot.id,
        snapshot_digest: snapshot.digest,
        assurance: if request.external_trace_id.is_some() {
            Assurance::Reported
        } else {
            Assurance::Enforced
        },
        step_count: 0,
        refused_count: 0,
        unasked_count: 0,
        llm_call_count: 0,
        tool_call_count: 0,
        input_tokens: 0,
        output_tokens: 0,
        cost_nanousd: 0,
        cost_known: true,
        correlation_id: caller.correlation_id.clone(),
        external_trace_id: request.external_trace_id.clone(),
        idempotency_key: request.idempotency_key.clone(),
        request_hash: Some(start.request_hash),
        metadata: request.metadata.clone(),
        labels: start.labels.clone(),
        is_synthetic: request.is_synthetic,
        synthetic_scenario_id: request.synthetic_scenario_id.clone(),
        risk_level: RiskLevel::Normal,
        latency_bucket: LatencyBucket::Ok,
        evidence_health: EvidenceHealth::Flowing,
        integrity_status: IntegrityStatus::Unknown,
        incident_count: 0,
        policy_violation: false,
        policy_draft_count: 0,
        conversation_id: None,
        session_id: None,
        user_id: None,
        key_id: caller.owner(),
        created_at: now,
        reported_end: None,
        late: None,
    }
}

/// Adds the run to the working state: its environment evidence, its OPENED leaf, its empty trace.
fn open(state: &mut State, run: Run, snapshot: Arc<BoundSnapshot>, start: &PreparedStart) {
    let (run_id, now) = (run.id, state.now);
    let key = run.idempotency_key.clone().map(|key| (run.key_id, key));
    let trace = Trace {
        tenant: run.tenant,
        id: run.trace_id,
        run_id,
        attempt: run.attempt,
        addendum_of: None,
        agent_id: Some(run.agent_id.clone()),
        correlation_id: run.correlation_id.clone(),
        status: TraceStatus::Running,
        abort_reason: None,
        schema_version: TRACE_SCHEMA.to_owned(),
        metadata: None,
        root_hash: None,
        // The OPENED leaf's hash, as soon as there is one.
        chain_head: proof::hash::Hash([0; 32]),
        ranges: RunRanges::default(),
        step_count: 0,
        refused_count: 0,
        tally: std::collections::BTreeMap::new(),
        tools_used: Vec::new(),
        tools_cut: false,
        last_tool: None,
        failure_count: 0,
        cost_known: true,
        expected_activity: 0,
        expected_provider: 0,
        last_recorded_at: None,
        replay_mode: run.replay_mode,
        started_at: now,
        completed_at: None,
        archived_at: None,
        sealed_leaf_index: None,
        opened_leaf_index: 0,
    };
    let mut opened = RunState {
        stood: run.standing(),
        freeze: state.freeze_for(&run.agent_id).cloned(),
        met: HashSet::new(),
        acked: HashSet::new(),
        unacked_kill: None,
        version: RunVersion::first(run.id),
        run,
        trace,
        snapshot,
        breached: HashSet::new(),
        open: OpenPermits::default(),
        near_limit: false,
        changed: true,
        is_new: true,
        ending: None,
        late: None,
    };
    let environment = Hashed::new(capture_environment_evidence(
        &opened.context(),
        state.id::<EvidenceId>(),
        start.request.environment.as_deref(),
        WasSeen {
            way_in: start.way_in,
            user_agent: start.user_agent.as_deref(),
            hoc_version: &state.spine.settings().version,
        },
        now,
    ));
    opened.trace.ranges.push_hashed(&environment);
    let leaf = RunLeaf::Opened(OpenedLeaf {
        tenant_id: opened.run.tenant.to_string(),
        run_id: run_id.to_string(),
        started_at: models::time::text(now),
        snapshot_digest: opened.snapshot.digest.to_string(),
        environment_hash: environment.hash().to_string(),
    });
    opened.trace.chain_head = leaf.hash();
    let salt = Salt::new(state.spine.secret());
    state.new.salts.push((run_id, salt.clone()));
    state.salts.insert(run_id, RunSalt::Kept(salt));
    state.new.environments.push(environment);
    state.new.leaves.push((run_id, leaf));
    state.new.runs.push(run_id);
    state.runs.insert(run_id, opened);
    if let Some(key) = key {
        state.run_keys.insert(key, run_id);
    }
}
