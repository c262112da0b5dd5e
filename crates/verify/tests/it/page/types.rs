//! The types of a bundle: those that read themselves, and the objects around them that the verifier reads by hand.

use std::collections::BTreeMap;

use proof::{
    bundle::{
        ADDED, AsOf, AuditProof, Checkpoints, LiveIncident, LiveRun, LogProof, Manifest, Roots, Snapshot,
    },
    dsse::Envelope,
    forms::Form,
    leaves::{AddendumLeaf, AuditRecord, EpochLeaf, ErasedLeaf, OpenedLeaf, SealedLeaf, SigningKeyLeaf},
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord,
        EnvironmentRecord, GapRecord, IncidentRecord, IntegrityRecord, Intervened, InterventionRecord,
        PreventionRecord, ProviderRecord, RecordKind, RunAfter, RunRecord, StepRecord,
    },
    statement::Statement,
    tagged::Tagged,
};

use super::trace::{Kind, trace};

/// A type of object.
pub(super) struct Struct {
    pub(super) name: &'static str,
    pub(super) tag: Option<&'static str>,
    pub(super) members: Vec<(&'static str, Kind)>,
}

/// All types, in the order in which one meets them, and all vocabularies.
#[derive(Default)]
pub(super) struct Types {
    pub(super) structs: Vec<Struct>,
    pub(super) words: BTreeMap<&'static str, &'static [&'static str]>,
}

/// What is in no bundle here as an object: read from texts, from the statement's bytes, or from exports of the logs; or
/// there only where a store is damaged.
pub(super) const UNSEEN: [&str; 9] = [
    "Statement",
    "Subject",
    "Digest",
    "MissingContents",
    "MissingSegment",
    "RunAfter",
    "Intervened",
    "EpochLeaf",
    "SigningKeyLeaf",
];

impl Types {
    fn by_hand(&mut self, name: &'static str, members: Vec<(&'static str, Kind)>) {
        self.structs.push(Struct { name, tag: None, members });
    }

    fn tagged<T: Tagged>(&mut self) -> Kind {
        let kind = trace::<T>(self);
        let Kind::Of(name) = kind else { panic!("only an object bears a tag") };
        let of = self.structs.iter_mut().find(|it| it.name == name).expect("it was noted");
        of.tag = Some(T::TYPE);
        kind
    }

    fn record(&mut self, kind: RecordKind) -> Kind {
        match kind {
            RecordKind::Activity => self.tagged::<ActivityRecord>(),
            RecordKind::Breach => self.tagged::<BreachRecord>(),
            RecordKind::CaptureFailure => self.tagged::<CaptureFailureRecord>(),
            RecordKind::Decision => self.tagged::<DecisionRecord>(),
            RecordKind::Enforcement => self.tagged::<EnforcementRecord>(),
            RecordKind::Environment => self.tagged::<EnvironmentRecord>(),
            RecordKind::Gap => self.tagged::<GapRecord>(),
            RecordKind::Incident => self.tagged::<IncidentRecord>(),
            RecordKind::Integrity => self.tagged::<IntegrityRecord>(),
            RecordKind::Intervention => self.tagged::<InterventionRecord>(),
            RecordKind::Prevention => self.tagged::<PreventionRecord>(),
            RecordKind::Provider => self.tagged::<ProviderRecord>(),
            RecordKind::Run => self.tagged::<RunRecord>(),
            RecordKind::Step => self.tagged::<StepRecord>(),
        }
    }

    fn lists(&mut self, kinds: &[RecordKind]) -> Vec<(&'static str, Kind)> {
        kinds.iter().map(|kind| (kind.as_str(), list(self.record(*kind)))).collect()
    }
}

fn list(of: Kind) -> Kind {
    Kind::List(Box::new(of))
}

/// What the page lists.
pub(super) fn all() -> Types {
    // The objects around come first on the page, and what they hold is traced after them.
    let mut held = Types::default();
    let mut sealed =
        vec![("opened", held.tagged::<OpenedLeaf>()), ("snapshot", trace::<Snapshot>(&mut held))];
    sealed.extend(held.lists(RecordKind::ALL));
    let after = vec![
        ("run", trace::<LiveRun>(&mut held)),
        ("incidents", list(trace::<LiveIncident>(&mut held))),
        ("audit", list(held.tagged::<AuditRecord>())),
        ("addenda", list(Kind::Of("Addendum"))),
        ("as_of", trace::<AsOf>(&mut held)),
    ];
    let in_log =
        |leaf| vec![("leaf", leaf), ("leaf_index", Kind::Count), ("inclusion", list(Kind::Text(Form::Hash)))];
    let mut addendum = in_log(held.tagged::<AddendumLeaf>());
    addendum.push(("records", Kind::Of("Added")));
    let receipt = in_log(held.tagged::<SealedLeaf>());
    let erased = in_log(held.tagged::<ErasedLeaf>());
    let contents = vec![
        ("erased", Kind::OrNull(Box::new(Kind::Of("Erased")))),
        ("salt", Kind::OrNull(Box::new(Kind::Text(Form::Hash)))),
        ("texts", list(Kind::Text(Form::Any))),
    ];
    let proofs = vec![
        ("roots", trace::<Roots>(&mut held)),
        ("opened", trace::<LogProof>(&mut held)),
        ("receipt", Kind::OrNull(Box::new(Kind::Of("Receipt")))),
        ("audit", list(trace::<AuditProof>(&mut held))),
        ("checkpoints", trace::<Checkpoints>(&mut held)),
    ];
    let added = held.lists(&ADDED);
    let statement = trace::<Envelope>(&mut held);
    trace::<Statement<Manifest>>(&mut held);
    trace::<RunAfter>(&mut held);
    trace::<Intervened>(&mut held);
    held.tagged::<EpochLeaf>();
    held.tagged::<SigningKeyLeaf>();

    let mut types = Types::default();
    let bundle = vec![
        ("format", Kind::Text(Form::Any)),
        ("records", Kind::Of("Records")),
        ("proofs", Kind::Of("Proofs")),
        ("contents", Kind::Of("Contents")),
        ("statement", statement),
    ];
    types.by_hand("Bundle", bundle);
    types.by_hand("Records", vec![("sealed", Kind::Of("Sealed")), ("after", Kind::Of("After"))]);
    types.by_hand("Sealed", sealed);
    types.by_hand("After", after);
    types.by_hand("Addendum", addendum);
    types.by_hand("Added", added);
    types.by_hand("Proofs", proofs);
    types.by_hand("Receipt", receipt);
    types.by_hand("Contents", contents);
    types.by_hand("Erased", erased);
    types.structs.extend(held.structs);
    types.words = held.words;
    types
}
