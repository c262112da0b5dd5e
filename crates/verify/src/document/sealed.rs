//! `records.sealed`: every record is read as its type, and of most of them only the hash is kept.

use std::rc::Rc;

use proof::{
    bundle::Snapshot,
    hash::Hash,
    leaves::OpenedLeaf,
    records::{
        ActivityRecord, CaptureFailureRecord, DecisionRecord, EnvironmentRecord, ProviderRecord, RecordKind,
    },
    tagged::RunEvidence,
};

use super::{
    gist::Gist,
    lines::{Lines, Places},
};
use crate::{
    json::Wrong,
    reader::{Held, Reader, present},
};

/// `records.sealed`.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) opened: Held<OpenedLeaf>,
    pub(crate) snapshot: Held<Snapshot>,
    /// Every record of every kind, as it stands in the document.
    pub(crate) lines: Lines,
    pub(crate) gist: Gist,
}

impl Sealed {
    /// Keeps of the hashes that steps name where they are among those of the records and these of texts, for as far as
    /// they are in the order in which they are named.
    pub(super) fn press(&mut self, texts: &Rc<Vec<Hash>>) {
        let first = |kind| self.lines.first(kind);
        let (steps, decisions) = (first(RecordKind::Step), first(RecordKind::Decision));
        let (activity, provider) = (first(RecordKind::Activity), first(RecordKind::Provider));
        let nearby = [steps, decisions, decisions, activity, provider, 0];
        self.gist.steps.pack_by([self.lines.all(), Rc::clone(texts)], nearby);
    }
}

/// What reading the records gathers.
#[derive(Default)]
struct Gathered {
    /// Of each kind, in the order of reading: the number of its first hash, and the places that records claim.
    places: Vec<(RecordKind, usize, Places)>,
    gist: Gist,
}

/// Reads all records of a kind; `keep` is shown each.
fn records<R: Reader, T: RunEvidence>(
    all: &mut Gathered,
    reader: &mut R,
    mut keep: impl FnMut(&mut Gist, T),
) -> Result<(), Wrong> {
    let first = reader.count_beside();
    let mut places = Places::default();
    reader.elements(|reader| {
        let record = reader.record::<T>()?;
        places.push(record.position());
        all.gist.owner(&record);
        keep(&mut all.gist, record);
        Ok(())
    })?;
    all.places.push((T::KIND, first, places));
    Ok(())
}

/// `records.sealed` as it was read, while its records are still being hashed.
pub(super) struct SealedText {
    opened: Held<OpenedLeaf>,
    snapshot: Held<Snapshot>,
    all: Gathered,
}

impl SealedText {
    /// Once the records are hashed.
    pub(super) fn with(self, hashes: Vec<Hash>) -> Sealed {
        let lines = Lines::of(hashes, self.all.places);
        Sealed { opened: self.opened, snapshot: self.snapshot, lines, gist: self.all.gist }
    }
}

/// The members of `records.sealed`.
pub(super) fn names_of_sealed() -> Vec<&'static str> {
    RecordKind::ALL.iter().map(|kind| kind.as_str()).chain(["opened", "snapshot"]).collect()
}

pub(super) fn read_sealed<R: Reader>(reader: &mut R) -> Result<SealedText, Wrong> {
    let mut all = Gathered::default();
    let (mut opened, mut snapshot) = (None, None);
    reader.members(&names_of_sealed(), &[], |reader, name| {
        let all = &mut all;
        match name {
            "opened" => opened = Some(reader.tagged::<OpenedLeaf>()?),
            "snapshot" => snapshot = Some(reader.plain::<Snapshot>()?),
            kind => match kind.parse::<RecordKind>().map_err(|unknown| Wrong::new(unknown.to_string()))? {
                RecordKind::Step => records(all, reader, Gist::step)?,
                RecordKind::Decision => {
                    records(all, reader, |all, it: DecisionRecord| all.decision(&it))?;
                }
                RecordKind::Run => records(all, reader, Gist::run)?,
                RecordKind::Integrity => records(all, reader, |all, it| all.integrity.push(it))?,
                RecordKind::Activity => records(all, reader, |_, _: ActivityRecord| ())?,
                RecordKind::Breach => records(all, reader, Gist::breach)?,
                RecordKind::CaptureFailure => {
                    records(all, reader, |all, it: CaptureFailureRecord| all.failure(&it))?;
                }
                RecordKind::Enforcement => records(all, reader, Gist::enforcement)?,
                RecordKind::Environment => records(all, reader, |_, _: EnvironmentRecord| ())?,
                RecordKind::Gap => records(all, reader, Gist::gap)?,
                RecordKind::Incident => records(all, reader, Gist::incident)?,
                RecordKind::Intervention => records(all, reader, Gist::intervention)?,
                RecordKind::Prevention => records(all, reader, Gist::prevention)?,
                RecordKind::Provider => records(all, reader, |_, _: ProviderRecord| ())?,
            },
        }
        Ok(())
    })?;
    Ok(SealedText { opened: present(opened)?, snapshot: present(snapshot)?, all })
}
