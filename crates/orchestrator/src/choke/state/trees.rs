//! The trees of runs that are traces: which of their steps count, as [`proof::tally`] decides it, and what those used.
//! Trees are kept between groups.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use models::{
    ids::{RunId, TenantId},
    logs::TreeStep,
};
use proof::{
    tally::{Counted, Tally, Told},
    words::StepKind,
};

use super::sums;

/// So many steps the trees of all runs may hold between groups, some 200 MB; beyond that they are read anew.
const MAX_KEPT: usize = 300_000;

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
    /// The steps that count something, by their index.
    pub(in crate::choke) counting: HashMap<u64, Spent>,
    /// How many of those cost what nobody knows, and of the rest.
    pub(in crate::choke) unknown: u64,
    /// What those that count cost, as far as a record holds it; and whether it was more at some time: then the run's sum is
    /// none, whatever is given back.
    pub(in crate::choke) cost: u64,
    pub(in crate::choke) cut: bool,
}

impl Tree {
    /// Goes on with a step that is recorded; `sealed`: so many steps the run's receipt covers, where it is sealed.
    pub(in crate::choke) fn read(&mut self, step: &TreeStep, sealed: Option<u64>) {
        let reporter = step.reported_by.map(|key| key.to_string());
        let told = Told {
            index: step.step_index,
            span: step.external_span_id.as_deref(),
            parent: step.external_parent_span_id.as_deref(),
            kind: step.kind,
            skill_name: &step.skill_name,
            models: [step.model.as_deref(), step.model_requested.as_deref()],
            used: (step.input_tokens, step.output_tokens, step.cost_nanousd),
            note: step.cost_note,
            reporter: reporter.as_deref(),
        };
        let spent = Spent {
            kind: step.kind,
            provider: step.provider.clone(),
            at: step.recorded_at,
            input: step.input_tokens,
            output: step.output_tokens,
            cost: step.cost_nanousd,
            cost_known: step.cost_known,
        };
        self.add(told, spent, sealed.is_some_and(|sealed| step.step_index >= sealed));
    }

    /// Adds a step; gives whether it counts, and what counts no longer.
    pub(in crate::choke) fn add(
        &mut self,
        told: Told<'_>,
        spent: Spent,
        is_late: bool,
    ) -> (bool, Vec<(u64, Spent)>) {
        let Counted { counts, no_longer } = if is_late {
            Counted { counts: self.tally.add_late(told), no_longer: Vec::new() }
        } else {
            self.tally.add(told)
        };
        self.next = told.index + 1;
        let gone: Vec<_> =
            no_longer.into_iter().filter_map(|at| Some((at, self.counting.remove(&at)?))).collect();
        for (_, spent) in &gone {
            self.cut |= !sums::take(&mut self.cost, spent.cost);
            self.unknown = self.unknown.saturating_sub(u64::from(!spent.cost_known));
        }
        if counts {
            // What comes late is counted beside the sum.
            self.cut |= !is_late && !sums::add(&mut self.cost, spent.cost);
            self.unknown += u64::from(!spent.cost_known);
            if told.uses() || spent.kind != StepKind::Other {
                self.counting.insert(told.index, spent);
            }
        }
        (counts, gone)
    }
}

/// The trees of the runs that this replica served lately.
#[derive(Debug, Default)]
pub(in crate::choke) struct Trees(Mutex<KeptTrees>);

#[derive(Debug, Default)]
struct KeptTrees {
    by_run: HashMap<(TenantId, RunId), (u64, Tree)>,
    /// Of which run it is, by when it was used.
    by_use: BTreeMap<u64, (TenantId, RunId)>,
    /// How often one was kept.
    uses: u64,
    /// Of all of them.
    steps: usize,
}

impl Trees {
    /// Takes the tree of a run, to be kept again when its group is committed.
    pub(in crate::choke) fn take(&self, tenant: TenantId, run: RunId) -> Option<Tree> {
        self.lock().take((tenant, run))
    }

    /// Keeps the trees of a group's runs, but those that it sealed.
    pub(in crate::choke) fn keep(&self, tenant: TenantId, trees: HashMap<RunId, Tree>, sealed: &[RunId]) {
        if trees.is_empty() && sealed.is_empty() {
            return;
        }
        let mut kept = self.lock();
        let before = kept.uses;
        for (run, tree) in trees {
            kept.keep((tenant, run), tree);
        }
        for run in sealed {
            kept.take((tenant, *run));
        }
        kept.forget_beyond(MAX_KEPT, before);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, KeptTrees> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptTrees {
    fn take(&mut self, of: (TenantId, RunId)) -> Option<Tree> {
        let (used, tree) = self.by_run.remove(&of)?;
        self.by_use.remove(&used);
        self.steps -= tree.tally.len();
        Some(tree)
    }

    fn keep(&mut self, of: (TenantId, RunId), tree: Tree) {
        self.take(of);
        self.uses += 1;
        self.steps += tree.tally.len();
        self.by_use.insert(self.uses, of);
        self.by_run.insert(of, (self.uses, tree));
    }

    /// Forgets what was not used for longest until so many steps are left, but nothing that was kept after `used`: a run
    /// that is longer than that is not read again for each of its groups.
    fn forget_beyond(&mut self, steps: usize, used: u64) {
        while self.steps > steps
            && let Some((at, of)) = self.by_use.first_key_value().map(|(at, of)| (*at, *of))
            && at <= used
        {
            self.take(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(steps: u64) -> Tree {
        let mut tree = Tree::default();
        for index in 0..steps {
            let told = Told {
                index,
                span: None,
                parent: None,
                kind: StepKind::Other,
                skill_name: "",
                models: [None, None],
                used: (0, 0, 0),
                note: None,
                reporter: None,
            };
            tree.tally.add(told);
        }
        tree
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten_and_nothing_that_is_in_use() {
        let mut kept = KeptTrees::default();
        let tenant = TenantId::INSTALLATION;
        let [first, second, third] = [1, 2, 3].map(|run| (tenant, RunId(uuid::Uuid::from_u128(run))));
        kept.keep(first, of(40));
        kept.keep(second, of(40));
        let again = kept.take(first).expect("kept");
        kept.keep(first, again);
        let before = kept.uses;
        kept.keep(third, of(40));
        kept.forget_beyond(100, before);
        assert_eq!(kept.steps, 80, "the second was not used for longest");
        assert!(kept.take(second).is_none());
        kept.forget_beyond(10, before);
        assert!(kept.take(first).is_none());
        assert_eq!(kept.take(third).expect("in use").tally.len(), 40, "more than all may hold");
        assert_eq!((kept.steps, kept.by_use.len(), kept.by_run.len()), (0, 0, 0));
    }
}
