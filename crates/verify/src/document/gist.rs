//! What the checks ask of records: of most no more than their hash, for they have been read and so are of their type.

use std::{collections::HashSet, rc::Rc};

use proof::{
    bundle::Engine,
    records::{
        BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord, GapRecord, IncidentRecord,
        IntegrityRecord, InterventionRecord, PreventionRecord, RunRecord, StepRecord,
    },
    tagged::RunEvidence,
    words::EvidenceClass,
};

use super::{
    decision::{Breach, Decision, Effect, Gap, Struck},
    packed::Packed,
    step::Step,
};

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
    pub(crate) steps: Packed<Step>,
    /// When the first step was recorded, and when the last.
    pub(crate) recorded: Option<(String, String)>,
    pub(crate) decisions: Packed<Decision>,
    pub(crate) gaps: Packed<Gap>,
    pub(crate) interventions: Vec<InterventionRecord>,
    /// The incidents that the run opened or joined.
    pub(crate) incidents: Vec<String>,
    /// What says that it came to an incident.
    pub(crate) struck: Packed<Struck>,
    /// What came of each rule and limit that fired: enforcements, and prevention records.
    pub(crate) enforced: Packed<Effect>,
    pub(crate) prevented: Packed<Effect>,
    /// The limits that were passed, and in which window.
    pub(crate) breached: Packed<Breach>,
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
        let at = step.recorded_at.clone();
        let goes_back = self.recorded.as_ref().is_some_and(|(_, before)| *before > at);
        match &mut self.recorded {
            Some((_, last)) => *last = at,
            none => *none = Some((at.clone(), at)),
        }
        self.steps.push(&Step::of(step, goes_back));
    }

    pub(super) fn decision(&mut self, decision: &DecisionRecord) {
        self.snapshots.text(&decision.snapshot_digest);
        let DecisionRecord { engine_version, schema_version, .. } = decision;
        self.engines.note(
            |known| known.engine_version == *engine_version && known.schema_version == *schema_version,
            || Engine { engine_version: engine_version.clone(), schema_version: schema_version.clone() },
        );
        self.decisions.push(&Decision::of(decision));
    }

    pub(super) fn gap(&mut self, gap: GapRecord) {
        let GapRecord { decision_id, step_index, permit_id, .. } = gap;
        self.gaps.push(&Gap { decision_id, step_index, permit_id });
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
        let policy_id = Rc::from(policy_id);
        self.enforced.push(&Effect { policy_id, step_index, asked: None, refused_after: false, struck });
        if let Some(incident) = incident_id {
            self.struck.push(&Struck { id, incident });
        }
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
        if let Some(policy_id) = policy_id.map(Rc::from) {
            self.prevented.push(&Effect { policy_id, step_index, asked, refused_after, struck });
        }
        if let Some(incident) = blocked_incident_id {
            self.struck.push(&Struck { id, incident });
        }
    }

    pub(super) fn breach(&mut self, breach: BreachRecord) {
        let (limit_id, window_start) = (Rc::from(breach.limit_id), Rc::from(breach.window_start));
        self.breached.push(&Breach { limit_id, window_start });
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
