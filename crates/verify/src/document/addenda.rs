//! `records.after.addenda`: what came after the run was sealed, each with its leaf.

use proof::{
    bundle::{ADDED, LogProof},
    hash::Hash,
    leaves::AddendumLeaf,
    records::{ActivityRecord, CaptureFailureRecord, DecisionRecord, ProviderRecord, RecordKind},
    tagged::RunEvidence,
};

use super::{
    gist::Gist,
    lines::{Lines, Places},
    names::ADDENDUM,
};
use crate::{
    json::Wrong,
    reader::{Held, Reader, present},
};

/// An addendum: its leaf, where that is in the run log, and what it added.
#[derive(Debug)]
pub(crate) struct Addendum {
    pub(crate) leaf: Held<AddendumLeaf>,
    pub(crate) proof: LogProof,
    pub(crate) added: Added,
}

/// The records of an addendum.
#[derive(Debug, Default)]
pub(crate) struct Added {
    pub(crate) lines: Lines,
    pub(crate) gist: Gist,
}

pub(super) fn read_addendum<R: Reader>(reader: &mut R) -> Result<Addendum, Wrong> {
    let (mut leaf, mut leaf_index, mut inclusion, mut added) = (None, None, None, None);
    reader.members(&ADDENDUM, &[], |reader, name| {
        match name {
            "inclusion" => inclusion = Some(reader.value()?),
            "leaf" => leaf = Some(reader.tagged()?),
            "leaf_index" => leaf_index = Some(reader.value()?),
            _ => added = Some(read_added(reader)?),
        }
        Ok(())
    })?;
    let proof = LogProof { leaf_index: present(leaf_index)?, inclusion: present(inclusion)? };
    Ok(Addendum { leaf: present(leaf)?, proof, added: present(added)? })
}

fn read_added<R: Reader>(reader: &mut R) -> Result<Added, Wrong> {
    let names = ADDED.map(RecordKind::as_str);
    let mut all = Gathered::default();
    reader.members(&names, &[], |reader, name| {
        let all = &mut all;
        match name.parse::<RecordKind>().map_err(|unknown| Wrong::new(unknown.to_string()))? {
            RecordKind::Step => records(all, reader, Gist::step),
            RecordKind::Decision => records(all, reader, |all, it: DecisionRecord| all.decision(&it)),
            RecordKind::Activity => records(all, reader, |_, _: ActivityRecord| ()),
            RecordKind::Breach => records(all, reader, Gist::breach),
            RecordKind::CaptureFailure => {
                records(all, reader, |all, it: CaptureFailureRecord| all.failure(&it))
            }
            RecordKind::Enforcement => records(all, reader, Gist::enforcement),
            RecordKind::Gap => records(all, reader, Gist::gap),
            RecordKind::Incident => records(all, reader, Gist::incident),
            RecordKind::Intervention => records(all, reader, Gist::intervention),
            RecordKind::Prevention => records(all, reader, Gist::prevention),
            RecordKind::Provider => records(all, reader, |_, _: ProviderRecord| ()),
            kind @ (RecordKind::Environment | RecordKind::Integrity | RecordKind::Run) => {
                Err(Wrong::new(format!("{kind} is of the run as a whole")))
            }
        }
    })?;
    let Gathered { hashes, places, gist } = all;
    Ok(Added { lines: Lines::of(hashes, places), gist })
}

/// What reading the records gathers.
#[derive(Default)]
struct Gathered {
    hashes: Vec<Hash>,
    /// Of each kind, in the order of reading: the number of its first hash, and the places that records claim.
    places: Vec<(RecordKind, usize, Places)>,
    gist: Gist,
}

fn records<R: Reader, T: RunEvidence>(
    all: &mut Gathered,
    reader: &mut R,
    mut keep: impl FnMut(&mut Gist, T),
) -> Result<(), Wrong> {
    let (first, mut places) = (all.hashes.len(), Places::default());
    reader.elements(|reader| {
        let Held { value: record, hash } = reader.tagged::<T>()?;
        all.hashes.push(hash);
        places.push(record.position());
        all.gist.owner(&record);
        keep(&mut all.gist, record);
        Ok(())
    })?;
    all.places.push((T::KIND, first, places));
    Ok(())
}
