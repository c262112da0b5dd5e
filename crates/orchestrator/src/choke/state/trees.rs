//! The trees of runs that are traces: which of their steps count, as [`proof::tally`] decides it, and what those used.
//! Trees are kept between groups, in `kept_trees`.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use models::logs::TreeStep;
use proof::{
    tally::{Counted, Tally, Told},
    words::StepKind,
};

use super::sums;

/// The bytes of a step that counts something: its place in a map, an eighth of which is always empty.
const WEIGHT_OF_SPENT: usize = size_of::<(u64, Spent)>() * 5 / 4;

/// What a step told that may be given back.
#[derive(Clone, Debug)]
pub(in crate::choke) struct Spent {
    pub(in crate::choke) kind: StepKind,
    pub(in crate::choke) provider: Option<String>,
    /// When it was counted: in the windows of then.
    pub(in crate::choke) at: DateTime<Utc>,
    pub(in crate::choke) input: u64,
    pub(in crate::choke) output: u64,
    pub(in crate::choke) cost: u64,
    pub(in crate::choke) cost_known: bool,
}

impl Spent {
    /// How long its provider's name is.
    fn name(&self) -> usize {
        self.provider.as_ref().map_or(0, String::capacity)
    }

    /// As limits count it.
    pub(in crate::choke) fn as_counted(&self) -> rules::limits::Used {
        rules::limits::Used {
            input_tokens: self.input.into(),
            output_tokens: self.output.into(),
            cost_nanousd: self.cost.into(),
            tool_calls: u64::from(self.kind == StepKind::ToolCall).into(),
        }
    }
}

/// The tree of a run.
#[derive(Debug, Default)]
pub(in crate::choke) struct Tree {
    pub(in crate::choke) tally: Tally,
    /// The index of the step that comes next.
    pub(in crate::choke) next: u64,
    /// The steps that count something and may cease to, by their index.
    pub(in crate::choke) counting: HashMap<u64, Spent>,
    /// The bytes of their providers' names.
    names: usize,
    /// How many of those cost what nobody knows, and of the rest.
    pub(in crate::choke) unknown: u64,
    /// What those that count cost, as far as a record holds it; and whether it was more at some time: then the run's
    /// sum is none, whatever is given back.
    pub(in crate::choke) cost: u64,
    pub(in crate::choke) cut: bool,
}

/// Whether the use of a step and its call count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::choke) struct Placed {
    pub(in crate::choke) counts: bool,
    /// What the run used is not known: what tells of it leaves out something that it tells, or it came late and gave
    /// way to what tells of another use.
    pub(in crate::choke) in_doubt: bool,
}

impl Placed {
    /// That of a step that no other tells of.
    pub(in crate::choke) const ALONE: Self = Self { counts: true, in_doubt: false };
}

/// How far the steps of a run are read.
#[derive(Debug)]
pub(in crate::choke) struct Reading {
    /// The first of them: of those before it the tree knows what was decided.
    since: u64,
    /// Those that were read and cease to count with one that is still to be read, by its index.
    leaving: BTreeMap<u64, Vec<u64>>,
}

impl Reading {
    pub(in crate::choke) const fn since(since: u64) -> Self {
        Self { since, leaving: BTreeMap::new() }
    }
}

impl Tree {
    /// Goes on with a step that is recorded; `sealed`: so many steps the run's receipt covers, where it is sealed.
    ///
    /// What was decided of it stands, though another version of the tally did: it was counted, and given back, by that;
    /// and where it came late, its run says since then whether what it used is known.
    pub(in crate::choke) fn read(&mut self, step: &TreeStep, sealed: Option<u64>, reading: &mut Reading) {
        let index = step.step_index;
        let reporter = step.reported_by.map(|key| key.to_string());
        let (told, spent) = (told_of(step, reporter.as_deref()), spent_by(step));
        let is_late = sealed.is_some_and(|sealed| index >= sealed);
        let (decided, _) = self.decide(told, is_late);
        let (mut no_longer, stays): (Vec<u64>, Vec<u64>) =
            decided.no_longer.into_iter().partition(|at| *at < reading.since);
        for at in stays {
            self.tally.set_counts(at, true);
        }
        for at in reading.leaving.remove(&index).unwrap_or_default() {
            self.tally.set_counts(at, false);
            no_longer.push(at);
        }
        let counts = step.told_by_index.is_none_or(|by| by > index);
        self.tally.set_counts(index, counts);
        if let Some(by) = step.told_by_index.filter(|_| counts) {
            reading.leaving.entry(by).or_default().push(index);
        }
        self.count(told, spent, is_late, Counted { counts, no_longer });
    }

    /// Adds a step; gives whether it counts, and what counts no longer.
    pub(in crate::choke) fn add(
        &mut self,
        told: Told<'_>,
        spent: Spent,
        is_late: bool,
    ) -> (Placed, Vec<(u64, Spent)>) {
        let (counted, in_doubt) = self.decide(told, is_late);
        let placed = Placed { counts: counted.counts, in_doubt };
        (placed, self.count(told, spent, is_late, counted))
    }

    /// Puts a step in its place: whether it counts, and what counts no longer; and whether it leaves a doubt.
    fn decide(&mut self, told: Told<'_>, is_late: bool) -> (Counted, bool) {
        if is_late {
            let came = self.tally.come_late(told);
            (Counted { counts: came.counts, no_longer: Vec::new() }, came.is_in_doubt)
        } else {
            let counted = self.tally.add(told);
            let in_doubt = !counted.counts && self.tally.is_in_doubt(told.index);
            (counted, in_doubt)
        }
    }

    /// Counts a step as that was decided; gives what counts no longer, with what it used.
    fn count(
        &mut self,
        told: Told<'_>,
        spent: Spent,
        is_late: bool,
        Counted { counts, no_longer }: Counted,
    ) -> Vec<(u64, Spent)> {
        self.next = told.index + 1;
        let gone: Vec<_> =
            no_longer.into_iter().filter_map(|at| Some((at, self.counting.remove(&at)?))).collect();
        for (_, spent) in &gone {
            self.names -= spent.name();
            self.cut |= !sums::take(&mut self.cost, spent.cost);
            self.unknown = self.unknown.saturating_sub(u64::from(!spent.cost_known));
        }
        if counts {
            // What comes late is counted beside the sum.
            self.cut |= !is_late && !sums::add(&mut self.cost, spent.cost);
            self.unknown += u64::from(!spent.cost_known);
            if told.is_in_tree() && (told.uses() || spent.kind != StepKind::Other) {
                self.names += spent.name();
                self.counting.insert(told.index, spent);
            }
        }
        gone
    }

    /// How many bytes of memory it holds, at most.
    pub(in crate::choke) fn weight(&self) -> usize {
        size_of::<Self>() + self.tally.weight() + self.counting.capacity() * WEIGHT_OF_SPENT + self.names
    }
}

/// What a step that is recorded tells the tree.
fn told_of<'s>(step: &'s TreeStep, reporter: Option<&'s str>) -> Told<'s> {
    Told {
        index: step.step_index,
        span: step.external_span_id.as_deref(),
        parent: step.external_parent_span_id.as_deref(),
        kind: step.kind,
        skill_name: &step.skill_name,
        models: [step.model.as_deref(), step.model_requested.as_deref()],
        used: (step.input_tokens, step.output_tokens, step.cost_nanousd),
        note: step.cost_note,
        failed: step.failed,
        reporter,
    }
}

fn spent_by(step: &TreeStep) -> Spent {
    Spent {
        kind: step.kind,
        provider: step.provider.clone(),
        at: step.recorded_at,
        input: step.input_tokens,
        output: step.output_tokens,
        cost: step.cost_nanousd,
        cost_known: step.cost_known,
    }
}

#[cfg(test)]
mod tests;
