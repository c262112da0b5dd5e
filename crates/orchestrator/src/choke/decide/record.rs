//! A report of a step: STEP_POST, and STEP_PRE too where no permit was asked before.

use models::{
    activity::RunState as LifeState,
    bounds,
    ids::{PermitId, RunId},
    policies::Permit,
};
use proof::{
    hash::Hash,
    words::{Asked, Assurance, Moment, PermitNote, StepKind, StepStatus},
};

use super::gates::{known, repeated, running, serves};
use crate::{
    choke::{
        call::{Answer, Done, Recorded},
        follow::{
            chain::{StepPlace, chain, remember},
            effects, gap, texts,
        },
        judge::{self, Judged, Question},
        prepare::{Caller, PreparedStep},
        state::{
            RunState, State,
            given::Given,
            held::HeldPermit,
            late, sums,
            traced::{self, SpanPlace},
            tree,
            trees::Placed,
        },
    },
    errors::{Error, StepEnforcementError},
};

/// The permit that a report names, and whether it serves.
enum NamedPermit {
    None,
    Serves(PermitId),
    /// It does not, and this is why: the step is judged as one without permit.
    Fails(PermitNote),
    /// It served while the store was down, and the store does not have it: the step stays one that was asked for
    /// before, and its gap names the permit.
    Lost(PermitId),
}

/// `given` is what was decided of it already, while the store was down.
pub(in crate::choke) fn record(
    state: &mut State,
    caller: &Caller,
    step: &PreparedStep,
    given: Option<&Given>,
) -> Answer {
    let run_id = step.run_id;
    known(state, caller, run_id)?;
    let mut key = step.report.idempotency_key.clone();
    if step.is_span {
        match traced::place_of(state, caller, step)? {
            SpanPlace::Taken => return Ok(Done::Reported { is_new: false }),
            SpanPlace::Free(own) => key = own,
        }
    } else if let Some(answer) = repeated(state, run_id, key.as_ref(), step.request_hash)? {
        return answer;
    }
    let overdue = given.is_some();
    let let_through = given.is_some_and(|given| given.let_through);
    // A span has happened, whatever its run has come to: of a run that is sealed it is late, of one that was halted, or
    // is sealed with this group, a step like all. So has what was let through while the store was down.
    let happened = let_through || (step.is_span && takes_spans(state.run(run_id)?) && !overdue);
    if !happened {
        running(state, run_id)?;
    }
    let run = state.run(run_id)?;
    let expected = run.next_index();
    if let Some(given) = step.report.step_index.filter(|given| *given != expected && !overdue) {
        return Err(Error::StepOutOfOrder { expected, given });
    }
    if step.report.parent_step_index.is_some_and(|parent| parent >= expected) {
        return Err(Error::invalid(
            "/parent_step_index",
            format!("must be below the step's own index, {expected}"),
        ));
    }
    texts::keepable(state, run_id, &texts::of_report(&step.report))?;
    let permit = match given {
        Some(given) => permit_then(state, step, given),
        None => named_permit(state, step),
    };
    let (moment, permit_id, note, leave) = match permit {
        NamedPermit::Serves(id) => (Moment::StepPost, Some(id), None, Some(id)),
        NamedPermit::Fails(why) => (Moment::StepBoth, None, Some(why), None),
        NamedPermit::Lost(id) => (Moment::StepPost, None, Some(PermitNote::Unknown), Some(id)),
        NamedPermit::None => (Moment::StepBoth, None, None, None),
    };
    let reported_by = caller.reporter();
    // What another step tells of counts no longer, and a span is judged on what is so. No other step tells of one.
    let placed = if step.is_span {
        tree::place(state, step, expected, reported_by.as_deref())?
    } else {
        Placed::ALONE
    };
    let counts = placed.counts;
    let question = Question::record(step, moment, permit_id, note, counts, given);
    let judged = judge::judge(state, run_id, &question)?;
    if let Some(retry_after_ms) = judged.rejected_for_ms() {
        effects::throttled(state, caller, run_id, &judged)?;
        let verdict = Box::new(judged.view());
        return Err(Error::RateLimited { retry_after_ms, verdict });
    }
    if !step.is_span {
        // Only now: one that came too fast is no step, and takes no place.
        tree::place(state, step, expected, reported_by.as_deref())?;
    }
    let refused = judged.verdict.action().refuses();
    let pre = use_permit(state, run_id, permit_id, expected)?;
    let place = StepPlace {
        index: expected,
        permit_id,
        permit_note: note,
        pre,
        idempotency_key: key,
        reported_by,
        placed,
    };
    spend(state, caller, step, (moment, refused, placed), &judged)?;
    let (record, run) = chain(state, run_id, step, &judged, &place)?;
    let step_hash = record.hash();
    if let_through {
        gap::record(state, run_id, &judged, Some(expected), leave)?;
    }
    effects::apply(state, caller, run_id, &judged, Some(expected))?;
    if step.is_span {
        remember(state, run_id, record, judged);
        return Ok(Done::Reported { is_new: true });
    }
    let verdict = judged.view();
    remember(state, run_id, record, judged);
    if refused {
        let run_status = state.run(run_id)?.run.status;
        return Err(Error::StepHalted(Box::new(StepEnforcementError {
            run_id,
            step_index: Some(expected),
            run_status,
            recorded: true,
            verdict,
        })));
    }
    Ok(Done::Recorded(Box::new(Recorded {
        run_id,
        step_index: expected,
        step_hash: Some(step_hash),
        recorded: true,
        verdict,
        run,
    })))
}

/// Marks the permit of a step as used by it; gives the hash of the decision that granted it.
fn use_permit(
    state: &mut State,
    run_id: RunId,
    permit: Option<PermitId>,
    step: u64,
) -> Result<Option<Hash>, Error> {
    let Some((id, permit)) = permit.and_then(|id| Some((id, state.permits.get_mut(&id)?))) else {
        return Ok(None);
    };
    permit.use_by(step);
    let pre = permit.row().decision_hash;
    state.run_mut(run_id)?.open.close(id);
    Ok(Some(pre))
}

/// Whether a span of it is recorded: in the run while it is not sealed, in its addendum since.
fn takes_spans(run: &RunState) -> bool {
    run.late.is_some() || run.run.state == LifeState::Live
}

fn named_permit(state: &State, step: &PreparedStep) -> NamedPermit {
    let Some(id) = step.report.permit_id else { return NamedPermit::None };
    let named = state.permits.get(&id).map(HeldPermit::row);
    let Some(permit) = named.filter(|permit| permit.run_id == step.run_id) else {
        return NamedPermit::Fails(PermitNote::Unknown);
    };
    let looked_at =
        state.runs.get(&step.run_id).is_none_or(|run| run.snapshot.compiled.looks_at_models_asked());
    match (serves(permit, state.now), is_for(permit, step, looked_at)) {
        (false, _) => NamedPermit::Fails(PermitNote::Lapsed),
        (true, false) => NamedPermit::Fails(PermitNote::Mismatch),
        (true, true) => NamedPermit::Serves(permit.id),
    }
}

/// Whether the step is what leave was given for, in all that rules and limits of the asked moment look at and that can
/// be known before the act. A model and a provider that were not named when it was asked were not judged then: where
/// anything of that moment looks at them, absent is another than present; else the permit serves for whichever it came
/// to.
fn is_for(permit: &Permit, step: &PreparedStep, looked_at: bool) -> bool {
    let report = &step.report;
    let llm = report.llm.as_ref();
    let unnamed = permit.provider.is_none() && permit.model.is_none() && !looked_at;
    permit.kind == report.kind
        && permit.skill_name == report.skill_name
        && permit.params_hash == step.params_hash
        && (unnamed
            || permit.provider.as_deref() == llm.and_then(|llm| llm.provider.as_deref())
                && permit.model.as_deref() == llm.and_then(|llm| llm.model.as_deref())
                // Leave was asked with one name, which was judged as both; a second one was not.
                && llm.is_none_or(|llm| llm.model_requested.is_none()))
        && permit.labels == report.labels
}

/// What the named permit was to an answer that was given while the store was down, whatever became of it since. Also
/// without the permit it is of the moment that it was decided for: on its inputs, another one comes out otherwise.
fn permit_then(state: &State, step: &PreparedStep, given: &Given) -> NamedPermit {
    match (given.moment, step.report.permit_id, given.permit_note) {
        (Moment::StepPost, Some(id), _) if state.permits.contains_key(&id) => NamedPermit::Serves(id),
        (Moment::StepPost, Some(id), _) => NamedPermit::Lost(id),
        (_, _, Some(note)) => NamedPermit::Fails(note),
        _ => NamedPermit::None,
    }
}

/// Counts what was spent: refused or not, it is gone.
fn spend(
    state: &mut State,
    caller: &Caller,
    step: &PreparedStep,
    (moment, refused, placed): (Moment, bool, Placed),
    judged: &Judged,
) -> Result<(), Error> {
    let now = state.now;
    let status_after = effects::status_after(judged);
    let quiet = state.spine.settings().trace_quiet;
    let root = if step.is_span { traced::root(state, step) } else { traced::Root::No };
    let run = state.run_mut(step.run_id)?;
    let unasked = moment.asked() == Some(Asked::After);
    if run.late.is_some() {
        late::spend(run, step, placed);
        used(run, step);
        return Ok(());
    }
    if placed.counts {
        let (input, output, cost) = step.usage();
        sums::add(&mut run.run.input_tokens, input);
        sums::add(&mut run.run.output_tokens, output);
        // A sum that was cut is no sum that is known.
        let known = sums::add(&mut run.run.cost_nanousd, cost) && step.cost_known();
        run.run.cost_known &= known;
        run.trace.cost_known &= known;
    }
    run.seen(now);
    if unasked {
        run.run.unasked_count += 1;
        run.run.assurance = run.run.assurance.max(Assurance::Recorded);
    }
    if refused {
        run.run.refused_count += 1;
        run.trace.refused_count += 1;
    } else {
        run.run.step_count += 1;
        run.trace.step_count += 1;
        match step.report.kind {
            _ if !placed.counts => {}
            StepKind::LlmCall => run.run.llm_call_count += 1,
            StepKind::ToolCall => run.run.tool_call_count += 1,
            _ => {}
        }
    }
    if let Some(status) = status_after {
        run.run.status = status;
    }
    used(run, step);
    if step.is_span {
        let of_root = root == traced::Root::Yes;
        traced::note_part(&mut run.run, caller, &step.report.part_of, of_root);
        return traced::note_end(state, caller, step, root, quiet);
    }
    traced::heard(state, caller, step.run_id)
}

/// What the trace remembers for the run's later steps.
fn used(run: &mut RunState, step: &PreparedStep) {
    if step.report.status == StepStatus::Failure {
        run.trace.failure_count += 1;
    }
    if step.report.kind == StepKind::ToolCall {
        let tools = &mut run.trace.tools_used;
        match tools.binary_search(&step.report.skill_name) {
            Ok(_) => {}
            // Each decision holds them: without a bound, what a run stores would grow with the square of its steps.
            Err(_) if tools.len() >= bounds::TOOLS => run.trace.tools_cut = true,
            Err(at) => tools.insert(at, step.report.skill_name.clone()),
        }
        run.trace.last_tool = Some(step.report.skill_name.clone());
    }
}
