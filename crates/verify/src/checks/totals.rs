//! Do the numbers add up, step by step?

use std::cmp::Ordering;

use proof::{
    bundle::{Engine, LiveLate},
    canonical::MAX_INTEGER,
    records::RecordKind,
    tally::{self, Counted, Tally},
    words::{Asked, StepKind},
};

use super::{Case, Worst, standing::assurance_of};
use crate::document::{Gist, Packed, Step, Used};

/// What a run came to, as far as its steps have been gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    steps: u64,
    refused: u64,
    unasked: u64,
    llm_calls: u64,
    tool_calls: u64,
    cost_nanousd: u64,
    input_tokens: u64,
    output_tokens: u64,
}

impl Totals {
    /// Counts a sealed step: what it used where that counts, refused or not; the step only if it was not refused.
    fn count(&mut self, step: &Step, counts: bool) {
        self.unasked += u64::from(step.asked == Asked::After);
        if counts {
            self.add(step.used);
        }
        if step.refused() {
            self.refused += 1;
            return;
        }
        self.steps += 1;
        if counts {
            self.llm_calls += u64::from(step.kind == StepKind::LlmCall);
            self.tool_calls += u64::from(step.kind == StepKind::ToolCall);
        }
    }

    /// Takes from it what a step counted that counts no longer. Nothing is taken from a sum that no record holds: it
    /// was cut, and nobody knows what is left of it.
    fn give_back(&mut self, step: &Step) {
        let Used { cost_nanousd, input_tokens, output_tokens } = step.used;
        let left = |of: u64, less: u64| if of < MAX_INTEGER { of.saturating_sub(less) } else { of };
        self.cost_nanousd = left(self.cost_nanousd, cost_nanousd);
        self.input_tokens = left(self.input_tokens, input_tokens);
        self.output_tokens = left(self.output_tokens, output_tokens);
        if !step.refused() {
            self.llm_calls = self.llm_calls.saturating_sub(u64::from(step.kind == StepKind::LlmCall));
            self.tool_calls = self.tool_calls.saturating_sub(u64::from(step.kind == StepKind::ToolCall));
        }
    }

    /// No more than a record can hold.
    fn add(&mut self, used: Used) {
        let sum = |a: u64, b: u64| a.saturating_add(b).min(MAX_INTEGER);
        self.cost_nanousd = sum(self.cost_nanousd, used.cost_nanousd);
        self.input_tokens = sum(self.input_tokens, used.input_tokens);
        self.output_tokens = sum(self.output_tokens, used.output_tokens);
    }

    /// Takes a step's word for what the run has used up to it: another version of the tally counted that.
    fn used_as_said_by(&mut self, step: &Step) {
        if let Some(after) = &step.left {
            self.cost_nanousd = after.cost_nanousd;
            self.input_tokens = after.input_tokens;
            self.output_tokens = after.output_tokens;
        }
    }

    /// Whether a step says that it left the run so.
    fn are_left_by(&self, step: &Step) -> bool {
        step.left.as_ref().is_some_and(|after| {
            let used = (after.cost_nanousd, after.input_tokens, after.output_tokens);
            used == self.used() && (after.step_count, after.refused_count) == (self.steps, self.refused)
        })
    }

    fn used(&self) -> (u64, u64, u64) {
        (self.cost_nanousd, self.input_tokens, self.output_tokens)
    }
}

/// Whether another version of the tally decided which of these steps count, and so it is not known here. Steps that are
/// in no tree count for each of them. `named`: engines that are named beside the decisions, of which some may be
/// missing.
pub(crate) fn is_counted_elsewhere(gist: &Gist, named: &[Engine]) -> bool {
    gist.steps.iter().any(|step| step.span.is_some())
        && gist.engines.0.iter().chain(named).any(|engine| !tally::counts_alike(&engine.engine_version))
}

/// The sealed steps, each of which says how it left the run; what the run says at its end; and what it says now. None
/// where a step is missing.
pub(crate) fn sealed(case: &Case<'_>, worst: &mut Worst) -> Option<Sealed> {
    if !case.whole(RecordKind::Step) {
        return None;
    }
    let sealed = &case.document.sealed.gist;
    let mut totals = Totals::default();
    let named = &case.document.sealed.snapshot.value.engines;
    let mut tally = (!is_counted_elsewhere(sealed, named)).then(Tally::default);
    for step in sealed.steps.iter() {
        let Counted { counts, no_longer } = counted(&mut tally, &step);
        // Steps stand in their order; that they do is another check's.
        for earlier in no_longer.iter().filter_map(|index| by_index(&sealed.steps, *index)) {
            totals.give_back(&earlier);
        }
        totals.count(&step, counts);
        if tally.is_none() {
            totals.used_as_said_by(&step);
        }
        worst.expect(totals.are_left_by(&step), || {
            format!("step {} says that it left the run with other totals than there were", step.index)
        });
    }
    let counted = (totals.steps, totals.refused);
    for run in &sealed.run {
        worst.expect((run.step_count, run.refused_count) == counted, || {
            "the run counts other steps than there are".to_owned()
        });
        let calls = (run.llm_call_count, run.tool_call_count);
        worst.expect(tally.is_none() || calls == (totals.llm_calls, totals.tool_calls), || {
            "the run counts other calls than there are".to_owned()
        });
        worst.expect(run.unasked_count == totals.unasked, || {
            "the run counts other steps that nobody asked for than there are".to_owned()
        });
        if case.whole(RecordKind::Gap) {
            let left = assurance_of(run, !sealed.gaps.is_empty());
            worst.expect(run.assurance == left, || {
                format!("the run is {}, and {left} is what its steps leave of it", run.assurance)
            });
        }
        worst.expect((run.cost_nanousd, run.input_tokens, run.output_tokens) == totals.used(), || {
            "the run's totals are not those of its steps".to_owned()
        });
    }
    let run = &case.document.after.run.value;
    let stated = (run.cost_nanousd, run.input_tokens, run.output_tokens);
    worst.expect((run.step_count, run.refused_count) == counted && stated == totals.used(), || {
        "records/after/run has other totals than the steps".to_owned()
    });
    Some((totals, tally))
}

/// What a step comes to. The tree of a run holds hundreds of bytes of a step, and need not know of one that is alone.
fn counted(tally: &mut Option<Tally>, step: &Step) -> Counted {
    match tally {
        None => Counted::default(),
        Some(_) if step.is_alone() => Counted { counts: true, no_longer: Vec::new() },
        Some(tally) => tally.add(step.told()),
    }
}

/// The step of this index.
fn by_index(steps: &Packed<Step>, index: u64) -> Option<Step> {
    let (mut from, mut until) = (0, steps.len());
    while from < until {
        let middle = from.midpoint(until);
        let step = steps.get(middle);
        match step.index.cmp(&index) {
            Ordering::Equal => return Some(step),
            Ordering::Less => from = middle + 1,
            Ordering::Greater => until = middle,
        }
    }
    None
}

/// What the sealed steps came to, and their tree; none where another version of the tally counted them.
pub(crate) type Sealed = (Totals, Option<Tally>);

/// What came late, on top.
pub(crate) struct LateTotals {
    /// None where a sealed step is missing.
    run: Option<Totals>,
    late: Totals,
    /// None where another version of the tally counted.
    tally: Option<Tally>,
}

impl LateTotals {
    pub(crate) fn on(run: Option<Sealed>) -> Self {
        let (run, tally) = match run {
            Some((run, tally)) => (Some(run), tally),
            None => (None, Some(Tally::default())),
        };
        Self { run, late: Totals::default(), tally }
    }

    /// Goes on with steps that another version of the tally counted: they are taken at their word.
    pub(crate) fn are_counted_elsewhere(&mut self) {
        self.tally = None;
    }

    /// Whether what the steps used was counted anew.
    pub(crate) fn know_uses(&self) -> bool {
        self.tally.is_some()
    }

    /// A late step has happened, and is one whatever it was. What it used counts where that takes nothing away.
    pub(crate) fn count(&mut self, step: &Step, worst: &mut Worst) {
        let counts = |tally: &mut Tally| step.is_alone() || tally.add_late(step.told());
        let used = self.tally.as_mut().and_then(|tally| counts(tally).then_some(step.used));
        self.late.steps += 1;
        if let Some(used) = used {
            self.late.add(used);
        }
        let Some(run) = &mut self.run else { return };
        run.steps += 1;
        if let Some(used) = used {
            run.add(used);
        }
        if self.tally.is_none() {
            run.used_as_said_by(step);
        }
        worst.expect(run.are_left_by(step), || {
            format!("late step {} says that it left the run with other totals than there were", step.index)
        });
    }

    /// Whether the run says so. What they used is not known where a sealed step is missing: it may tell of the same;
    /// nor where another version of the tally counted.
    pub(crate) fn are(&self, stated: Option<LiveLate>) -> bool {
        let stated = stated.map_or((0, (0, 0, 0)), |late| {
            (late.step_count, (late.cost_nanousd, late.input_tokens, late.output_tokens))
        });
        let is_known = self.run.is_some() && self.know_uses();
        stated.0 == self.late.steps && (!is_known || stated.1 == self.late.used())
    }
}
