//! `records.after.addenda`: what came after the run was sealed, each with its leaf.

use std::collections::BTreeMap;

use proof::{
    bundle::{ADDED, LogProof},
    leaves::AddendumLeaf,
    records::{ActivityRecord, CaptureFailureRecord, ProviderRecord, RecordKind},
    tagged::RunEvidence,
};
use serde::Deserialize;

use super::{
    gist::{Gist, Line},
    held::{Held, present, tagged},
};
use crate::json::{Parser, Wrong};

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
    pub(crate) lines: BTreeMap<RecordKind, Vec<Line>>,
    pub(crate) gist: Gist,
}

pub(super) fn read_addendum(parser: &mut Parser<'_>, whole_decisions: bool) -> Result<Addendum, Wrong> {
    let (mut leaf, mut leaf_index, mut inclusion, mut added) = (None, None, None, None);
    parser.members(&["inclusion", "leaf", "leaf_index", "records"], &[], |parser, name| {
        match name {
            "inclusion" => inclusion = Some(Vec::deserialize(parser)?),
            "leaf" => leaf = Some(tagged(parser)?),
            "leaf_index" => leaf_index = Some(u64::deserialize(parser)?),
            _ => added = Some(read_added(parser, whole_decisions)?),
        }
        Ok(())
    })?;
    let proof = LogProof { leaf_index: present(leaf_index)?, inclusion: present(inclusion)? };
    Ok(Addendum { leaf: present(leaf)?, proof, added: present(added)? })
}

fn read_added(parser: &mut Parser<'_>, whole_decisions: bool) -> Result<Added, Wrong> {
    let names = ADDED.map(RecordKind::as_str);
    let mut all = Added::default();
    parser.members(&names, &[], |parser, name| {
        let all = &mut all;
        match name.parse::<RecordKind>().map_err(|unknown| Wrong::new(unknown.to_string()))? {
            RecordKind::Step => records(all, parser, Gist::step),
            RecordKind::Decision => records(all, parser, |all, it| all.decision(it, whole_decisions)),
            RecordKind::Activity => records(all, parser, |_, _: ActivityRecord| ()),
            RecordKind::Breach => records(all, parser, Gist::breach),
            RecordKind::CaptureFailure => {
                records(all, parser, |all, it: CaptureFailureRecord| all.failure(&it))
            }
            RecordKind::Enforcement => records(all, parser, Gist::enforcement),
            RecordKind::Gap => records(all, parser, Gist::gap),
            RecordKind::Incident => records(all, parser, Gist::incident),
            RecordKind::Intervention => records(all, parser, Gist::intervention),
            RecordKind::Prevention => records(all, parser, Gist::prevention),
            RecordKind::Provider => records(all, parser, |_, _: ProviderRecord| ()),
            kind @ (RecordKind::Environment | RecordKind::Integrity | RecordKind::Run) => {
                Err(Wrong::new(format!("{kind} is of the run as a whole")))
            }
        }
    })?;
    Ok(all)
}

fn records<T: RunEvidence>(
    all: &mut Added,
    parser: &mut Parser<'_>,
    mut keep: impl FnMut(&mut Gist, T),
) -> Result<(), Wrong> {
    let mut lines = Vec::new();
    parser.elements(|parser| {
        let Held { value: record, hash } = tagged::<T>(parser)?;
        lines.push(Line { hash, place: record.position() });
        all.gist.owner(&record);
        keep(&mut all.gist, record);
        Ok(())
    })?;
    all.lines.insert(T::KIND, lines);
    Ok(())
}
