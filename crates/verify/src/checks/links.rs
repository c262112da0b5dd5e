//! Do the records mean each other? What one says of another is so: decisions, evidence, permits, interventions, gaps.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use proof::{
    hash::Hash,
    records::{InterventionRecord, RecordKind},
    words::Moment,
};

use super::{
    Case, Outcome, Worst,
    known::{Names, Place, Stretches},
};
use crate::document::{Decision, Gist, Lines, Step};

/// The kinds that others name by hash.
const NAMED: [RecordKind; 3] = [RecordKind::Activity, RecordKind::Decision, RecordKind::Provider];

/// What the sealed records, and each addendum's after them, may name: themselves, and all that came before.
#[derive(Default)]
pub(crate) struct Known<'c> {
    stretches: Stretches<'c>,
    /// What is signed, and not here.
    absent: HashSet<(RecordKind, Hash)>,
    /// Kinds of which one is missing whose hash nobody knows.
    unknown: HashSet<RecordKind>,
    decisions: Names,
    /// The decisions of gaps, those of addenda too; and where they are.
    of_gaps: HashMap<String, Option<Place>>,
    /// The permits that were granted.
    granted: Names,
    /// Those of them that served a step while the store was there.
    served: Names,
    /// The step that each decision gave its verdict.
    judged: HashMap<Hash, u64>,
    /// The first decision that met each intervention.
    met: HashMap<Rc<str>, Hash>,
    interventions: HashSet<String>,
    incidents: HashSet<&'c str>,
    /// When the last step was.
    recorded_at: &'c str,
}

/// A stretch of records: the sealed ones, or those of an addendum.
pub(crate) struct Stretch<'c> {
    pub(crate) gist: &'c Gist,
    pub(crate) lines: &'c Lines,
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
        let here: HashSet<&Hash> = sealed.lines.of_kind(kind).iter().collect();
        let absent = case.listed(kind).iter().flatten().filter(|hash| !here.contains(&hash));
        known.absent.extend(absent.map(|hash| (kind, hash)));
        if case.listed(kind).iter().any(|hash| hash.is_none()) {
            known.unknown.insert(kind);
        }
    }
    let late = case.document.after.addenda.iter().map(|addendum| &addendum.value.added.gist);
    for gist in std::iter::once(&sealed.gist).chain(late) {
        known.of_gaps.extend(gist.gaps.iter().map(|gap| (gap.decision_id, None)));
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
    let is_named = match (listed.len(), listed.last()) {
        (1, Some(hash)) => Ok(hash) == named,
        (1, None) => true,
        _ => false,
    };
    worst.expect(is_named, || "the OPENED leaf names another environment".to_owned());
}

impl<'c> Known<'c> {
    /// Goes through a stretch: its records become known, and then what they say of each other is looked at.
    pub(crate) fn follow(&mut self, stretch: &Stretch<'c>, worst: &mut Worst) {
        let Stretch { called, missing, .. } = stretch;
        let (gist, lines) = (stretch.gist, stretch.lines);
        let whole = |kind: RecordKind| !missing.contains(&kind);
        self.stretches.push(gist, lines, &NAMED);
        let decided = lines.of_kind(RecordKind::Decision);
        for (at, (decision, hash)) in gist.decisions.iter().zip(decided).enumerate() {
            if let Some(place) = self.of_gaps.get_mut(&decision.id) {
                *place = Some(self.stretches.newest(at));
            }
            self.decision(&decision, worst);
            if let Some(met) = decision.met {
                self.met.entry(met).or_insert(*hash);
            }
        }
        for record in &gist.interventions {
            self.interventions.insert(text_of(record));
        }
        self.incidents.extend(gist.incidents.iter().map(String::as_str));
        for struck in gist.struck.iter() {
            let there = self.incidents.contains(struck.incident.as_str()) || !whole(RecordKind::Incident);
            worst.expect(there, || format!("{} came to an incident that the run does not have", struck.id));
        }
        let (first, last) =
            gist.recorded.as_ref().map_or(("", ""), |(first, last)| (first.as_str(), last.as_str()));
        for (at, step) in gist.steps.iter().enumerate() {
            let is_later = if at == 0 { self.recorded_at <= first } else { !step.goes_back };
            self.step(&step, called, is_later, worst);
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
        if !gist.steps.is_empty() {
            self.recorded_at = last;
        }
        if whole(RecordKind::Gap) {
            self.served(gist, called, worst);
        }
        for (decision, hash) in gist.decisions.iter().zip(decided) {
            // A decision that says which step it judged is the one that the step names.
            let own = decision.step_index.is_none_or(|index| self.judged.get(hash) == Some(&index));
            worst.expect(own || !whole(RecordKind::Step), || {
                format!("decision {} says that it judged a step that it did not", decision.id)
            });
            let met = decision.met.as_ref().is_none_or(|met| self.interventions.contains(&**met));
            worst.expect(met || !whole(RecordKind::Intervention), || {
                format!("decision {} met an intervention that is not here", decision.id)
            });
        }
        for record in &gist.interventions {
            self.intervention(record, whole(RecordKind::Decision), worst);
        }
        for gap in gist.gaps.iter() {
            let place = self.of_gaps.get(&gap.decision_id).copied().flatten();
            let told = place.map(|place| self.stretches.decision_at(place));
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
    fn decision(&mut self, decision: &Decision, worst: &mut Worst) {
        let id = decision.id.as_str();
        let is_new = self.decisions.is_new(id);
        worst.expect(is_new, || format!("decision {id} is there twice"));
        if decision.moment == Moment::StepPre
            && let Some(permit) = &decision.permit_id
        {
            let is_new = self.granted.is_new(permit);
            worst.expect(is_new, || format!("permit {permit} was granted by two decisions"));
        }
        worst.expect(!(decision.overridden && decision.action.refuses()), || {
            format!("decision {id} refuses, and names an override that made it act on nothing")
        });
    }

    /// A permit serves once. While the store was away a replica let pass what it remembered to be permitted, which is a
    /// gap, or refused it, and another one may have recorded a step under the same permit meanwhile.
    fn served(&mut self, gist: &Gist, called: &str, worst: &mut Worst) {
        let gaps: HashSet<String> = gist.gaps.iter().map(|gap| gap.decision_id).collect();
        for step in gist.steps.iter().filter(|step| !step.refused()) {
            let in_a_gap = step.decision_id.as_deref().is_some_and(|id| gaps.contains(id));
            if let Some(permit) = step.permit_id.as_deref().filter(|_| !in_a_gap) {
                let is_new = self.served.is_new(permit);
                worst.expect(is_new, || {
                    format!("{called} {} is under permit {permit}, which had served another one", step.index)
                });
            }
        }
    }

    fn step(&mut self, step: &Step, called: &str, is_later: bool, worst: &mut Worst) {
        let index = step.index;
        for (kind, hash) in &step.named {
            let is_unknown = self.unknown.contains(kind);
            let there = hash.is_none_or(|hash| is_unknown || self.has(*kind, &hash));
            worst.expect(there, || format!("{called} {index} names one of {kind} that is not there"));
        }
        worst.expect(step.deterministic, || {
            format!("{called} {index} has another determinism hash than its fields give")
        });
        worst.expect(is_later, || format!("{called} {index} was recorded before the one before it"));
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
        if let Some(decision) = self.stretches.decision(&own) {
            let permit = step.permit_id.as_ref().filter(|_| !step.refused());
            let its_own = step.decision_id.as_ref() == Some(&decision.id)
                && decision.step_index == Some(index)
                && decision.permit_id.as_ref() == permit
                && decision.permit_note == step.permit_note
                && decision.moment.asked() == Some(step.asked)
                && decision.action.refuses() == step.refused();
            worst.expect(its_own, || format!("{called} {index} names a decision that did not judge it"));
            // Of a refused permit nothing was done, and nothing is told. What was done is what was told, unless it was
            // refused.
            let as_told = match step.reported {
                None => decision.moment == Moment::StepPre,
                Some(told) => decision.moment.is_of_done() && (step.refused() || told == step.status),
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
        if let Some(granted) = granted.and_then(|pre| self.stretches.decision(&pre)) {
            let its_permit = granted.moment == Moment::StepPre
                && granted.step_index.is_none()
                && granted.permit_id == step.permit_id
                && !granted.action.refuses();
            worst.expect(its_permit, || format!("{called} {index} names a decision that did not permit it"));
        }
    }

    /// Whether there is such a record, here or signed for.
    fn has(&self, kind: RecordKind, hash: &Hash) -> bool {
        self.stretches.has(kind, hash) || self.absent.contains(&(kind, *hash))
    }

    /// It names the first decision that met it.
    fn intervention(&self, record: &InterventionRecord, decisions: bool, worst: &mut Worst) {
        let named: Option<Hash> = record.decision_hash.parse().ok();
        let id = &record.intervention_id;
        let is_unknown = self.unknown.contains(&RecordKind::Decision);
        let there = named.is_some_and(|hash| is_unknown || self.has(RecordKind::Decision, &hash));
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
