//! Works out anew what is kept of a run beside its records: which steps count and what they add up to, the records of
//! its calls to models, and the rows of its traces. All of it follows from the records. None of it is hashed with them,
//! and pages and sums are made of it.

use std::collections::BTreeMap;

use drivers::{ReadTx, StoreError};
use models::{
    activity::Run,
    ledger::RunLogEntry,
    logs::{LlmRunRecord, Trace},
};
use proof::{
    leaves::RunLeaf,
    records::{ActivityRecord, DecisionRecord, StepRecord},
};

use super::{calls::Calls, counted::Counting};
use crate::coordinators::sealed_records::Came;

/// What is stored beside a run's records, and what these come to, as far as they were met: those of each kind in the
/// order of their places.
pub(in crate::coordinators) struct Beside<'r> {
    run: &'r Run,
    counting: Counting,
    calls: Calls,
    traces: Vec<Trace>,
    /// How many steps each trace has.
    steps: BTreeMap<String, u64>,
}

impl<'r> Beside<'r> {
    /// What is stored, but for the calls: those are read as their steps come.
    pub(super) async fn read(store: &ReadTx, run: &'r Run) -> Result<Self, StoreError> {
        let uncounted = store.traces().uncounted(run.tenant, run.id, 0..=u64::MAX).await?;
        Ok(Self {
            run,
            counting: Counting::of(&uncounted),
            calls: Calls::default(),
            traces: store.traces().traces_of_run(run.tenant, run.id).await?,
            steps: BTreeMap::new(),
        })
    }

    /// These are the records of the calls, of those that count, of the steps that come next.
    pub(super) fn expect(&mut self, calls: Vec<LlmRunRecord>) {
        self.calls.expect(calls);
    }

    /// Meets a decision.
    pub(super) fn decision(&mut self, decision: &DecisionRecord) {
        self.counting.decision(decision);
    }

    /// Meets what went in and out of a step.
    pub(super) fn activity(&mut self, activity: &ActivityRecord) {
        self.calls.activity(activity);
    }

    /// Meets the next step.
    pub(super) fn step(&mut self, step: &StepRecord, came: Came) {
        self.counting.step(step, came);
        self.calls.step(self.run, step, self.counting.counts(step.step_index));
        if let Some(count) = self.steps.get_mut(&step.trace_id) {
            *count += 1;
        } else {
            self.steps.insert(step.trace_id.clone(), 1);
        }
    }

    /// The first comparison that fails, in words, once all records were met.
    pub(in crate::coordinators) fn check(&self, leaves: &[RunLogEntry]) -> Result<(), String> {
        self.counting.check(self.run)?;
        self.calls.check()?;
        self.check_traces(leaves)
    }

    /// Each trace is in the run log, and its row says what its leaves and its steps do.
    fn check_traces(&self, leaves: &[RunLogEntry]) -> Result<(), String> {
        let own = self.run.trace_id.to_string();
        let mut told: BTreeMap<&str, Vec<&RunLogEntry>> = BTreeMap::new();
        for entry in leaves {
            let of = match &entry.leaf {
                RunLeaf::Opened(_) | RunLeaf::Erased(_) => own.as_str(),
                RunLeaf::Sealed(leaf) => leaf.trace_id.as_str(),
                RunLeaf::Addendum(leaf) => leaf.trace_id.as_str(),
            };
            told.entry(of).or_default().push(entry);
        }
        for trace in &self.traces {
            let id = trace.id.to_string();
            let of_trace = told.remove(id.as_str()).unwrap_or_default();
            let agrees = !of_trace.is_empty() && of_trace.iter().all(|entry| as_told(trace, self.run, entry));
            let has = self.steps.get(&id).copied().unwrap_or(0);
            if !agrees || has != trace.step_count + trace.refused_count {
                return Err(format!("the row of trace {id} does not say what the run log and its steps say"));
            }
        }
        match told.keys().next() {
            None => Ok(()),
            Some(id) => Err(format!("the run log has trace {id}, and its row is gone")),
        }
    }
}

/// Whether the row of a trace says what a leaf of it says.
fn as_told(trace: &Trace, run: &Run, entry: &RunLogEntry) -> bool {
    let is_own = trace.id == run.trace_id;
    let ends = |root: &str, head: &str, records: &str| {
        trace.root_hash.is_some_and(|hash| hash.to_string() == root)
            && trace.chain_head.to_string() == head
            && trace.ranges.records_root().to_string() == records
            && trace.sealed_leaf_index == Some(entry.leaf_index)
    };
    match &entry.leaf {
        RunLeaf::Opened(_) => trace.opened_leaf_index == entry.leaf_index,
        RunLeaf::Erased(_) => is_own,
        RunLeaf::Sealed(leaf) => {
            is_own
                && ends(&leaf.root_hash, &leaf.chain_head, &leaf.records_root)
                && (leaf.step_count, leaf.refused_count) == (trace.step_count, trace.refused_count)
                && leaf.verdict_tally == trace.tally
        }
        RunLeaf::Addendum(leaf) => {
            trace.addendum_of == Some(run.trace_id)
                && ends(&leaf.root_hash, &leaf.chain_head, &leaf.records_root)
        }
    }
}
