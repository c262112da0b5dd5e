//! Operations on runs. What changes a run goes through the choke point; reads go straight to the store.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use drivers::ReadTx;
use models::{
    activity::{
        Ack, Intervention, InterventionFilter, InterventionOutcome, InterventionState, Run, RunFilter,
    },
    ids::{InterventionId, RunId},
    logs::{StepRow, contested_span},
    page::{Page, PageRequest},
};
use proof::{
    records::StepRecord,
    words::{Action, InterventionKind, REFUSED_AFTER, RunSource, StepStatus},
};

use crate::{
    aside::aside,
    choke::{
        Answer, Done, MAX_GROUP,
        call::{EndRun, Granted, Killed, PermitRequest, Recorded, StartRun, StepReport},
        prepare::Call,
    },
    context::{CallContext, TenantSettings},
    errors::Error,
    once::Once,
    repeats::Repeat,
    spine::Spine,
    verdict::{Fired, VerdictView, fired_of},
};

/// A run that began, and the verdict of RUN_START.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// The run.
    pub run: Run,
    /// What was decided.
    pub verdict: VerdictView,
}

/// What came of a batch: an answer for each step that was attempted, in order.
#[derive(Debug)]
pub struct Batch {
    /// The answers; all but the last are grants.
    pub answers: Vec<Result<Recorded, Error>>,
    /// Positions in the batch, from 0, of the steps after the first refusal.
    pub not_attempted: Vec<usize>,
}

/// A stored step with the action of its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct StepView {
    /// The step.
    pub step: StepRow,
    /// Its verdict's action; none where its decision is not there any more.
    pub action: Option<Action>,
    /// For a reported step: what would have been answered.
    pub would_have: Option<Action>,
    /// The rules and limits that fired, the deciding one first; none where that does not read back.
    pub fired: Option<Vec<Fired>>,
    /// It came after its run was sealed, and is in an addendum.
    pub is_late: bool,
    /// What it used counts in the run's totals; not where another step tells of the same call.
    pub counts: bool,
    /// The step that it was a part of: as reported, or that of its parent span.
    pub parent_step_index: Option<u64>,
}

impl StepView {
    /// What is said of a step that was refused and had been done by then.
    #[must_use]
    pub fn refused_after(&self) -> Option<&'static str> {
        let step = &self.step.record;
        // Of a permit that was refused nothing is reported: nothing was done.
        (step.status == StepStatus::Refused && step.reported_status.is_some()).then_some(REFUSED_AFTER)
    }
}

/// `activity.start`: opens a run, bound to the policies in force.
#[tracing::instrument(name = "activity.start", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn start(spine: &Spine, ctx: &CallContext, request: StartRun) -> Result<Started, Error> {
    let call = aside(request.weight(), || Call::start(ctx, request))?;
    match one(spine, ctx, call).await? {
        Done::Started(run, verdict) => Ok(Started { run: *run, verdict: *verdict }),
        other => Err(unexpected(&other)),
    }
}

/// `activity.permit`: asks before an act. A grant reserves budget until it is used or lapses.
#[tracing::instrument(name = "activity.permit", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn permit(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    request: PermitRequest,
) -> Result<Granted, Error> {
    let call = aside(request.weight(), || Call::permit(ctx, run, request))?;
    match one(spine, ctx, call).await? {
        Done::Granted(granted) => Ok(*granted),
        other => Err(unexpected(&other)),
    }
}

/// `activity.record`: records a step and enforces. The answer follows the commit.
#[tracing::instrument(name = "activity.record", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn record(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    report: StepReport,
) -> Result<Recorded, Error> {
    let call = aside(report.weight(), || Call::record(ctx, run, report))?;
    recorded(one(spine, ctx, call).await)
}

/// `activity.record_batch`: up to 500 steps in order, in one group; none after the first that is refused.
#[tracing::instrument(name = "activity.record_batch", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn record_batch(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    reports: Vec<StepReport>,
) -> Result<Batch, Error> {
    if reports.is_empty() || reports.len() > MAX_GROUP {
        return Err(Error::invalid("/steps", format!("must be 1 to {MAX_GROUP} steps")));
    }
    let count = reports.len();
    let mut calls = Vec::with_capacity(count);
    let mut unfit = None;
    let bytes = reports.iter().map(StepReport::weight).sum();
    aside(bytes, || {
        for report in reports {
            match Call::record(ctx, run, report) {
                Ok(call) => calls.push(call),
                Err(err) => {
                    unfit = Some(err);
                    break;
                }
            }
        }
    });
    let mut answers = Vec::with_capacity(count);
    if !calls.is_empty() {
        let done = spine.choke().submit(spine, &ctx.tenant, calls).await?;
        answers.extend(done.into_iter().flatten().map(recorded));
    }
    if answers.iter().all(Result::is_ok)
        && let Some(err) = unfit
    {
        answers.push(Err(err));
    }
    let not_attempted = (answers.len()..count).collect();
    Ok(Batch { answers, not_attempted })
}

/// `activity.complete`: ends a run as SUCCEEDED or FAILED, and seals it. Again with the same status: the same answer.
#[tracing::instrument(name = "activity.complete", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn complete(spine: &Spine, ctx: &CallContext, run: RunId, how: EndRun) -> Result<Run, Error> {
    let once = Once::of(spine, ctx, "activity.complete", &(run, &how))?;
    ended(one(spine, ctx, Call::end(ctx, once, run, how)?).await)
}

/// `activity.abort`: gives a run up, and seals it.
#[tracing::instrument(name = "activity.abort", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn abort(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    reason: Option<String>,
) -> Result<Run, Error> {
    let once = Once::of(spine, ctx, "activity.abort", &(run, &reason))?;
    ended(one(spine, ctx, Call::end(ctx, once, run, EndRun::Abort { reason })?).await)
}

/// `activity.kill`: a person ends a run, at once. What its agent knows of it is for its next call to show.
#[tracing::instrument(name = "activity.kill", skip_all, fields(tenant = %ctx.tenant.id, run = %run))]
pub async fn kill(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    reason: Option<String>,
) -> Result<Killed, Error> {
    let once = Once::of(spine, ctx, "activity.kill", &(run, &reason))?;
    match one(spine, ctx, Call::kill(ctx, once, run, reason)?).await? {
        Done::Killed(killed) => {
            // Its agent is to hear of it now.
            spine.streams().stir(ctx.tenant.id);
            Ok(*killed)
        }
        other => Err(unexpected(&other)),
    }
}

/// What a person did to a run, and what is known of its effect.
#[derive(Clone, Debug, PartialEq)]
pub struct InterventionView {
    /// What was asked.
    pub intervention: Intervention,
    /// ACKED as soon as the run's agent is known to know.
    pub outcome: InterventionOutcome,
    /// How and when its agent came to know.
    pub ack: Option<Ack>,
}

/// `activity.interventions`: what people did to a run, newest first: kills that were asked for, freezes that it met.
#[tracing::instrument(name = "activity.interventions", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn interventions(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
) -> Result<Vec<InterventionView>, Error> {
    let store = spine.read().await?;
    find(&store, ctx, id).await?;
    interventions_of(&store, ctx, id).await
}

/// The same of a run that the caller may see, where somebody reads already.
pub(super) async fn interventions_of(
    store: &ReadTx,
    ctx: &CallContext,
    id: RunId,
) -> Result<Vec<InterventionView>, Error> {
    let acks = store.activity().acks_of_runs(ctx.tenant.id, &[id]).await?;
    let mut all = store.activity().interventions_on(ctx.tenant.id, id).await?;
    all.extend(store.activity().freezes_met(ctx.tenant.id, id).await?);
    all.sort_by_key(|one| std::cmp::Reverse((one.requested_at, one.id)));
    Ok(all
        .into_iter()
        .map(|intervention| {
            let ack = acks.iter().find(|ack| ack.intervention_id == intervention.id).cloned();
            let outcome = ack.as_ref().map_or(intervention.outcome, |_| InterventionOutcome::Acked);
            InterventionView { intervention, outcome, ack }
        })
        .collect())
}

/// A kill or a freeze, and whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What was asked.
    pub intervention: Intervention,
    /// Whether it still holds. A kill is for good.
    pub state: InterventionState,
    /// Who ended it, when and why; none where an older build did not note which freeze was ended.
    pub lifted: Option<Intervention>,
    /// Runs that were ended, or refused something, by it.
    pub runs_met: u64,
}

/// `activity.list_interventions`: what people stopped, newest first, with who let it go on.
#[tracing::instrument(name = "activity.list_interventions", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_interventions(
    spine: &Spine,
    ctx: &CallContext,
    filter: InterventionFilter,
    page: PageRequest,
) -> Result<Page<Stopped>, Error> {
    let tenant = ctx.tenant.id;
    let store = spine.read().await?;
    let found = store.activity().list_interventions(tenant, &filter, &page).await?;
    let ids: Vec<InterventionId> = found.items.iter().map(|one| one.id).collect();
    let met = store.activity().runs_met(tenant, &ids).await?;
    let lifts = store.activity().lifts_of(tenant, &ids).await?;
    let freezes = store.activity().freezes(tenant).await?;
    let in_force: HashSet<InterventionId> = freezes.iter().map(|freeze| freeze.intervention_id).collect();
    let mut lifted: HashMap<InterventionId, Intervention> =
        lifts.into_iter().filter_map(|one| Some((one.lifts?, one))).collect();
    let stopped = |intervention: Intervention| {
        let (id, is_kill) = (intervention.id, intervention.kind == InterventionKind::Kill);
        let holds = is_kill || in_force.contains(&id);
        Stopped {
            intervention,
            state: if holds { InterventionState::InForce } else { InterventionState::Lifted },
            lifted: lifted.remove(&id),
            runs_met: met.get(&id).copied().unwrap_or_default(),
        }
    };
    let Page { items, next_cursor, has_more, total } = found;
    Ok(Page { items: items.into_iter().map(stopped).collect(), next_cursor, has_more, total })
}

/// Ends runs that nobody ends, for the sweeper: through the choke point, like every end. Gives an answer for each.
pub(crate) async fn sweep(
    spine: &Spine,
    tenant: &Arc<TenantSettings>,
    ends: &[(RunId, EndRun)],
) -> Result<Vec<Result<Run, Error>>, Error> {
    let mut ended_runs = Vec::with_capacity(ends.len());
    for some in ends.chunks(MAX_GROUP) {
        let calls = some.iter().map(|(run, how)| Call::sweep(*run, how.clone())).collect();
        let answers = spine.choke().submit_each(spine, tenant, calls).await?;
        let none = || Err(Error::Internal("the sweep got no answer".to_owned()));
        ended_runs.extend(answers.into_iter().map(|answer| ended(answer.unwrap_or_else(none))));
    }
    Ok(ended_runs)
}

/// `activity.take_up`: takes up answers that an earlier process gave while the store was down, to be written before
/// anything else. Gives how many there are. Once, before anything is served.
#[tracing::instrument(name = "activity.take_up", skip_all)]
pub async fn take_up(spine: &Spine) -> Result<usize, Error> {
    spine.choke().take_up(spine).await
}

/// Writes answers that were given while the store was down, where no later call has done so.
pub(crate) async fn write_overdue(spine: &Spine) -> Result<(), Error> {
    spine.choke().write_overdue(spine).await
}

/// `activity.list`: the tenant's runs, newest first; an agent's own.
#[tracing::instrument(name = "activity.list", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list(
    spine: &Spine,
    ctx: &CallContext,
    mut filter: RunFilter,
    page: PageRequest,
) -> Result<Page<Run>, Error> {
    if ctx.sees_only_own_runs() {
        filter.key_id = Some(ctx.key);
    }
    Ok(spine.read().await?.activity().list_runs(ctx.tenant.id, &filter, &page).await?)
}

/// `activity.get`: one run.
#[tracing::instrument(name = "activity.get", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn get(spine: &Spine, ctx: &CallContext, id: RunId) -> Result<Run, Error> {
    find(&spine.read().await?, ctx, id).await
}

/// The same, where somebody reads already.
pub(super) async fn find(store: &ReadTx, ctx: &CallContext, id: RunId) -> Result<Run, Error> {
    let run = store.activity().find_run(ctx.tenant.id, id).await?;
    run.filter(|run| !ctx.sees_only_own_runs() || run.key_id == ctx.key)
        .ok_or_else(|| Error::not_found("run", id))
}

/// `activity.steps`: a run's steps by index, refused ones included. An agent sees those that its own key reported: a
/// run that is a trace may have others'.
#[tracing::instrument(name = "activity.steps", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn steps(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
    page: PageRequest,
) -> Result<Page<StepView>, Error> {
    let store = spine.read().await?;
    let run = find(&store, ctx, id).await?;
    steps_of(&store, ctx, &run, page).await
}

/// The same of a run that was read before, where somebody reads already.
pub(super) async fn steps_of(
    store: &ReadTx,
    ctx: &CallContext,
    run: &Run,
    page: PageRequest,
) -> Result<Page<StepView>, Error> {
    let id = run.id;
    let reported_by = ctx.sees_only_own_runs().then_some(ctx.key);
    let page = store.traces().list_steps(ctx.tenant.id, id, reported_by, &page).await?;
    let decisions: Vec<_> =
        page.items.iter().filter_map(|step| step.record.decision_id.as_deref()?.parse().ok()).collect();
    let actions = store.policies().actions(ctx.tenant.id, &decisions).await?;
    let fired = store.policies().decisions_that_fired(ctx.tenant.id, &decisions).await?;
    // What is not there, or does not read back, is for the proof of the run to find. Its steps are shown all the same, and
    // nothing is made up of them.
    let mut fired: HashMap<String, Option<Vec<Fired>>> =
        fired.into_iter().map(|decision| (decision.decision_id.clone(), fired_of(&decision).ok())).collect();
    let own = run.trace_id.to_string();
    let parents =
        page.items.iter().filter_map(|step| parent_spans(&step.record)).flatten().collect::<Vec<_>>();
    let parents = store.traces().span_places(ctx.tenant.id, id, &parents).await?;
    let indices = page.items.iter().map(|step| step.record.step_index);
    let uncounted: HashSet<u64> = match (run.source, indices.clone().min(), indices.max()) {
        (RunSource::Otlp, Some(first), Some(last)) => {
            let found = store.traces().uncounted(ctx.tenant.id, id, first..=last).await?;
            found.iter().map(|of| of.step_index).collect()
        }
        _ => HashSet::new(),
    };
    Ok(page.map(|step| {
        let decision = step.record.decision_id.as_deref().and_then(|id| id.parse().ok());
        let answer = decision.and_then(|id| actions.get(&id).copied());
        let (action, would_have) = answer.map_or((None, None), |(action, would)| (Some(action), would));
        let is_late = step.record.trace_id != own;
        let mut spans = parent_spans(&step.record).into_iter().flatten();
        let of_span = spans.find_map(|key| parents.get(&key).copied());
        let parent_step_index = step.record.parent_step_index.or(of_span);
        let of_decision = step.record.decision_id.as_ref().and_then(|id| fired.remove(id));
        let fired = of_decision.unwrap_or_else(|| action.map(|_| Vec::new()));
        let counts = !uncounted.contains(&step.record.step_index);
        StepView { step, action, would_have, fired, is_late, counts, parent_step_index }
    }))
}

/// The keys that the parent span of a step may be recorded under: what the step's own key said of it comes first.
fn parent_spans(step: &StepRecord) -> Option<[String; 2]> {
    let span = step.external_parent_span_id.clone()?;
    Some([contested_span(&span, step.reported_by.as_deref()), span])
}

async fn one(spine: &Spine, ctx: &CallContext, call: Call) -> Answer {
    let repeat = Repeat::of(spine, ctx, &call);
    if let Some(repeat) = &repeat
        && let Some(told) = repeat.answer(ctx).await
    {
        return Ok(told);
    }
    let mut answers = spine.choke().submit(spine, &ctx.tenant, vec![call]).await?;
    let answer = answers.pop().flatten();
    let answer =
        answer.unwrap_or_else(|| Err(Error::Internal("the choke point answered nothing".to_owned())));
    if let (Some(repeat), Ok(done)) = (repeat, &answer) {
        repeat.keep(ctx, done);
    }
    answer
}

fn recorded(answer: Answer) -> Result<Recorded, Error> {
    match answer? {
        Done::Recorded(recorded) => Ok(*recorded),
        other => Err(unexpected(&other)),
    }
}

fn ended(answer: Answer) -> Result<Run, Error> {
    match answer? {
        Done::Ended(run) => Ok(*run),
        other => Err(unexpected(&other)),
    }
}

/// A key that was used for another kind of call is a conflict before this; so this cannot be, and is said if it is.
fn unexpected(done: &Done) -> Error {
    let what = match done {
        Done::Started(..) => "a start",
        Done::Granted(_) => "a permit",
        Done::Recorded(_) => "a step",
        Done::Ended(_) => "an end",
        Done::Reported { .. } => "a span",
        Done::Traced(_) => "a trace",
        Done::Killed(_) => "a kill",
    };
    Error::Internal(format!("the choke point answered with {what}"))
}
