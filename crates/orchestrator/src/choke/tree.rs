//! Which steps of a trace count, as the spans of it come in: the tree of each run, kept between groups.
//!
//! [`proof::tally`] decides; here is what follows from it. What a step used is counted once it is known to count, and
//! given back, from the run and from the windows of limits in which it was counted, once another step tells of the same.
//! A tree that another replica has gone on with is read on from where it stands.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use drivers::{StoreError, Tx};
use models::{
    ids::{RunId, TenantId},
    logs::{TreeStep, Uncounted},
};
use proof::{
    records::RecordKind,
    tally::{Counted, Tally, Told, tells_use},
    words::StepKind,
};

use super::{
    prepare::{Call, PreparedStep, What},
    state::{RunState, State},
    usage,
};
use crate::errors::Error;

/// So many steps the trees of all runs may hold between groups, some 200 MB; beyond that they are read anew.
const MAX_KEPT: usize = 500_000;

/// What a step told that may be given back.
#[derive(Clone, Debug)]
pub(super) struct Spent {
    kind: StepKind,
    pub(super) provider: Option<String>,
    /// When it was counted: in the windows of then.
    pub(super) at: DateTime<Utc>,
    input: u64,
    output: u64,
    cost: u64,
    cost_known: bool,
}

/// The tree of a run.
#[derive(Debug, Default)]
pub(super) struct Tree {
    tally: Tally,
    /// The index of the step that comes next.
    next: u64,
    /// The steps that count something, by their index.
    counting: HashMap<u64, Spent>,
    /// How many of those cost what nobody knows, and of the rest.
    unknown: u64,
    /// What those that count cost, as far as a record holds it; and whether it was more at some time: then the run's sum is
    /// none, whatever is given back.
    cost: u64,
    cut: bool,
}

/// The trees of the runs that this replica served lately.
#[derive(Debug, Default)]
pub(super) struct Trees(Mutex<KeptTrees>);

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
    fn take(&self, tenant: TenantId, run: RunId) -> Option<Tree> {
        self.lock().take((tenant, run))
    }

    /// Keeps the trees of a committed group as it left them, but those of runs that it sealed. A group that failed keeps
    /// none: they are read anew.
    pub(super) fn keep(&self, state: &mut State) {
        let (tenant, trees) = (state.tenant.id, std::mem::take(&mut state.trees));
        let sealed = state.runs.values().filter(|run| run.ending.is_some());
        let sealed: Vec<RunId> = sealed.map(|run| run.run.id).collect();
        if trees.is_empty() && sealed.is_empty() {
            return;
        }
        let mut kept = self.lock();
        let before = kept.uses;
        for (run, tree) in trees {
            kept.keep((tenant, run), tree);
        }
        for run in sealed {
            kept.take((tenant, run));
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

impl Tree {
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Goes on with a step that is recorded; `sealed`: so many steps the run's receipt covers, where it is sealed.
    fn read(&mut self, step: &TreeStep, sealed: Option<u64>) {
        let reporter = step.reported_by.map(|key| key.to_string());
        let told = Told {
            index: step.step_index,
            span: step.external_span_id.as_deref(),
            parent: step.external_parent_span_id.as_deref(),
            kind: step.kind,
            skill_name: &step.skill_name,
            uses: tells_use(
                step.kind,
                (step.input_tokens, step.output_tokens, step.cost_nanousd),
                step.cost_note,
            ),
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
    fn add(&mut self, told: Told<'_>, spent: Spent, is_late: bool) -> (bool, Vec<(u64, Spent)>) {
        let Counted { counts, no_longer } = if is_late {
            Counted { counts: self.tally.add_late(told), no_longer: Vec::new() }
        } else {
            self.tally.add(told)
        };
        self.next = told.index + 1;
        let gone: Vec<_> =
            no_longer.into_iter().filter_map(|at| Some((at, self.counting.remove(&at)?))).collect();
        for (_, spent) in &gone {
            self.cost = self.cost.saturating_sub(spent.cost);
            self.unknown = self.unknown.saturating_sub(u64::from(!spent.cost_known));
        }
        if counts {
            // What comes late is counted beside the sum.
            self.cut |= !is_late && !usage::add(&mut self.cost, spent.cost);
            self.unknown += u64::from(!spent.cost_known);
            if told.uses || spent.kind != StepKind::Other {
                self.counting.insert(told.index, spent);
            }
        }
        (counts, gone)
    }
}

/// Makes the trees ready of the runs that spans are reported of.
pub(super) async fn load(
    state: &mut State,
    tx: &Tx,
    runs: impl Iterator<Item = RunId>,
) -> Result<(), StoreError> {
    let tenant = state.tenant.id;
    let kept = &state.spine.choke().trees;
    let mut trees = HashMap::new();
    let mut behind = Vec::new();
    for id in runs {
        let Some(run) = state.runs.get(&id) else { continue };
        let next = run.next_index();
        let tree = kept.take(tenant, id).filter(|tree| tree.next <= next).unwrap_or_default();
        if tree.next < next {
            behind.push((id, tree.next));
        }
        trees.insert(id, tree);
    }
    if !behind.is_empty() {
        for step in tx.traces().tree_steps(tenant, &behind).await? {
            let sealed = state.runs.get(&step.run_id).and_then(sealed_steps);
            if let Some(tree) = trees.get_mut(&step.run_id) {
                tree.read(&step, sealed);
            }
        }
    }
    state.trees = trees;
    Ok(())
}

/// So many steps the receipt covers of a run that is sealed.
fn sealed_steps(run: &RunState) -> Option<u64> {
    let late = run.late.as_ref()?;
    Some(late.sealed.get(&RecordKind::Step).copied().unwrap_or(0))
}

/// The windows in which steps were counted that may count no longer, when these calls are recorded.
pub(super) fn windows_of<'c>(
    state: &'c State,
    calls: impl Iterator<Item = &'c Call>,
) -> BTreeMap<(RunId, u64), &'c Spent> {
    let mut parents = BTreeMap::<RunId, Vec<Option<&str>>>::new();
    for call in calls {
        let What::Record(step) = &call.what else { continue };
        if step.is_span {
            parents.entry(step.run_id).or_default().push(step.report.external_parent_span_id.as_deref());
        }
    }
    let mut found = BTreeMap::new();
    for (run, parents) in parents {
        let Some(tree) = state.trees.get(&run) else { continue };
        for at in tree.tally.counted_above(parents) {
            found.extend(tree.counting.get(&at).map(|spent| ((run, at), spent)));
        }
    }
    found
}

/// Finds the step's place among those of its run: whether it counts. What counts no longer is given back at once, so that
/// the step is judged on what is so.
pub(super) fn place(
    state: &mut State,
    step: &PreparedStep,
    index: u64,
    reporter: Option<&str>,
) -> Result<bool, Error> {
    let run_id = step.run_id;
    let Some(tree) = state.trees.get_mut(&run_id) else { return Ok(true) };
    let run = state.runs.get(&run_id);
    let is_late = run.is_some_and(|run| run.late.is_some());
    let at = run.map_or(state.now, |run| run.counts_at(state.now));
    let (input, output, cost) = step.usage();
    let report = &step.report;
    let told = Told {
        index,
        span: report.external_span_id.as_deref(),
        parent: report.external_parent_span_id.as_deref(),
        kind: report.kind,
        skill_name: &report.skill_name,
        uses: tells_use(report.kind, (input, output, cost), step.cost_note()),
        reporter,
    };
    let provider = report.llm.as_ref().and_then(|llm| llm.provider.clone());
    let (kind, cost_known) = (report.kind, step.cost_known());
    let spent = Spent { kind, provider, at, input, output, cost, cost_known };
    let was_cut = tree.cut;
    let (counts, gone) = tree.add(told, spent, is_late);
    // Before this step, of which its judgement and its use say the same.
    let known = !was_cut && tree.unknown == u64::from(counts && !cost_known);
    if !counts {
        uncounted(state, run_id, index, index);
    }
    for (at, spent) in gone {
        give_back(state, run_id, &spent)?;
        uncounted(state, run_id, at, index);
    }
    if !is_late {
        let run = state.run_mut(run_id)?;
        run.run.cost_known = known;
        run.trace.cost_known = known;
    }
    Ok(counts)
}

/// A step that is in no tree takes the next place.
pub(super) fn skip(state: &mut State, run_id: RunId, index: u64) {
    if let Some(tree) = state.trees.get_mut(&run_id) {
        tree.next = index + 1;
    }
}

fn uncounted(state: &mut State, run_id: RunId, step_index: u64, told_by_index: u64) {
    let (tenant, created_at) = (state.tenant.id, state.now);
    state.new.uncounted.push(Uncounted { tenant, run_id, step_index, told_by_index, created_at });
}

/// Takes what a step used, and its call, from all that counted it.
fn give_back(state: &mut State, run_id: RunId, spent: &Spent) -> Result<(), Error> {
    let run = &mut state.run_mut(run_id)?.run;
    run.input_tokens = run.input_tokens.saturating_sub(spent.input);
    run.output_tokens = run.output_tokens.saturating_sub(spent.output);
    run.cost_nanousd = run.cost_nanousd.saturating_sub(spent.cost);
    match spent.kind {
        StepKind::LlmCall => run.llm_call_count = run.llm_call_count.saturating_sub(1),
        StepKind::ToolCall => run.tool_call_count = run.tool_call_count.saturating_sub(1),
        _ => {}
    }
    usage::take_back(state, run_id, spent);
    Ok(())
}

impl Spent {
    /// As limits count it.
    pub(super) fn as_counted(&self) -> rules::limits::Used {
        rules::limits::Used {
            input_tokens: self.input.into(),
            output_tokens: self.output.into(),
            cost_nanousd: self.cost.into(),
            tool_calls: u64::from(self.kind == StepKind::ToolCall).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(steps: u64) -> Tree {
        let mut tree = Tree::default();
        for index in 0..steps {
            let (kind, skill_name, uses) = (StepKind::Other, "", false);
            let told = Told { index, span: None, parent: None, kind, skill_name, uses, reporter: None };
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
