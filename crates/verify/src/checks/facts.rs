//! Are the facts of each decision those of the step that it judged, and of the run? Re-execution goes by the facts, so
//! it is asked with it: else a decision would be proven, and of what would not be.
//!
//! Only what holds of every decision that a server makes is asked. What the parameters give, and what a run's tools and
//! times are, is not: the first is found in what is redacted afterwards, the rest in no record.

use std::collections::{HashMap, HashSet};

use proof::{
    hash::Hash,
    records::{DecisionRecord, RecordKind, RunAfter},
    tally::judging_parts,
    words::{Moment, RunStatus},
};
use rules::{
    Count, ENGINE_VERSION, Facts, SCHEMA_VERSION,
    facts::{RunFacts, StepFacts},
};

use super::{Case, Outcome, Worst};
use crate::document::{Gist, Lines, Step};

/// Each decision's facts are of its step and run; and whether some were left out.
pub(crate) fn facts(case: &Case<'_>) -> (Outcome, bool) {
    let needed = [RecordKind::Step, RecordKind::Decision, RecordKind::Gap];
    if needed.into_iter().any(|kind| !case.whole(kind)) {
        return (Ok("records are missing, so the facts are not held against them".to_owned()), true);
    }
    let sealed = &case.document.sealed;
    let mut worst = Worst::default();
    let mut told = Told { case, granted: HashMap::new(), alike: 0, other: 0 };
    let nothing = RunAfter {
        cost_nanousd: 0,
        input_tokens: 0,
        output_tokens: 0,
        refused_count: 0,
        status: RunStatus::Running,
        step_count: 0,
    };
    told.follow(&sealed.gist, &sealed.lines, Some(nothing), &mut worst);
    for addendum in &case.document.after.addenda {
        // What the run had come to is told of the sealed part alone: a late step goes by what a replica remembered.
        told.follow(&addendum.value.added.gist, &addendum.value.added.lines, None, &mut worst);
    }
    let Told { alike, other, .. } = told;
    let outcome = worst.or_else(|| match other {
        0 => format!("the facts of {alike} decisions are those of their steps and of the run"),
        _ => format!(
            "the facts of {alike} decisions are those of their steps and of the run; {other} by another engine were not read"
        ),
    });
    (outcome, other > 0)
}

/// Whether this engine makes such decisions, and reads their facts.
pub(super) fn is_by_this_engine(decision: &DecisionRecord) -> bool {
    decision.schema_version == SCHEMA_VERSION
        && judging_parts(&decision.engine_version).eq(judging_parts(ENGINE_VERSION))
}

struct Told<'c> {
    case: &'c Case<'c>,
    /// What each permit was granted for.
    granted: HashMap<Hash, StepFacts>,
    alike: u64,
    other: u64,
}

impl Told<'_> {
    /// Goes through a stretch of decisions. `left` is how the run stood before it, where that is to be asked.
    fn follow(&mut self, gist: &Gist, lines: &Lines, mut left: Option<RunAfter>, worst: &mut Worst) {
        let decided = lines.of_kind(RecordKind::Decision);
        let judged: HashMap<Hash, usize> =
            gist.steps.iter().enumerate().filter_map(|(at, step)| Some((step.decisions().1?, at))).collect();
        let gaps: HashSet<String> = gist.gaps.iter().map(|gap| gap.decision_id).collect();
        for (decision, hash) in gist.whole_decisions.iter().zip(decided) {
            let step = judged.get(hash).map(|at| gist.steps.get(*at));
            if is_by_this_engine(decision) {
                // Facts that do not read are for re-execution to tell.
                if let Ok(facts) = Facts::from_canonical(&decision.facts) {
                    self.alike += 1;
                    self.run(decision, &facts, worst);
                    // What was answered while the store was away was judged on what a replica remembered, and is a gap,
                    // or a refusal. A span is judged when what others told of it has been taken back.
                    let is_exact = !decision.action.refuses()
                        && !gaps.contains(decision.decision_id.as_str())
                        && step.as_ref().is_none_or(|step| step.span.is_none() && step.parent.is_none());
                    if let Some(left) = left.as_ref().filter(|_| is_exact) {
                        worst.expect(stood(&facts.run, left), || {
                            format!("decision {} was made on another run so far", decision.decision_id)
                        });
                    }
                    match (&step, facts.step) {
                        (Some(step), Some(facts)) => self.step(decision, step, &facts, worst),
                        (Some(_), None) => worst.expect(false, || {
                            format!(
                                "decision {} judged a step, and has no facts of one",
                                decision.decision_id
                            )
                        }),
                        (None, Some(facts)) if decision.moment == Moment::StepPre => {
                            self.granted.insert(*hash, facts);
                        }
                        (None, _) => {}
                    }
                }
            } else {
                self.other += 1;
            }
            if let (Some(step), true) = (step, left.is_some()) {
                left = step.left;
            }
        }
    }

    /// It is of this run, and of whoever made it.
    fn run(&self, decision: &DecisionRecord, facts: &Facts, worst: &mut Worst) {
        let (document, manifest) = (self.case.document, self.case.manifest);
        let (principal, resource) = (&facts.principal, &facts.resource);
        let now = &document.after.run.value;
        let same = principal.tenant_id == manifest.tenant_id
            && resource.run_id == manifest.run_id
            && principal.agent_id == now.agent_id
            && resource.actor_type == now.actor_type;
        worst.expect(same, || {
            format!("decision {} was made on another tenant, run, agent or actor", decision.decision_id)
        });
        for run in &document.sealed.gist.run {
            let same = principal.project_id == or_empty(run.project_id.as_ref())
                && resource.provider_type == or_empty(run.provider_type.as_ref())
                && resource.source == run.source
                && resource.attempt == Count::from(run.attempt)
                && resource.is_replay == run.replay_of.is_some()
                && resource.is_synthetic == run.is_synthetic;
            worst.expect(same, || {
                format!("decision {} was made on another run than was sealed", decision.decision_id)
            });
        }
    }

    /// It is of the step that it judged; and so is the one that gave leave for that.
    fn step(&self, decision: &DecisionRecord, step: &Step, facts: &StepFacts, worst: &mut Worst) {
        let (id, index) = (&decision.decision_id, step.index);
        let provider = step.provider.as_deref().unwrap_or_default();
        let model = step.model.as_deref().unwrap_or_default();
        let asked_for = step.model_requested.as_deref().unwrap_or_default();
        let named = facts.kind == step.kind
            && facts.skill == *step.skill_name
            && facts.provider == provider
            && facts.model == model
            && facts.model_requested == asked_for;
        worst.expect(named, || {
            format!("decision {id} was made on another kind, skill, provider or model than step {index} has")
        });
        let told = facts.status == step.reported
            && facts.retry_count == Count::from(step.retry_count)
            && facts.duration_ms == Count::from(step.duration_ms);
        worst.expect(told, || {
            format!(
                "decision {id} was made on another status, number of retries or time than step {index} has"
            )
        });
        // Before the act there is only an estimate of it, which is in no step.
        if decision.moment.is_of_done() {
            worst.expect(used(facts, step), || {
                format!("decision {id} was made on other tokens or another cost than step {index} has")
            });
        }
        let (pre, own) = step.decisions();
        let Some(asked) = pre.filter(|pre| Some(*pre) != own).and_then(|pre| self.granted.get(&pre)) else {
            return;
        };
        // A model that was not named when leave was asked may be any.
        let unnamed = asked.provider.is_empty() && asked.model.is_empty();
        let leave = asked.kind == step.kind
            && asked.skill == *step.skill_name
            && (unnamed || (asked.provider == provider && asked.model == model && asked_for.is_empty()))
            && asked.labels == facts.labels;
        worst.expect(leave, || {
            format!("leave for step {index} was given for another kind, skill, provider, model or label")
        });
    }
}

fn or_empty(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

/// Whether a step used what its facts say. Of what another step tells too, they say that it used nothing: only a trace
/// does so.
fn used(facts: &StepFacts, step: &Step) -> bool {
    let said = [
        facts.input_tokens,
        facts.output_tokens,
        facts.cache_read_tokens,
        facts.cache_write_tokens,
        facts.cost_nanousd,
    ];
    if facts.told_elsewhere {
        let in_a_trace = step.span.is_some() || step.parent.is_some();
        return in_a_trace && facts.cost_known && said == [Count::ZERO; 5];
    }
    let has = [
        step.used.input_tokens,
        step.used.output_tokens,
        step.cached.0,
        step.cached.1,
        step.used.cost_nanousd,
    ];
    said == has.map(Count::from) && facts.cost_known == step.cost_known
}

/// Whether the run had come to what its facts say.
fn stood(facts: &RunFacts, left: &RunAfter) -> bool {
    facts.steps == Count::from(left.step_count)
        && facts.refused == Count::from(left.refused_count)
        && facts.tokens == Count::from(left.input_tokens) + Count::from(left.output_tokens)
        && facts.cost_nanousd == Count::from(left.cost_nanousd)
}
