//! The records of a run's calls to models against its steps: each call that counts has one, which says what its step
//! says.

use std::collections::BTreeMap;

use models::{
    activity::Run,
    logs::{ExecutionStatus, LlmRunRecord},
};
use proof::{
    hash::Hash,
    records::{ActivityRecord, StepRecord},
    words::StepKind,
};

/// The calls of a run, as far as its steps were met, which is in order.
#[derive(Default)]
pub(super) struct Calls {
    /// The records of the calls of the steps that come next.
    next: BTreeMap<u64, LlmRunRecord>,
    /// What the evidence of steps says that were not met yet: both are in one segment.
    told: BTreeMap<u64, Hashes>,
    /// What evidence has to say that is still to come, as it never is where HOC wrote it.
    waiting: BTreeMap<u64, Waiting>,
    /// When the step before was recorded.
    last: Option<String>,
    /// The first call that has two records; and the first that is not what its step says, and why.
    twice: Option<u64>,
    wrong: Option<(u64, String)>,
}

/// The hashes of a prompt and of a response.
type Hashes = [Option<String>; 2];

/// A step with the record of its call, of which the evidence was not met.
struct Waiting {
    /// What the record says.
    hashes: [Option<Hash>; 2],
    /// Which of both the step kept.
    kept: [bool; 2],
}

impl Waiting {
    /// Whether the record says what the evidence says of what is kept.
    fn agrees(&self, told: &Hashes) -> bool {
        let due = |at: usize| told[at].clone().filter(|_| self.kept[at]);
        (0..2).all(|at| self.hashes[at].map(|hash| hash.to_string()) == due(at))
    }

    /// Whether it agrees with whatever may come.
    fn says_nothing(&self) -> bool {
        self.kept == [false; 2] && self.hashes == [None; 2]
    }
}

impl Calls {
    /// These are the records of the calls of the steps that come next.
    pub(super) fn expect(&mut self, calls: Vec<LlmRunRecord>) {
        for call in calls {
            let step = call.step_index;
            if self.next.insert(step, call).is_some() {
                self.twice = Some(self.twice.map_or(step, |first| first.min(step)));
            }
        }
    }

    /// Meets the evidence of a step.
    pub(super) fn activity(&mut self, activity: &ActivityRecord) {
        let step = activity.step_index;
        let told = [activity.prompt_hash.clone(), activity.response_hash.clone()];
        match self.waiting.remove(&step) {
            Some(waiting) if !waiting.agrees(&told) => self.differs(step),
            Some(_) => {}
            None => {
                self.told.insert(step, told);
            }
        }
    }

    /// Meets the next step, which is said to count or not to.
    pub(super) fn step(&mut self, run: &Run, step: &StepRecord, counts: bool) {
        let index = step.step_index;
        let told = self.told.remove(&index);
        match self.next.remove(&index) {
            None if counts && tells_of_a_call(step) => {
                self.note(index, format!("the call to a model of step {index} has no record"));
            }
            None => {}
            Some(call) => {
                let kept = [step.prompt.is_some(), step.response.is_some()];
                let own = Waiting { hashes: [call.prompt_hash, call.response_hash], kept };
                let agrees = told.as_ref().is_none_or(|told| own.agrees(told));
                if !agrees || !says(&call, run, step, self.last.as_deref()) {
                    self.differs(index);
                } else if told.is_none() && !own.says_nothing() {
                    self.waiting.insert(index, own);
                }
            }
        }
        self.last = Some(step.recorded_at.clone());
    }

    fn differs(&mut self, step: u64) {
        self.note(step, format!("the record of the call of step {step} does not say what the step says"));
    }

    /// The first is told.
    fn note(&mut self, step: u64, why: String) {
        if self.wrong.as_ref().is_none_or(|(first, _)| step < *first) {
            self.wrong = Some((step, why));
        }
    }

    /// The first comparison that fails, in words, once all steps were met.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(step) = self.twice {
            return Err(format!("the call of step {step} has two records"));
        }
        if let Some((_, why)) = &self.wrong {
            return Err(why.clone());
        }
        match self.next.keys().next() {
            None => Ok(()),
            Some(index) => Err(format!("there is a record of a call of step {index}, and no such step")),
        }
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

/// Whether the record of a call says what its step says. `last` is when the step before was recorded: a step is never
/// recorded before that, a call is recorded when its step is.
fn says(call: &LlmRunRecord, run: &Run, step: &StepRecord, last: Option<&str>) -> bool {
    let tokens = [
        (call.input_tokens, step.input_tokens),
        (call.output_tokens, step.output_tokens),
        (call.cache_read_tokens, step.cache_read_tokens),
        (call.cache_write_tokens, step.cache_write_tokens),
        (call.reasoning_tokens, step.reasoning_tokens),
    ];
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
        && in_time
}
