//! What comes after a run was sealed.

use std::collections::BTreeMap;

use proof::{
    bundle::{AddendumPart, LiveLate, LogProof},
    hash::Hash,
    leaves::{AddendumLeaf, RunLeaf},
    records::{Record, RecordKind},
    run_ranges::RunRanges,
};

use super::{Call, RUN, Scene, TENANT, TRACE};

/// The addenda of a run.
pub(crate) struct Late {
    /// How many records of each kind the receipt covers.
    pub(super) sealed: BTreeMap<RecordKind, u64>,
    sealed_leaf: Hash,
    /// The trace of the addendum that is open.
    pub(super) trace_id: String,
    pub(crate) records: Vec<Record>,
    leaves: Vec<(AddendumLeaf, u64)>,
    pub(super) totals: LiveLate,
}

impl Late {
    pub(super) fn count(&mut self, cost: u64, (input, output): (u64, u64)) {
        self.totals.step_count += 1;
        self.totals.cost_nanousd += cost;
        self.totals.input_tokens += input;
        self.totals.output_tokens += output;
    }
}

impl Scene {
    /// From here on everything is late.
    pub(crate) fn go_on(&mut self) {
        let (leaf, _) = self.sealed.as_ref().expect("a sealed run");
        let sealed_leaf = RunLeaf::Sealed(leaf.clone()).hash();
        let sealed = std::mem::take(&mut self.ranges).counts();
        self.chain_head = sealed_leaf;
        let totals =
            LiveLate { addenda: 0, step_count: 0, input_tokens: 0, output_tokens: 0, cost_nanousd: 0 };
        let trace_id = self.id("trc_");
        self.late =
            Some(Late { sealed, sealed_leaf, trace_id, records: Vec::new(), leaves: Vec::new(), totals });
    }

    /// A call that was let pass while the store was down.
    pub(crate) fn passed(&mut self, call: &Call, permit: Option<(String, Hash)>) {
        self.record(call, permit);
        self.gap();
    }

    /// Seals what came late so far as an addendum, and begins the next.
    pub(crate) fn add(&mut self) {
        let (added_at, next) = (self.now(), self.id("trc_"));
        let ranges: &RunRanges = &self.ranges;
        let late = self.late.as_mut().expect("something came late");
        let leaf = AddendumLeaf {
            tenant_id: TENANT.to_owned(),
            run_id: RUN.to_owned(),
            trace_id: std::mem::replace(&mut late.trace_id, next),
            addendum_of: TRACE.to_owned(),
            number: late.totals.addenda,
            sealed_leaf: late.sealed_leaf.to_string(),
            root_hash: ranges.kind(RecordKind::Step).root().to_string(),
            chain_head: self.chain_head.to_string(),
            records_root: ranges.records_root().to_string(),
            record_counts: ranges.counts(),
            added_at,
        };
        late.totals.addenda += 1;
        let RunLeaf::Addendum(leaf) = self.plant.leaf(RunLeaf::Addendum(leaf)) else {
            unreachable!("a plant leaves the kind")
        };
        let sealed = RunLeaf::Addendum(leaf.clone());
        let hash = sealed.hash();
        let index = self.runs.append(sealed, hash);
        late.leaves.push((leaf, index));
        self.others(1);
    }

    pub(super) fn addenda(&self) -> Vec<AddendumPart<'static>> {
        let Some(late) = &self.late else { return Vec::new() };
        AddendumPart::split(self.leaves_of(late), late.records.clone().leak())
    }

    /// The same where some late records could not be read.
    pub(crate) fn addenda_without(&self, is_lost: impl Fn(&Record) -> bool) -> Vec<AddendumPart<'static>> {
        let late = self.late.as_ref().expect("something came late");
        let mut sealed = RunRanges::default();
        for record in &self.records {
            sealed.push(record);
        }
        let kept: Vec<Record> = late.records.iter().filter(|record| !is_lost(record)).cloned().collect();
        AddendumPart::whole(self.leaves_of(late), kept.leak(), &sealed)
    }

    /// The late steps, each with the number of its addendum.
    pub(crate) fn late_steps(&self) -> Vec<(u64, usize)> {
        let late = self.late.as_ref().expect("something came late");
        let steps = late.records.iter().filter_map(|record| match record {
            Record::Step(step) => Some(step.step_index),
            _ => None,
        });
        let ends: Vec<u64> = late
            .leaves
            .iter()
            .map(|(leaf, _)| leaf.record_counts.get(&RecordKind::Step).copied().unwrap_or(0))
            .collect();
        steps.zip(0_u64..).map(|(step, at)| (step, ends.iter().filter(|end| **end <= at).count())).collect()
    }

    fn leaves_of(&self, late: &Late) -> Vec<(AddendumLeaf, LogProof)> {
        late.leaves.iter().map(|(leaf, index)| (leaf.clone(), self.runs.proof(*index))).collect()
    }
}
