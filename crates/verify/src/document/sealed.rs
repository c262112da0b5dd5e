//! `records.sealed`: every record is read as its type, and of most of them only the hash is kept.

use std::collections::BTreeMap;

use proof::{
    bundle::Snapshot,
    hash::Hash,
    leaves::OpenedLeaf,
    records::{ActivityRecord, CaptureFailureRecord, EnvironmentRecord, ProviderRecord, RecordKind},
    tagged::RunEvidence,
};

use super::{
    gist::{Gist, Line},
    held::{Held, plain, present, tagged},
};
use crate::{
    beside::Beside,
    json::{Parser, Wrong},
};

/// `records.sealed`.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) opened: Held<OpenedLeaf>,
    pub(crate) snapshot: Held<Snapshot>,
    /// Every record of every kind, as it stands in the document.
    pub(crate) lines: BTreeMap<RecordKind, Vec<Line>>,
    pub(crate) gist: Gist,
}

/// What reading the records gathers.
#[derive(Default)]
struct Gathered {
    /// Of each kind, in the order of reading: the number of its first hash, and the places that records claim.
    places: Vec<(RecordKind, usize, Vec<Option<u64>>)>,
    gist: Gist,
}

/// Reads all records of a kind; `keep` is shown each.
fn records<'a, T: RunEvidence>(
    all: &mut Gathered,
    beside: &mut Beside<'a>,
    parser: &mut Parser<'a>,
    mut keep: impl FnMut(&mut Gist, T),
) -> Result<(), Wrong> {
    let first = beside.count();
    let mut places = Vec::new();
    parser.elements(|parser| {
        let (record, piece) = parser.piece(Parser::tagged::<T>)?;
        beside.hash(piece, parser.at());
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
    pub(super) fn with(self, hashes: &[Hash]) -> Sealed {
        let lines = self.all.places.into_iter().map(|(kind, first, places)| {
            let placed = places.into_iter().zip(&hashes[first..]);
            (kind, placed.map(|(place, hash)| Line { hash: *hash, place }).collect())
        });
        Sealed { opened: self.opened, snapshot: self.snapshot, lines: lines.collect(), gist: self.all.gist }
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
                RecordKind::Step => records(all, beside, parser, Gist::step)?,
                RecordKind::Decision => {
                    records(all, beside, parser, |all, it| all.decision(it, whole_decisions))?;
                }
                RecordKind::Run => records(all, beside, parser, Gist::run)?,
                RecordKind::Integrity => records(all, beside, parser, |all, it| all.integrity.push(it))?,
                RecordKind::Activity => records(all, beside, parser, |_, _: ActivityRecord| ())?,
                RecordKind::Breach => records(all, beside, parser, Gist::breach)?,
                RecordKind::CaptureFailure => {
                    records(all, beside, parser, |all, it: CaptureFailureRecord| all.failure(&it))?;
                }
                RecordKind::Enforcement => records(all, beside, parser, Gist::enforcement)?,
                RecordKind::Environment => records(all, beside, parser, |_, _: EnvironmentRecord| ())?,
                RecordKind::Gap => records(all, beside, parser, Gist::gap)?,
                RecordKind::Incident => records(all, beside, parser, Gist::incident)?,
                RecordKind::Intervention => records(all, beside, parser, Gist::intervention)?,
                RecordKind::Prevention => records(all, beside, parser, Gist::prevention)?,
                RecordKind::Provider => records(all, beside, parser, |_, _: ProviderRecord| ())?,
            },
        }
        Ok(())
    })?;
    Ok(SealedText { opened: present(opened)?, snapshot: present(snapshot)?, all })
}
