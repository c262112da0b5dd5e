//! `records.after.addenda`: what came after the run was sealed, each with its leaf.

use std::collections::BTreeMap;

use proof::{
    bundle::{ADDED, LogProof},
    leaves::AddendumLeaf,
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, EnforcementRecord, GapRecord,
        IncidentRecord, InterventionRecord, PreventionRecord, ProviderRecord, RecordKind, StepRecord,
    },
    tagged::RunEvidence,
};
use serde::Deserialize;

use super::{
    Held, present,
    sealed::{Distinct, Line, Step},
    tagged,
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
    pub(crate) owners: Distinct<(String, Option<String>)>,
    pub(crate) traces: Distinct<String>,
    pub(crate) snapshots: Distinct<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) decisions: Vec<DecisionRecord>,
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
            RecordKind::Step => records(all, parser, |all, step: StepRecord| {
                all.traces.text(&step.trace_id);
                all.steps.push(Step::of(&step));
            }),
            RecordKind::Decision => records(all, parser, |all, decision: DecisionRecord| {
                all.snapshots.text(&decision.snapshot_digest);
                all.decisions.extend(whole_decisions.then_some(decision));
            }),
            RecordKind::Activity => records(all, parser, |_, _: ActivityRecord| ()),
            RecordKind::Breach => records(all, parser, |_, _: BreachRecord| ()),
            RecordKind::CaptureFailure => records(all, parser, |_, _: CaptureFailureRecord| ()),
            RecordKind::Enforcement => records(all, parser, |_, _: EnforcementRecord| ()),
            RecordKind::Gap => records(all, parser, |_, _: GapRecord| ()),
            RecordKind::Incident => records(all, parser, |_, _: IncidentRecord| ()),
            RecordKind::Intervention => records(all, parser, |_, _: InterventionRecord| ()),
            RecordKind::Prevention => records(all, parser, |_, _: PreventionRecord| ()),
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
    mut keep: impl FnMut(&mut Added, T),
) -> Result<(), Wrong> {
    let mut lines = Vec::new();
    parser.elements(|parser| {
        let Held { value: record, hash } = tagged::<T>(parser)?;
        lines.push(Line { hash, place: record.position() });
        all.owners.owner(record.tenant_id(), record.run_id());
        keep(all, record);
        Ok(())
    })?;
    all.lines.insert(T::KIND, lines);
    Ok(())
}
