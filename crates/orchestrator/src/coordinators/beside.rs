//! Works out anew what is kept of a run beside its records: which steps count and what they add up to, the records of
//! its calls to models, and the rows of its traces. All of it follows from the records. None of it is hashed with them,
//! and pages and sums are made of it.

use std::collections::{BTreeMap, BTreeSet};

use drivers::{ReadTx, StoreError};
use models::{
    activity::Run,
    ids::{RunId, TenantId},
    ledger::RunLogEntry,
    logs::{ExecutionStatus, LlmRunRecord, Trace, Uncounted},
};
use proof::{
    contents::Content,
    leaves::RunLeaf,
    records::{ActivityRecord, Record, StepRecord},
    words::StepKind,
};

use super::counted;

/// What is stored beside a run's records.
pub(super) struct Beside {
    uncounted: Vec<Uncounted>,
    /// Of the steps that count.
    calls: Vec<LlmRunRecord>,
    traces: Vec<Trace>,
}

impl Beside {
    pub(super) async fn read(store: &ReadTx, tenant: TenantId, run: RunId) -> Result<Self, StoreError> {
        Ok(Self {
            uncounted: store.traces().uncounted(tenant, run, 0..=u64::MAX).await?,
            calls: store.logs().llm_runs_of_run(tenant, run).await?,
            traces: store.traces().traces_of_run(tenant, run).await?,
        })
    }

    /// The first comparison that fails, in words. The records of each kind are in order.
    pub(super) fn check(
        &self,
        run: &Run,
        leaves: &[RunLogEntry],
        records: &[Record],
        late: &[Record],
    ) -> Result<(), String> {
        let not_counting = counted::check(run, &self.uncounted, records, late)?;
        self.check_calls(run, [records, late], &not_counting)?;
        self.check_traces(run, leaves, [records, late])
    }

    /// Each call to a model that counts has one record, which says what its step says.
    fn check_calls(
        &self,
        run: &Run,
        records: [&[Record]; 2],
        not_counting: &BTreeSet<u64>,
    ) -> Result<(), String> {
        let mut calls: BTreeMap<u64, &LlmRunRecord> = BTreeMap::new();
        for call in &self.calls {
            if calls.insert(call.step_index, call).is_some() {
                return Err(format!("the call of step {} has two records", call.step_index));
            }
        }
        let all = || records.into_iter().flatten();
        let contents = all().filter_map(|record| match record {
            Record::Activity(activity) => Some((activity.step_index, activity)),
            _ => None,
        });
        let contents: BTreeMap<u64, &ActivityRecord> = contents.collect();
        let mut last = None;
        for step in all().filter_map(step) {
            let index = step.step_index;
            match calls.remove(&index) {
                None if tells_of_a_call(step) && !not_counting.contains(&index) => {
                    return Err(format!("the call to a model of step {index} has no record"));
                }
                Some(call) if !says(call, run, step, contents.get(&index).copied(), last) => {
                    return Err(format!(
                        "the record of the call of step {index} does not say what the step says"
                    ));
                }
                _ => last = Some(step.recorded_at.as_str()),
            }
        }
        match calls.keys().next() {
            None => Ok(()),
            Some(index) => Err(format!("there is a record of a call of step {index}, and no such step")),
        }
    }

    /// Each trace is in the run log, and its row says what its leaves and its steps do.
    fn check_traces(&self, run: &Run, leaves: &[RunLogEntry], records: [&[Record]; 2]) -> Result<(), String> {
        let mut steps: BTreeMap<&str, u64> = BTreeMap::new();
        for step in records.into_iter().flatten().filter_map(step) {
            *steps.entry(step.trace_id.as_str()).or_default() += 1;
        }
        let own = run.trace_id.to_string();
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
            let agrees = !of_trace.is_empty() && of_trace.iter().all(|entry| as_told(trace, run, entry));
            let has = steps.get(id.as_str()).copied().unwrap_or(0);
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

fn step(record: &Record) -> Option<&StepRecord> {
    match record {
        Record::Step(step) => Some(step),
        _ => None,
    }
}

/// Whether a step tells of a call to a model: one itself, or whatever else says what a model was paid for. Of a call
/// that was refused before it was made nothing is told.
fn tells_of_a_call(step: &StepRecord) -> bool {
    let used = [step.input_tokens, step.output_tokens, step.cost_nanousd];
    let of_a_model = step.model.is_some() || step.cost_note.is_some() || used.iter().any(|n| *n > 0);
    step.reported_status.is_some() && (step.kind == StepKind::LlmCall || of_a_model)
}

/// An older build kept with a call the clock of the server that took it, which may be behind that of its run by so
/// much.
const CLOCKS_APART: chrono::Duration = chrono::Duration::minutes(1);

/// Whether the record of a call says what its step and the step's evidence say. `last` is when the step before was
/// recorded: a step is never recorded before that, a call is recorded when its step is.
fn says(
    call: &LlmRunRecord,
    run: &Run,
    step: &StepRecord,
    content: Option<&ActivityRecord>,
    last: Option<&str>,
) -> bool {
    let tokens = [
        (call.input_tokens, step.input_tokens),
        (call.output_tokens, step.output_tokens),
        (call.cache_read_tokens, step.cache_read_tokens),
        (call.cache_write_tokens, step.cache_write_tokens),
        (call.reasoning_tokens, step.reasoning_tokens),
    ];
    let hashes = content.is_none_or(|content| {
        let hash = |kept: &Option<Content>, hash: &Option<String>| hash.clone().filter(|_| kept.is_some());
        call.prompt_hash.map(|hash| hash.to_string()) == hash(&step.prompt, &content.prompt_hash)
            && call.response_hash.map(|hash| hash.to_string()) == hash(&step.response, &content.response_hash)
    });
    let latest = call.created_at.checked_add_signed(CLOCKS_APART).map(models::time::text);
    let created_at = models::time::text(call.created_at);
    let in_time = created_at == step.recorded_at
        || (created_at < step.recorded_at
            && latest.is_some_and(|latest| latest >= step.recorded_at)
            && last == Some(step.recorded_at.as_str()));
    step.reported_status.is_some()
        && call.trace_id.to_string() == step.trace_id
        && (&call.provider, &call.model) == (&step.provider, &step.model)
        && tokens.iter().all(|(told, due)| told == due)
        && (call.cost_nanousd, call.cost_known, call.cost_note)
            == (step.cost_nanousd, step.cost_known, step.cost_note)
        && call.execution_status == ExecutionStatus::of(step)
        && models::time::text(call.started_at) == *step.started_at.as_ref().unwrap_or(&step.recorded_at)
        && (call.source, call.is_synthetic) == (step.source, run.is_synthetic)
        && hashes
        && in_time
}
