//! What the checks ask of records: of most no more than their hash, for they have been read and so are of their type.

use std::collections::HashSet;

use proof::{
    bundle::Engine,
    contents::Content,
    hash::Hash,
    records::{
        BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord, GapRecord, IncidentRecord,
        IntegrityRecord, InterventionRecord, PreventionRecord, RecordKind, RunAfter, RunRecord, StepRecord,
    },
    tagged::RunEvidence,
    tally::Told,
    words::{Action, Asked, CostNote, EvidenceClass, Moment, PermitNote, StepKind, StepStatus},
};
use serde::Deserialize;

use crate::json::Parser;

/// What every record has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) hash: Hash,
    /// The place that it claims among its kind.
    pub(crate) place: Option<u64>,
}

/// What reading a stretch of records gathers: of the sealed ones, or of those of one addendum.
#[derive(Debug, Default)]
pub(crate) struct Gist {
    /// Every tenant and run that a record names: more than one is one too many.
    pub(crate) owners: Distinct<(String, Option<String>)>,
    /// Every trace that a step or the run names.
    pub(crate) traces: Distinct<String>,
    /// Every snapshot that a decision or the run names.
    pub(crate) snapshots: Distinct<String>,
    /// Every engine that a decision names, in order.
    pub(crate) engines: Distinct<Engine>,
    pub(crate) steps: Vec<Step>,
    pub(crate) decisions: Vec<Decision>,
    /// The whole decisions, if they were asked for.
    pub(crate) whole_decisions: Vec<DecisionRecord>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) interventions: Vec<InterventionRecord>,
    /// The incidents that the run opened or joined.
    pub(crate) incidents: Vec<String>,
    /// What says that it came to an incident.
    pub(crate) struck: Vec<Struck>,
    /// What came of each rule and limit that fired: enforcements, and prevention records.
    pub(crate) enforced: Vec<Effect>,
    pub(crate) prevented: Vec<Effect>,
    /// The limits that were passed, and in which window.
    pub(crate) breached: Vec<(String, String)>,
    pub(crate) run: Vec<RunRecord>,
    pub(crate) integrity: Vec<IntegrityRecord>,
    /// Whether a capture of the environment is said to have failed.
    pub(crate) no_environment: bool,
    /// The steps of which a capture is said to have failed, and of which class.
    pub(crate) not_captured: HashSet<(u64, EvidenceClass)>,
}

impl Gist {
    pub(super) fn owner<T: RunEvidence>(&mut self, record: &T) {
        let (tenant, run) = (record.tenant_id(), record.run_id());
        self.owners.note(
            |(known, of)| known == tenant && of.as_deref() == run,
            || (tenant.to_owned(), run.map(str::to_owned)),
        );
    }

    pub(super) fn step(&mut self, step: StepRecord) {
        self.traces.text(&step.trace_id);
        self.steps.push(Step::of(step));
    }

    pub(super) fn decision(&mut self, decision: DecisionRecord, whole: bool) {
        self.snapshots.text(&decision.snapshot_digest);
        let DecisionRecord { engine_version, schema_version, .. } = &decision;
        self.engines.note(
            |known| known.engine_version == *engine_version && known.schema_version == *schema_version,
            || Engine { engine_version: engine_version.clone(), schema_version: schema_version.clone() },
        );
        self.decisions.push(Decision::of(&decision));
        if whole {
            self.whole_decisions.push(decision);
        }
    }

    pub(super) fn gap(&mut self, gap: GapRecord) {
        let GapRecord { decision_id, step_index, permit_id, .. } = gap;
        self.gaps.push(Gap { decision_id, step_index, permit_id });
    }

    pub(super) fn intervention(&mut self, intervention: InterventionRecord) {
        self.interventions.push(intervention);
    }

    pub(super) fn incident(&mut self, incident: IncidentRecord) {
        self.incidents.push(incident.incident_id);
    }

    pub(super) fn enforcement(&mut self, enforcement: EnforcementRecord) {
        let EnforcementRecord { enforcement_id: id, incident_id, policy_id, step_index, .. } = enforcement;
        let struck = incident_id.is_some();
        self.enforced.push(Effect { policy_id, step_index, asked: None, refused_after: false, struck });
        self.struck.extend(incident_id.map(|incident| Struck { id, incident }));
    }

    pub(super) fn prevention(&mut self, prevention: PreventionRecord) {
        let PreventionRecord {
            prevention_id: id,
            policy_id,
            blocked_incident_id,
            step_index,
            asked,
            refused_after,
            ..
        } = prevention;
        let struck = blocked_incident_id.is_some();
        let effect =
            policy_id.map(|policy_id| Effect { policy_id, step_index, asked, refused_after, struck });
        self.prevented.extend(effect);
        self.struck.extend(blocked_incident_id.map(|incident| Struck { id, incident }));
    }

    pub(super) fn breach(&mut self, breach: BreachRecord) {
        self.breached.push((breach.limit_id, breach.window_start));
    }

    pub(super) fn failure(&mut self, failure: &CaptureFailureRecord) {
        self.no_environment |= failure.evidence_class == EvidenceClass::Environment;
        self.not_captured.extend(failure.step_index.map(|index| (index, failure.evidence_class)));
    }

    pub(super) fn run(&mut self, run: RunRecord) {
        self.traces.text(&run.trace_id);
        self.snapshots.text(&run.snapshot_digest);
        self.run.push(run);
    }
}

/// What the checks ask of a step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) index: u64,
    /// The step that its caller says it came of.
    pub(crate) parent_index: Option<u64>,
    pub(crate) kind: StepKind,
    pub(crate) status: StepStatus,
    pub(crate) refused: bool,
    /// What its caller said of it; none of a refused permit.
    pub(crate) reported: Option<StepStatus>,
    pub(crate) asked: Asked,
    pub(crate) permit_note: Option<PermitNote>,
    /// None if the text is no hash.
    pub(crate) prev: Option<Hash>,
    /// The records that it names by their hash, and of which kind they must be: the decision before the act and that
    /// on its result first.
    pub(crate) named: [(RecordKind, Option<Hash>); 4],
    /// The classes of evidence that a step of its kind has, of which it names none.
    pub(crate) bare: Vec<EvidenceClass>,
    pub(crate) decision_id: Option<String>,
    pub(crate) permit_id: Option<String>,
    /// The texts that it names.
    pub(crate) texts: [Option<Content>; 4],
    /// Whether its determinism hash is that of its fields.
    pub(crate) deterministic: bool,
    pub(crate) used: Used,
    pub(crate) cost_known: bool,
    /// What its provider read from its cache, and wrote there.
    pub(crate) cached: (u64, u64),
    pub(crate) duration_ms: u64,
    pub(crate) retry_count: u64,
    pub(crate) provider: Option<String>,
    cost_note: Option<CostNote>,
    /// Its place in the tree of its run.
    pub(crate) skill_name: String,
    pub(crate) model: Option<String>,
    pub(crate) model_requested: Option<String>,
    pub(crate) span: Option<String>,
    pub(crate) parent: Option<String>,
    reporter: Option<String>,
    /// How it says that it left the run.
    pub(crate) run_after: String,
    pub(crate) recorded_at: String,
}

/// What a step used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) cost_nanousd: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

impl Step {
    fn of(step: StepRecord) -> Self {
        // That each text is a hash was seen when it was read.
        let named = |text: Option<&String>| text.and_then(|text| text.parse().ok());
        Self {
            index: step.step_index,
            parent_index: step.parent_step_index,
            bare: bare(&step),
            kind: step.kind,
            status: step.status,
            refused: step.status == StepStatus::Refused,
            reported: step.reported_status,
            asked: step.asked,
            permit_note: step.permit_note,
            prev: step.prev_hash.parse().ok(),
            named: [
                (RecordKind::Decision, named(step.pre_decision_hash.as_ref())),
                (RecordKind::Decision, named(step.post_decision_hash.as_ref())),
                (RecordKind::Activity, named(step.activity_hash.as_ref())),
                (RecordKind::Provider, named(step.provider_hash.as_ref())),
            ],
            texts: [step.params, step.outcome_data, step.prompt, step.response],
            deterministic: step.determinism_hash.parse() == Ok(step.determinism()),
            cost_known: step.cost_known,
            cached: (step.cache_read_tokens, step.cache_write_tokens),
            duration_ms: step.duration_ms,
            retry_count: step.retry_count,
            provider: step.provider,
            cost_note: step.cost_note,
            used: Used {
                cost_nanousd: step.cost_nanousd,
                input_tokens: step.input_tokens,
                output_tokens: step.output_tokens,
            },
            skill_name: step.skill_name,
            model: step.model,
            model_requested: step.model_requested,
            span: step.external_span_id,
            parent: step.external_parent_span_id,
            reporter: step.reported_by,
            decision_id: step.decision_id,
            permit_id: step.permit_id,
            run_after: step.run_after,
            recorded_at: step.recorded_at,
        }
    }

    /// What the tree of its run is told of it.
    pub(crate) fn told(&self) -> Told<'_> {
        let Used { cost_nanousd, input_tokens, output_tokens } = self.used;
        Told {
            index: self.index,
            span: self.span.as_deref(),
            parent: self.parent.as_deref(),
            kind: self.kind,
            skill_name: &self.skill_name,
            models: [self.model.as_deref(), self.model_requested.as_deref()],
            used: (input_tokens, output_tokens, cost_nanousd),
            note: self.cost_note,
            failed: self.reported == Some(StepStatus::Failure),
            reporter: self.reporter.as_deref(),
        }
    }

    /// How it says that it left the run, if that can be read.
    pub(crate) fn left(&self) -> Option<RunAfter> {
        let mut parser = Parser::new(&self.run_after);
        RunAfter::deserialize(&mut parser).and_then(|after| parser.end().map(|()| after)).ok()
    }

    /// The decision before the act, and the one that gave the step its verdict: on its result, or before an act that
    /// was refused.
    pub(crate) fn decisions(&self) -> (Option<Hash>, Option<Hash>) {
        let [(_, pre), (_, post), ..] = self.named;
        (pre, post.or(pre))
    }
}

/// What the checks ask of a decision.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) id: String,
    pub(crate) action: Action,
    pub(crate) moment: Moment,
    pub(crate) step_index: Option<u64>,
    pub(crate) permit_id: Option<String>,
    pub(crate) permit_note: Option<PermitNote>,
    /// The intervention that it met.
    pub(crate) met: Option<String>,
    /// Whether an override is said to have made it act on nothing.
    pub(crate) overridden: bool,
}

impl Decision {
    fn of(decision: &DecisionRecord) -> Self {
        Self {
            id: decision.decision_id.clone(),
            action: decision.action,
            moment: decision.moment,
            step_index: decision.step_index,
            permit_id: decision.permit_id.clone(),
            permit_note: decision.permit_note,
            met: decision.intervention.clone(),
            overridden: decision.overridden_by.is_some(),
        }
    }

    /// Whether it let a step pass by leave of which there is no record: the step's gap alone names the permit.
    pub(crate) fn is_of_lost_leave(&self) -> bool {
        self.moment == Moment::StepPost && self.permit_id.is_none() && self.permit_note.is_some()
    }
}

/// An enforcement or a prevention, and the incident that it says it came to.
#[derive(Debug)]
pub(crate) struct Struck {
    pub(crate) id: String,
    pub(crate) incident: String,
}

/// What came of a rule or limit that fired at a step, or at none.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) policy_id: String,
    pub(crate) step_index: Option<u64>,
    /// Whether it was asked before it was done, and refused after that. An enforcement does not say.
    pub(crate) asked: Option<Asked>,
    pub(crate) refused_after: bool,
    /// Whether it came to an incident.
    pub(crate) struck: bool,
}

/// What the checks ask of a gap.
#[derive(Debug)]
pub(crate) struct Gap {
    pub(crate) decision_id: String,
    pub(crate) step_index: Option<u64>,
    pub(crate) permit_id: Option<String>,
}

/// The different values among many, in the order in which they came. Almost always there is one.
#[derive(Debug)]
pub(crate) struct Distinct<T>(pub(crate) Vec<T>);

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Distinct<T> {
    fn note(&mut self, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) {
        // A forged document may have as many as it likes; a second one is enough to refuse it.
        if self.0.len() < 64 && !self.0.iter().any(same) {
            self.0.push(make());
        }
    }
}

impl Distinct<String> {
    fn text(&mut self, text: &str) {
        self.note(|known| known == text, || text.to_owned());
    }
}

/// The classes of which a step names no record, though it was done and is of a kind that has one.
fn bare(step: &StepRecord) -> Vec<EvidenceClass> {
    // A permit that was refused is a step of which nothing was done.
    if step.status == StepStatus::Refused && step.reported_status.is_none() {
        return Vec::new();
    }
    let calls = matches!(step.kind, StepKind::LlmCall | StepKind::ToolCall | StepKind::HttpCall);
    let activity = (calls && step.activity_hash.is_none()).then_some(EvidenceClass::Activity);
    let asked_a_model = step.kind == StepKind::LlmCall;
    let provider = (asked_a_model && step.provider_hash.is_none()).then_some(EvidenceClass::Provider);
    activity.into_iter().chain(provider).collect()
}
