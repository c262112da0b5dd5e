//! One evaluation: facts and limits to a verdict, its decision recorded, its use counted.

mod facts;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engines::logs::capture::{DecisionInputs, capture_policy_decision_evidence};
use models::{
    account::Permits,
    ids::{DecisionId, PermitId, RunId},
    policies::{Permit, PermitStatus, Reservation, Verdict},
};
use proof::{
    records::{Intervened, RecordKind},
    tagged::Hashed,
    words::{Asked, Moment, PermitNote},
};
use rules::{
    Circumstances, Conclusion, Facts,
    facts::ContentFacts,
    limits::{LimitInput, LimitOutcome},
};

use super::{
    prepare::{PreparedPermit, PreparedStep},
    state::{RunState, State, given::Given, held::HeldPermit, met::met_freeze, usage},
};
use crate::{errors::Error, verdict::VerdictView};

/// What is to be judged.
pub(super) struct Question<'a> {
    moment: Moment,
    asked: Option<&'a PreparedPermit>,
    step: Option<&'a PreparedStep>,
    /// The permit that is asked for, or that serves.
    permit_id: Option<PermitId>,
    /// Why a named permit did not serve.
    note: Option<PermitNote>,
    /// What the step used counts; else another step tells of the same, and it is judged as one that used nothing.
    counts: bool,
    /// Something of what the run began with was too long, and was cut.
    cut: bool,
    /// What was decided already, while the store was down: on that it is decided again.
    given: Option<&'a Given>,
    /// What a person did to the run, where that is the question.
    intervened: Option<&'a Intervened>,
}

impl<'a> Question<'a> {
    pub(super) fn start(cut: bool) -> Self {
        Self {
            moment: Moment::RunStart,
            asked: None,
            step: None,
            permit_id: None,
            note: None,
            counts: true,
            cut,
            given: None,
            intervened: None,
        }
    }

    pub(super) fn permit(asked: &'a PreparedPermit, id: PermitId, given: Option<&'a Given>) -> Self {
        Self {
            moment: Moment::StepPre,
            asked: Some(asked),
            step: None,
            permit_id: Some(id),
            note: None,
            counts: true,
            cut: false,
            given,
            intervened: None,
        }
    }

    pub(super) fn record(
        step: &'a PreparedStep,
        moment: Moment,
        permit_id: Option<PermitId>,
        note: Option<PermitNote>,
        counts: bool,
        given: Option<&'a Given>,
    ) -> Self {
        Self { moment, step: Some(step), permit_id, note, counts, given, ..Self::start(false) }
    }

    /// A person's act, which no step asked for.
    pub(super) fn intervention(intervened: &'a Intervened) -> Self {
        Self { moment: Moment::Intervention, intervened: Some(intervened), ..Self::start(false) }
    }
}

/// A verdict, and what is needed to act on it.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) decision_id: DecisionId,
    pub(super) conclusion: Conclusion,
    /// The limits that applied, as they were measured.
    pub(super) limits: Vec<LimitOutcome>,
    /// What a granted permit holds.
    pub(super) reservations: Vec<Reservation>,
    /// What the call has cost: nothing, where it was only asked for.
    pub(super) spent: u64,
    /// Told by a trace: what fired is AUDITED.
    pub(super) reported: bool,
    /// The kill or freeze by a person that it met.
    intervened: Option<Intervened>,
    pub(super) decided_at: DateTime<Utc>,
}

impl Judged {
    /// How long to wait, where a RATE limit rejects the call.
    pub(super) fn rejected_for_ms(&self) -> Option<u64> {
        self.conclusion.retry_after_ms.filter(|_| !self.reported).map(rules::Count::get)
    }

    /// Whether it was asked before it was done; none where it is no step.
    pub(super) fn asked(&self) -> Option<Asked> {
        self.verdict.record().moment.asked()
    }

    /// What it judges had happened by then, permitted or not: nothing is prevented by it, and nothing said to be.
    pub(super) fn is_too_late(&self) -> bool {
        self.reported || self.verdict.record().moment.is_of_done()
    }

    /// The verdict as the caller sees it.
    pub(super) fn view(&self) -> VerdictView {
        let decision = self.verdict.record();
        VerdictView {
            action: decision.action,
            decision_id: self.decision_id,
            halt_reason: decision.halt_reason,
            deciding_policy_id: decision.deciding_policy_id.clone(),
            fired: self.conclusion.fired.clone(),
            limits: self.conclusion.limits.clone(),
            would_have: decision.would_have,
            intervention: self.intervened.clone(),
            asked: decision.moment.asked(),
            is_of_done: decision.moment.is_of_done(),
            permit_note: decision.permit_note,
            checked_at: self.decided_at,
        }
    }
}

/// Judges, records the decision, and counts the use: of what was spent always, of the call only if it is granted.
pub(super) fn judge(state: &mut State, run_id: RunId, question: &Question<'_>) -> Result<Judged, Error> {
    let run = state.run(run_id)?;
    let (moment, given) = (question.moment, question.given);
    let serving = question.permit_id.filter(|_| moment == Moment::StepPost);
    let permit = serving.and_then(|id| state.permits.get(&id)).map(HeldPermit::row);
    // What was answered already is decided on what it was decided on.
    let (facts, inputs) = if let Some(given) = given {
        given.inputs()
    } else {
        let facts = facts_of(state, run, question);
        let inputs = usage::inputs(state, run, moment, &facts, permit, question.step);
        (facts, inputs)
    };
    let snapshot = Arc::clone(&run.snapshot);
    let outcomes = snapshot.compiled.evaluate(moment, &facts);
    let limits = snapshot.compiled.measure(moment, &facts, &inputs);
    let freeze = given.map_or(&run.freeze, |given| &given.freeze).clone();
    let freeze = freeze.filter(|_| moment != Moment::Intervention);
    let frozen = freeze.as_ref().map(|freeze| freeze.intervened());
    let intervened = question.intervened.or(frozen.as_ref());
    let reported = is_reported(run, question);
    let permit_required = match given {
        Some(given) => given.permit_required,
        None => moment == Moment::StepBoth && !reported && state.tenant.permits == Permits::Required,
    };
    let circumstances = Circumstances { intervened, permit_note: question.note, permit_required };
    let conclusion = rules::conclude_under(moment, &outcomes, &limits, circumstances);
    let held = permit.filter(|permit| permit.status == PermitStatus::Granted);
    let held = held.map(|permit: &Permit| permit.reservations.clone());

    let rejected = conclusion.is_rejection() && !reported;
    let refused = conclusion.action.refuses() && !reported;
    let decided = Decided {
        facts: &facts,
        inputs: &inputs,
        conclusion: &conclusion,
        intervened,
        permit_required,
        reported,
    };
    let (verdict, decision_id) = decide(state, run_id, question, &decided, (rejected, refused))?;
    if let Some(freeze) = &freeze {
        met_freeze(state, run_id, freeze, verdict.hash())?;
    }
    let mut reservations = Vec::new();
    let decided_at = given.map_or(state.now, |given| given.decided_at);
    if !rejected {
        if let Some(held) = held {
            usage::release(state, &held);
        }
        let at = match given {
            Some(given) => given.decided_at,
            None => state.run(run_id)?.counts_at(state.now),
        };
        let call = usage::Decided { moment, at, facts: &facts, refused, step: question.step };
        reservations = usage::settle(state, &snapshot, &call);
    }
    let intervened = intervened.cloned();
    let done = facts.step.as_ref().filter(|_| moment.is_of_done());
    let spent = done.map_or(0, |step| step.cost_nanousd.get());
    Ok(Judged {
        verdict,
        decision_id,
        conclusion,
        limits,
        reservations,
        spent,
        reported,
        intervened,
        decided_at,
    })
}

/// Whether it is told by a trace, so that nothing can be done about it: a span, and that the trace began. What is asked
/// in the run of a trace has not happened, and whoever reports a step there by the API is answered: both are judged as
/// in any run.
fn is_reported(run: &RunState, question: &Question<'_>) -> bool {
    let is_told = match question.step {
        Some(step) => step.is_span,
        None => question.moment == Moment::RunStart,
    };
    is_told && run.run.is_reported()
}

fn facts_of(state: &State, run: &RunState, question: &Question<'_>) -> Facts {
    let (step, content) = match (question.asked, question.step) {
        (Some(asked), _) => (Some(facts::estimated(asked)), asked.content.clone()),
        (None, Some(step)) => (Some(facts::reported(step, question.counts)), step.content.clone()),
        (None, None) => (None, ContentFacts { truncated: question.cut, ..ContentFacts::default() }),
    };
    facts::facts(state, run, step, content)
}

/// What a decision was taken on, and what came of it.
struct Decided<'a> {
    facts: &'a Facts,
    inputs: &'a [LimitInput],
    conclusion: &'a Conclusion,
    intervened: Option<&'a Intervened>,
    permit_required: bool,
    reported: bool,
}

/// Makes the decision's record, hashes it into the run's records and concludes the verdict.
fn decide(
    state: &mut State,
    run_id: RunId,
    question: &Question<'_>,
    decided: &Decided<'_>,
    (rejected, refused): (bool, bool),
) -> Result<(Verdict, DecisionId), Error> {
    let (decision_id, decided_at) = match question.given {
        Some(given) => (given.decision_id, given.decided_at),
        None => (state.id(), state.now),
    };
    let run = state.run_mut(run_id)?;
    // A step has an index; so does a refused permit. A granted one does not yet, and a rejected call never will.
    let indexed = !rejected && (question.step.is_some() || (question.asked.is_some() && refused));
    let context = run.context();
    let context = if indexed { context.at_step(run.next_index()) } else { context };
    let inputs = DecisionInputs {
        moment: question.moment,
        permit_id: question.permit_id.filter(|_| !refused),
        snapshot_digest: run.snapshot.digest,
        facts: decided.facts,
        limit_inputs: decided.inputs,
        conclusion: decided.conclusion,
        permit_note: question.note,
        permit_required: decided.permit_required,
        intervened: decided.intervened,
        reported: decided.reported,
    };
    let seq = run.next_seq(RecordKind::Decision);
    let record = capture_policy_decision_evidence(&context, decision_id, seq, &inputs, decided_at);
    let decision = Arc::new(Hashed::new(record));
    run.trace.ranges.push_hashed(&decision);
    *run.trace.tally.entry(decision.action).or_default() += 1;
    state.new.decisions.push(Arc::clone(&decision));
    state.decisions.insert(decision_id, Arc::clone(&decision));
    Ok((Verdict::conclude(decision), decision_id))
}
