//! Are the facts of each decision those of the step that it judged, and of the run? Re-execution goes by the facts, so
//! it is asked with it: else a decision would be proven, and of what would not be.
//!
//! Only what holds of every decision that a server makes is asked. What the parameters give, and what a run's tools and
//! times are, is not: the first is found in what is redacted afterwards, the rest in no record.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use proof::{
    hash::Hash,
    records::{DecisionRecord, RecordKind, RunAfter},
    tally::judging_parts,
    words::{Moment, RunStatus, StepKind},
};
use rules::{
    Count, ENGINE_VERSION, SCHEMA_VERSION,
    facts::{RunFacts, StepFacts},
};

use super::{Case, Outcome, Worst};
use crate::document::{Gist, Step};

/// Whether this engine makes such decisions, and reads their facts.
pub(super) fn is_by_this_engine(decision: &DecisionRecord) -> bool {
    decision.schema_version == SCHEMA_VERSION
        && judging_parts(&decision.engine_version).eq(judging_parts(ENGINE_VERSION))
}

/// Each decision's facts are of its step and run, as far as they have come.
pub(super) struct Facts<'c> {
    case: &'c Case<'c>,
    worst: Worst,
    /// The stretch that its decisions are of.
    gist: &'c Gist,
    /// The step that each decision of it judged.
    judged: HashMap<Hash, usize>,
    /// The decisions that are gaps.
    gaps: HashSet<String>,
    /// How the run stood before the next one, where that is to be asked.
    left: Option<RunAfter>,
    /// What each permit was granted for.
    granted: HashMap<Hash, Rc<Leave>>,
    /// What the last one was granted for.
    newest: Option<Rc<Leave>>,
    alike: u64,
    other: u64,
}

/// What leave was given for. Many permits are for the same.
#[derive(PartialEq)]
struct Leave {
    kind: StepKind,
    skill: String,
    provider: String,
    model: String,
    labels: BTreeSet<String>,
}

impl<'c> Facts<'c> {
    /// At the sealed decisions. None where records are missing.
    pub(super) fn begin(case: &'c Case<'c>) -> Option<Self> {
        let needed = [RecordKind::Step, RecordKind::Decision, RecordKind::Gap];
        if needed.into_iter().any(|kind| !case.whole(kind)) {
            return None;
        }
        let gist = &case.document.sealed.gist;
        let mut facts = Self {
            case,
            worst: Worst::default(),
            gist,
            judged: HashMap::new(),
            gaps: HashSet::new(),
            left: None,
            granted: HashMap::new(),
            newest: None,
            alike: 0,
            other: 0,
        };
        facts.go_to(gist);
        facts.left = Some(RunAfter {
            cost_nanousd: 0,
            input_tokens: 0,
            output_tokens: 0,
            refused_count: 0,
            status: RunStatus::Running,
            step_count: 0,
        });
        Some(facts)
    }

    /// Goes to the decisions of another stretch. What the run had come to is told of the sealed part alone: a late step
    /// goes by what a replica remembered.
    pub(super) fn go_to(&mut self, gist: &'c Gist) {
        let steps = gist.steps.iter().enumerate();
        self.judged = steps.filter_map(|(at, step)| Some((step.decisions().1?, at))).collect();
        self.gaps = gist.gaps.iter().map(|gap| gap.decision_id).collect();
        (self.gist, self.left) = (gist, None);
    }

    pub(super) fn decision(&mut self, decision: &DecisionRecord, hash: Hash) {
        let step = self.judged.get(&hash).map(|at| self.gist.steps.get(*at));
        if is_by_this_engine(decision) {
            // Facts that do not read are for re-execution to tell.
            if let Ok(facts) = rules::Facts::from_canonical(&decision.facts) {
                self.alike += 1;
                self.compare(decision, hash, step.as_ref(), facts);
            }
        } else {
            self.other += 1;
        }
        if let (Some(step), true) = (step, self.left.is_some()) {
            self.left = step.left;
        }
    }

    fn compare(&mut self, decision: &DecisionRecord, hash: Hash, step: Option<&Step>, facts: rules::Facts) {
        self.run(decision, &facts);
        // What was answered while the store was away was judged on what a replica remembered, and is a gap, or a
        // refusal. A span is judged when what others told of it has been taken back.
        let is_exact = !decision.action.refuses()
            && !self.gaps.contains(decision.decision_id.as_str())
            && step.is_none_or(Step::is_alone);
        if let Some(left) = self.left.as_ref().filter(|_| is_exact) {
            self.worst.expect(stood(&facts.run, left), || {
                format!("decision {} was made on another run so far", decision.decision_id)
            });
        }
        match (step, facts.step) {
            (Some(step), Some(facts)) => self.step(decision, step, &facts),
            (Some(_), None) => self.worst.expect(false, || {
                format!("decision {} judged a step, and has no facts of one", decision.decision_id)
            }),
            (None, Some(facts)) if decision.moment == Moment::StepPre => self.grant(hash, facts),
            (None, _) => {}
        }
    }

    fn grant(&mut self, hash: Hash, StepFacts { kind, skill, provider, model, labels, .. }: StepFacts) {
        let leave = Leave { kind, skill, provider, model, labels };
        let same = self.newest.as_ref().filter(|newest| ***newest == leave).cloned();
        let leave = same.unwrap_or_else(|| Rc::new(leave));
        self.newest = Some(Rc::clone(&leave));
        self.granted.insert(hash, leave);
    }

    /// Also whether some were left out.
    pub(super) fn end(self) -> (Outcome, bool) {
        let Self { worst, alike, other, .. } = self;
        let outcome = worst.or_else(|| match other {
            0 => format!("the facts of {alike} decisions are those of their steps and of the run"),
            _ => format!(
                "the facts of {alike} decisions are those of their steps and of the run; {other} by another engine were not \
                 read"
            ),
        });
        (outcome, other > 0)
    }

    /// It is of this run, and of whoever made it.
    fn run(&mut self, decision: &DecisionRecord, facts: &rules::Facts) {
        let (document, manifest) = (self.case.document, self.case.manifest);
        let (principal, resource) = (&facts.principal, &facts.resource);
        let now = &document.after.run.value;
        let same = principal.tenant_id == manifest.tenant_id
            && resource.run_id == manifest.run_id
            && principal.agent_id == now.agent_id
            && resource.actor_type == now.actor_type;
        self.worst.expect(same, || {
            format!("decision {} was made on another tenant, run, agent or actor", decision.decision_id)
        });
        for run in &document.sealed.gist.run {
            let same = principal.project_id == or_empty(run.project_id.as_ref())
                && resource.provider_type == or_empty(run.provider_type.as_ref())
                && resource.source == run.source
                && resource.attempt == Count::from(run.attempt)
                && resource.is_replay == run.replay_of.is_some()
                && resource.is_synthetic == run.is_synthetic;
            self.worst.expect(same, || {
                format!("decision {} was made on another run than was sealed", decision.decision_id)
            });
        }
    }

    /// It is of the step that it judged; and so is the one that gave leave for that.
    fn step(&mut self, decision: &DecisionRecord, step: &Step, facts: &StepFacts) {
        let (id, index) = (&decision.decision_id, step.index);
        let provider = step.provider.as_deref().unwrap_or_default();
        let model = step.model.as_deref().unwrap_or_default();
        let asked_for = step.model_requested.as_deref().unwrap_or_default();
        let named = facts.kind == step.kind
            && facts.skill == *step.skill_name
            && facts.provider == provider
            && facts.model == model
            && facts.model_requested == asked_for;
        self.worst.expect(named, || {
            format!("decision {id} was made on another kind, skill, provider or model than step {index} has")
        });
        let told = facts.status == step.reported
            && facts.retry_count == Count::from(step.retry_count)
            && facts.duration_ms == Count::from(step.duration_ms);
        self.worst.expect(told, || {
            format!(
                "decision {id} was made on another status, number of retries or time than step {index} has"
            )
        });
        // Before the act there is only an estimate of it, which is in no step.
        if decision.moment.is_of_done() {
            self.worst.expect(used(facts, step), || {
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
        self.worst.expect(leave, || {
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
