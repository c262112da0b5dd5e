//! Do the records mean each other? What one says of another is so: decisions, evidence, permits, interventions, gaps.

use std::collections::{BTreeMap, HashMap, HashSet};

use proof::{
    hash::Hash,
    records::{InterventionRecord, RecordKind},
    words::Moment,
};

use super::{Case, Outcome, Worst};
use crate::document::{Decision, Gist, Line, Step};

/// The kinds that others name by hash.
const NAMED: [RecordKind; 3] = [RecordKind::Activity, RecordKind::Decision, RecordKind::Provider];

/// What the sealed records, and each addendum's after them, may name: themselves, and all that came before.
#[derive(Default)]
pub(crate) struct Known<'c> {
    hashes: HashSet<(RecordKind, Hash)>,
    /// Kinds of which one is missing whose hash nobody knows.
    unknown: HashSet<RecordKind>,
    decisions: HashMap<Hash, &'c Decision>,
    by_id: HashMap<&'c str, &'c Decision>,
    /// The permits that were granted.
    granted: HashSet<&'c str>,
    /// Those of them that served a step while the store was there.
    served: HashSet<&'c str>,
    /// The step that each decision gave its verdict.
    judged: HashMap<Hash, u64>,
    /// The first decision that met each intervention.
    met: HashMap<&'c str, Hash>,
    interventions: HashSet<String>,
    incidents: HashSet<&'c str>,
    recorded_at: &'c str,
}

/// A stretch of records: the sealed ones, or those of an addendum.
pub(crate) struct Stretch<'c> {
    pub(crate) gist: &'c Gist,
    pub(crate) lines: &'c BTreeMap<RecordKind, Vec<Line>>,
    /// How its steps are called.
    pub(crate) called: &'static str,
    /// Kinds of which a record is missing, so that what is named may be it.
    pub(crate) missing: Vec<RecordKind>,
}

/// What a record says of another by hash is so.
pub(crate) fn links<'c>(case: &Case<'c>, known: &mut Known<'c>) -> Outcome {
    let mut worst = Worst::default();
    snapshot(case, &mut worst);
    environment(case, &mut worst);
    let sealed = &case.document.sealed;
    // What is missing may be named all the same.
    for kind in NAMED.into_iter().filter(|kind| !case.whole(*kind)) {
        known.hashes.extend(case.listed(kind).iter().flatten().map(|hash| (kind, *hash)));
        if case.listed(kind).contains(&None) {
            known.unknown.insert(kind);
        }
    }
    let missing = RecordKind::ALL.iter().copied().filter(|kind| !case.whole(*kind)).collect();
    let stretch = Stretch { gist: &sealed.gist, lines: &sealed.lines, called: "step", missing };
    known.follow(&stretch, &mut worst);
    worst.or_else(|| "snapshot, environment, decisions and evidence are those that are named".to_owned())
}

fn snapshot(case: &Case<'_>, worst: &mut Worst) {
    let (sealed, snapshot) = (&case.document.sealed, &case.document.sealed.snapshot.value);
    let digest = snapshot.definition.digest();
    worst.expect(snapshot.digest == digest, || "the snapshot's digest is not that of its text".to_owned());
    let digest = digest.to_string();
    let named = sealed.gist.snapshots.0.iter().chain([&sealed.opened.value.snapshot_digest]);
    for other in named.filter(|other| **other != digest) {
        worst.expect(false, || format!("the snapshot {other} is named, and another is here"));
    }
    // Known only where all decisions are there.
    worst.expect(!case.whole(RecordKind::Decision) || sealed.gist.engines.0 == snapshot.engines, || {
        "the snapshot names other engines than the decisions".to_owned()
    });
}

/// The OPENED leaf names the record of the environment. Where that could not be kept, a failed capture says so; there
/// is never a second one.
fn environment(case: &Case<'_>, worst: &mut Worst) {
    let listed = case.listed(RecordKind::Environment);
    let sealed = &case.document.sealed;
    if listed.is_empty() {
        let told = sealed.gist.no_environment || !case.whole(RecordKind::CaptureFailure);
        worst.expect(told, || {
            "the OPENED leaf names an environment that is not there, and no failed capture says why"
                .to_owned()
        });
        return;
    }
    let named = sealed.opened.value.environment_hash.parse::<Hash>();
    let is_named = match listed {
        [Some(hash)] => Ok(*hash) == named,
        [None] => true,
        _ => false,
    };
    worst.expect(is_named, || "the OPENED leaf names another environment".to_owned());
}

impl<'c> Known<'c> {
    /// Goes through a stretch: its records become known, and then what they say of each other is looked at.
    pub(crate) fn follow(&mut self, stretch: &Stretch<'c>, worst: &mut Worst) {
        let Stretch { gist, lines, called, missing } = stretch;
        let whole = |kind: RecordKind| !missing.contains(&kind);
        for kind in NAMED {
            let lines = lines.get(&kind).map_or(&[][..], Vec::as_slice);
            self.hashes.extend(lines.iter().map(|line| (kind, line.hash)));
        }
        let decided = lines.get(&RecordKind::Decision).map_or(&[][..], Vec::as_slice);
        for (decision, line) in gist.decisions.iter().zip(decided) {
            self.decisions.insert(line.hash, decision);
            self.decision(decision, worst);
            if let Some(met) = &decision.met {
                self.met.entry(met).or_insert(line.hash);
            }
        }
        for record in &gist.interventions {
            self.interventions.insert(text_of(record));
        }
        self.incidents.extend(gist.incidents.iter().map(String::as_str));
        for struck in &gist.struck {
            let there = self.incidents.contains(struck.incident.as_str()) || !whole(RecordKind::Incident);
            worst.expect(there, || format!("{} came to an incident that the run does not have", struck.id));
        }
        for step in &gist.steps {
            self.step(step, called, worst);
            for class in &step.bare {
                let told = gist.not_captured.contains(&(step.index, *class));
                worst.expect(told || !whole(RecordKind::CaptureFailure), || {
                    format!(
                        "{called} {} has no evidence of class {class}, and no failed capture says why",
                        step.index
                    )
                });
            }
        }
        if whole(RecordKind::Gap) {
            self.served(stretch.gist, called, worst);
        }
        for (decision, line) in gist.decisions.iter().zip(decided) {
            // A decision that says which step it judged is the one that the step names.
            let own = decision.step_index.is_none_or(|index| self.judged.get(&line.hash) == Some(&index));
            worst.expect(own || !whole(RecordKind::Step), || {
                format!("decision {} says that it judged a step that it did not", decision.id)
            });
            let met = decision.met.as_ref().is_none_or(|met| self.interventions.contains(met));
            worst.expect(met || !whole(RecordKind::Intervention), || {
                format!("decision {} met an intervention that is not here", decision.id)
            });
        }
        for record in &gist.interventions {
            self.intervention(record, whole(RecordKind::Decision), worst);
        }
        for gap in &gist.gaps {
            let told = self.by_id.get(gap.decision_id.as_str());
            let same = told.map_or(!whole(RecordKind::Decision), |told| {
                let is_of_it = if told.is_of_lost_leave() {
                    gap.permit_id.is_some()
                } else {
                    told.permit_id == gap.permit_id
                };
                told.step_index == gap.step_index && is_of_it
            });
            worst.expect(same, || format!("the gap of decision {} is of none that is here", gap.decision_id));
        }
    }

    /// It is there once, and so is the permit that it granted; and a refusal was not overridden.
    fn decision(&mut self, decision: &'c Decision, worst: &mut Worst) {
        let id = decision.id.as_str();
        let is_new = self.by_id.insert(id, decision).is_none();
        worst.expect(is_new, || format!("decision {id} is there twice"));
        if decision.moment == Moment::StepPre
            && let Some(permit) = &decision.permit_id
        {
            let is_new = self.granted.insert(permit);
            worst.expect(is_new, || format!("permit {permit} was granted by two decisions"));
        }
        worst.expect(!(decision.overridden && decision.action.refuses()), || {
            format!("decision {id} refuses, and names an override that made it act on nothing")
        });
    }

    /// A permit serves once. While the store was away a replica let pass what it remembered to be permitted, which is a
    /// gap, or refused it, and another one may have recorded a step under the same permit meanwhile.
    fn served(&mut self, gist: &'c Gist, called: &str, worst: &mut Worst) {
        let gaps: HashSet<&str> = gist.gaps.iter().map(|gap| gap.decision_id.as_str()).collect();
        for step in gist.steps.iter().filter(|step| !step.refused) {
            let in_a_gap = step.decision_id.as_deref().is_some_and(|id| gaps.contains(id));
            if let Some(permit) = step.permit_id.as_deref().filter(|_| !in_a_gap) {
                let is_new = self.served.insert(permit);
                worst.expect(is_new, || {
                    format!("{called} {} is under permit {permit}, which had served another one", step.index)
                });
            }
        }
    }

    fn step(&mut self, step: &'c Step, called: &str, worst: &mut Worst) {
        let index = step.index;
        for (kind, hash) in &step.named {
            let is_unknown = self.unknown.contains(kind);
            let there = hash.is_none_or(|hash| is_unknown || self.hashes.contains(&(*kind, hash)));
            worst.expect(there, || format!("{called} {index} names one of {kind} that is not there"));
        }
        worst.expect(step.deterministic, || {
            format!("{called} {index} has another determinism hash than its fields give")
        });
        worst.expect(self.recorded_at <= step.recorded_at.as_str(), || {
            format!("{called} {index} was recorded before the one before it")
        });
        self.recorded_at = &step.recorded_at;
        worst.expect(step.cost_known || step.used.cost_nanousd == 0, || {
            format!("{called} {index} has a cost, and says that it is not known")
        });
        worst.expect(step.parent_index.is_none_or(|parent| parent < index), || {
            format!("{called} {index} names a parent that did not come before it")
        });
        let (pre, own) = step.decisions();
        let Some(own) = own else {
            worst.expect(false, || format!("{called} {index} was judged by no decision"));
            return;
        };
        worst.expect(self.judged.insert(own, index).is_none(), || {
            format!("{called} {index} was judged by the decision on another one")
        });
        if let Some(decision) = self.decisions.get(&own) {
            let permit = step.permit_id.as_ref().filter(|_| !step.refused);
            let its_own = step.decision_id.as_ref() == Some(&decision.id)
                && decision.step_index == Some(index)
                && decision.permit_id.as_ref() == permit
                && decision.permit_note == step.permit_note
                && decision.moment.asked() == Some(step.asked)
                && decision.action.refuses() == step.refused;
            worst.expect(its_own, || format!("{called} {index} names a decision that did not judge it"));
            // Of a refused permit nothing was done, and nothing is told. What was done is what was told, unless it was
            // refused.
            let as_told = match step.reported {
                None => decision.moment == Moment::StepPre,
                Some(told) => decision.moment.is_of_done() && (step.refused || told == step.status),
            };
            worst.expect(as_told, || {
                format!("{called} {index} has another reported status than its decision and status leave it")
            });
        }
        // Under a permit, the decision before the act is the one that granted it.
        let granted = pre.filter(|pre| *pre != own);
        worst.expect(granted.is_some() == step.permit_id.is_some(), || {
            format!("{called} {index} names a permit without its decision, or a decision without its permit")
        });
        if let Some(granted) = granted.and_then(|pre| self.decisions.get(&pre)) {
            let its_permit = granted.moment == Moment::StepPre
                && granted.step_index.is_none()
                && granted.permit_id == step.permit_id
                && !granted.action.refuses();
            worst.expect(its_permit, || format!("{called} {index} names a decision that did not permit it"));
        }
    }

    /// It names the first decision that met it.
    fn intervention(&self, record: &InterventionRecord, decisions: bool, worst: &mut Worst) {
        let named: Option<Hash> = record.decision_hash.parse().ok();
        let id = &record.intervention_id;
        let is_unknown = self.unknown.contains(&RecordKind::Decision);
        let there =
            named.is_some_and(|hash| is_unknown || self.hashes.contains(&(RecordKind::Decision, hash)));
        worst.expect(there, || format!("{id} names a decision that the run does not have"));
        let first = self.met.get(text_of(record).as_str()).copied();
        worst.expect(!decisions || first == named, || {
            format!("{id} names another decision than the first that met it")
        });
    }
}

/// What each decision says that met it.
fn text_of(record: &InterventionRecord) -> String {
    proof::canonical::to_text(&record.intervened())
}
