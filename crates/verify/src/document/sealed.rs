//! `records.sealed`: every record is read as its type, and of most of them only the hash is kept.

use std::collections::BTreeMap;

use proof::{
    bundle::{Engine, Snapshot},
    hash::Hash,
    leaves::OpenedLeaf,
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord,
        EnvironmentRecord, GapRecord, IncidentRecord, IntegrityRecord, InterventionRecord, PreventionRecord,
        ProviderRecord, RecordKind, RunRecord, StepRecord,
    },
    tagged::RunEvidence,
    words::{Action, StepStatus},
};

use super::{Held, plain, present, tagged};
use crate::{
    beside::Beside,
    json::{Parser, Wrong},
};

/// `records.sealed`. Of most records no more is kept than their hash: they have been read, so they are of their type.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) opened: Held<OpenedLeaf>,
    pub(crate) snapshot: Held<Snapshot>,
    /// Every record of every kind, as it stands in the document.
    pub(crate) lines: BTreeMap<RecordKind, Vec<Line>>,
    /// Every tenant and run that a record names: more than one is one too many.
    pub(crate) owners: Distinct<(String, Option<String>)>,
    /// Every trace that a step or the run names.
    pub(crate) traces: Distinct<String>,
    /// Every snapshot that a decision or the run names.
    pub(crate) snapshots: Distinct<String>,
    /// Every engine that a decision names, in order.
    pub(crate) engines: Distinct<Engine>,
    pub(crate) steps: Vec<Step>,
    /// How the last step says that it left the run.
    pub(crate) run_after: Option<String>,
    pub(crate) actions: Vec<Action>,
    /// The whole decisions, if they were asked for.
    pub(crate) decisions: Vec<DecisionRecord>,
    pub(crate) run: Vec<RunRecord>,
    pub(crate) integrity: Vec<IntegrityRecord>,
    pub(crate) interventions: Vec<InterventionRecord>,
    /// Every intervention that a decision says it met.
    pub(crate) intervened: Distinct<String>,
}

/// What every record has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) hash: Hash,
    /// The place that it claims among its kind.
    pub(crate) place: Option<u64>,
}

/// What the checks ask of a step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) index: u64,
    pub(crate) refused: bool,
    /// None if the text is no hash.
    pub(crate) prev: Option<Hash>,
    /// The records that it names by their hash, and of which kind they must be.
    pub(crate) named: [(RecordKind, Named); 4],
    /// Whether its determinism hash is that of its fields.
    pub(crate) deterministic: bool,
}

/// A reference by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Nothing,
    Record(Hash),
    /// A text that is no hash.
    Nonsense,
}

impl Named {
    fn by(text: Option<&String>) -> Self {
        text.map_or(Self::Nothing, |text| text.parse().map_or(Self::Nonsense, Self::Record))
    }
}

impl Step {
    pub(super) fn of(step: &StepRecord) -> Self {
        Self {
            index: step.step_index,
            refused: step.status == StepStatus::Refused,
            prev: step.prev_hash.parse().ok(),
            named: [
                (RecordKind::Decision, Named::by(step.pre_decision_hash.as_ref())),
                (RecordKind::Decision, Named::by(step.post_decision_hash.as_ref())),
                (RecordKind::Activity, Named::by(step.activity_hash.as_ref())),
                (RecordKind::Provider, Named::by(step.provider_hash.as_ref())),
            ],
            deterministic: step.determinism_hash.parse() == Ok(step.determinism()),
        }
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

impl Distinct<(String, Option<String>)> {
    pub(super) fn owner(&mut self, tenant: &str, run: Option<&str>) {
        self.note(
            |(known, of)| known == tenant && of.as_deref() == run,
            || (tenant.to_owned(), run.map(str::to_owned)),
        );
    }
}

impl Distinct<String> {
    pub(super) fn text(&mut self, text: &str) {
        self.note(|known| known == text, || text.to_owned());
    }
}

/// Reads all records of a kind; `keep` is shown each.
fn records<'a, T: RunEvidence>(
    sealed: &mut Gathered,
    beside: &mut Beside<'a>,
    parser: &mut Parser<'a>,
    mut keep: impl FnMut(&mut Gathered, T),
) -> Result<(), Wrong> {
    let first = beside.count();
    let mut places = Vec::new();
    parser.elements(|parser| {
        let (record, piece) = parser.piece(Parser::tagged::<T>)?;
        beside.hash(piece, parser.at());
        places.push(record.position());
        sealed.owners.owner(record.tenant_id(), record.run_id());
        keep(sealed, record);
        Ok(())
    })?;
    sealed.places.push((T::KIND, first, places));
    Ok(())
}

/// What reading the records gathers.
#[derive(Default)]
struct Gathered {
    /// Of each kind, in the order of reading: the number of its first hash, and the places that records claim.
    places: Vec<(RecordKind, usize, Vec<Option<u64>>)>,
    owners: Distinct<(String, Option<String>)>,
    traces: Distinct<String>,
    snapshots: Distinct<String>,
    engines: Distinct<Engine>,
    steps: Vec<Step>,
    run_after: Option<String>,
    actions: Vec<Action>,
    decisions: Vec<DecisionRecord>,
    run: Vec<RunRecord>,
    integrity: Vec<IntegrityRecord>,
    interventions: Vec<InterventionRecord>,
    intervened: Distinct<String>,
}

impl Gathered {
    fn step(&mut self, step: StepRecord) {
        self.traces.text(&step.trace_id);
        self.steps.push(Step::of(&step));
        self.run_after = Some(step.run_after);
    }

    fn decision(&mut self, decision: DecisionRecord, whole: bool) {
        self.snapshots.text(&decision.snapshot_digest);
        let DecisionRecord { engine_version, schema_version, .. } = &decision;
        self.engines.note(
            |known| known.engine_version == *engine_version && known.schema_version == *schema_version,
            || Engine { engine_version: engine_version.clone(), schema_version: schema_version.clone() },
        );
        if let Some(met) = &decision.intervention {
            self.intervened.text(met);
        }
        self.actions.push(decision.action);
        if whole {
            self.decisions.push(decision);
        }
    }

    fn run(&mut self, run: RunRecord) {
        self.traces.text(&run.trace_id);
        self.snapshots.text(&run.snapshot_digest);
        self.run.push(run);
    }
}

/// `records.sealed` as it was read, while its records are still being hashed.
pub(super) struct SealedText {
    opened: Held<OpenedLeaf>,
    snapshot: Held<Snapshot>,
    gathered: Gathered,
}

impl SealedText {
    /// Once the records are hashed.
    pub(super) fn with(self, hashes: &[Hash]) -> Sealed {
        let all = self.gathered;
        let lines = all.places.into_iter().map(|(kind, first, places)| {
            let placed = places.into_iter().zip(&hashes[first..]);
            (kind, placed.map(|(place, hash)| Line { hash: *hash, place }).collect())
        });
        Sealed {
            opened: self.opened,
            snapshot: self.snapshot,
            lines: lines.collect(),
            owners: all.owners,
            traces: all.traces,
            snapshots: all.snapshots,
            engines: all.engines,
            steps: all.steps,
            run_after: all.run_after,
            actions: all.actions,
            decisions: all.decisions,
            run: all.run,
            integrity: all.integrity,
            interventions: all.interventions,
            intervened: all.intervened,
        }
    }
}

pub(super) fn read_sealed<'a>(
    parser: &mut Parser<'a>,
    beside: &mut Beside<'a>,
    whole_decisions: bool,
) -> Result<SealedText, Wrong> {
    let mut names: Vec<&'static str> = RecordKind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.extend(["opened", "snapshot"]);
    let mut all = Gathered::default();
    let (mut opened, mut snapshot) = (None, None);
    parser.members(&names, &[], |parser, name| {
        let all = &mut all;
        match name {
            "opened" => opened = Some(tagged::<OpenedLeaf>(parser)?),
            "snapshot" => snapshot = Some(plain::<Snapshot>(parser)?),
            kind => match kind.parse::<RecordKind>().map_err(|unknown| Wrong::new(unknown.to_string()))? {
                RecordKind::Step => records(all, beside, parser, Gathered::step)?,
                RecordKind::Decision => {
                    records(all, beside, parser, |all, decision| all.decision(decision, whole_decisions))?;
                }
                RecordKind::Run => records(all, beside, parser, Gathered::run)?,
                RecordKind::Integrity => records(all, beside, parser, |all, it| all.integrity.push(it))?,
                RecordKind::Activity => records(all, beside, parser, |_, _: ActivityRecord| ())?,
                RecordKind::Breach => records(all, beside, parser, |_, _: BreachRecord| ())?,
                RecordKind::CaptureFailure => records(all, beside, parser, |_, _: CaptureFailureRecord| ())?,
                RecordKind::Enforcement => records(all, beside, parser, |_, _: EnforcementRecord| ())?,
                RecordKind::Environment => records(all, beside, parser, |_, _: EnvironmentRecord| ())?,
                RecordKind::Gap => records(all, beside, parser, |_, _: GapRecord| ())?,
                RecordKind::Incident => records(all, beside, parser, |_, _: IncidentRecord| ())?,
                RecordKind::Intervention => {
                    records(all, beside, parser, |all, it| all.interventions.push(it))?;
                }
                RecordKind::Prevention => records(all, beside, parser, |_, _: PreventionRecord| ())?,
                RecordKind::Provider => records(all, beside, parser, |_, _: ProviderRecord| ())?,
            },
        }
        Ok(())
    })?;
    Ok(SealedText { opened: present(opened)?, snapshot: present(snapshot)?, gathered: all })
}
