//! The trees that are kept between groups, so that a trace is not read again for each of its spans: so many bytes of
//! them. Whoever holds most gives way first, so that light trees stay whatever heavy ones others have. The one that a
//! tenant used last stays, for its next span would have all of it read again; but of those, too, the heaviest give way
//! where they hold too much. So two tenants whose last trees are each heavier than all may be together have them read
//! anew for each other's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use models::ids::{RunId, TenantId};

use super::trees::Tree;

/// So many times as much may those hold that each tenant used last. The one that was used just now counts as no heavier
/// than all may be together: light ones do not give way to it. Of one alone there is a bound on what it holds.
const LAST_ONES: usize = 2;

/// The bytes of a tree beside its own: its places in the maps.
const WEIGHT_OF_PLACE: usize = 1 << 8;

/// The trees of the runs that this replica served lately.
#[derive(Debug)]
pub(in crate::choke) struct Trees {
    /// So many bytes they may hold between groups, beside the one that each tenant used last; beyond that they are read
    /// anew.
    most: usize,
    kept: Mutex<Kept>,
}

impl Trees {
    /// None yet, and never more than so many bytes.
    pub(in crate::choke) fn within(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Takes the tree of a run, to be kept again when its group is committed.
    pub(in crate::choke) fn take(&self, tenant: TenantId, run: RunId) -> Option<Tree> {
        self.lock().take(tenant, run)
    }

    /// Forgets the trees of a tenant: its steps may be others now.
    pub(in crate::choke) fn forget_tenant(&self, tenant: TenantId) {
        let mut kept = self.lock();
        if let Some(of) = kept.of_tenants.remove(&tenant) {
            kept.weight -= of.weight;
        }
    }

    /// Keeps the trees of a group's runs, but those that it sealed.
    pub(in crate::choke) fn keep(&self, tenant: TenantId, trees: HashMap<RunId, Tree>, sealed: &[RunId]) {
        if trees.is_empty() && sealed.is_empty() {
            return;
        }
        let mut kept = self.lock();
        kept.keep_all(tenant, trees);
        for run in sealed {
            kept.take(tenant, *run);
        }
        kept.forget_beyond(self.most);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Kept {
    of_tenants: HashMap<TenantId, OfTenant>,
    /// How often one was kept.
    uses: u64,
    /// Of all of them.
    weight: usize,
}

/// The trees of a tenant, of which there is one at least.
#[derive(Debug, Default)]
struct OfTenant {
    by_run: HashMap<RunId, KeptTree>,
    /// Of which run it is, by when it was used.
    by_use: BTreeMap<u64, RunId>,
    weight: usize,
}

#[derive(Debug)]
struct KeptTree {
    tree: Tree,
    used: u64,
    weight: usize,
}

impl Kept {
    fn take(&mut self, tenant: TenantId, run: RunId) -> Option<Tree> {
        let of = self.of_tenants.get_mut(&tenant)?;
        let KeptTree { tree, used, weight } = of.by_run.remove(&run)?;
        of.by_use.remove(&used);
        of.weight -= weight;
        self.weight -= weight;
        if of.by_run.is_empty() {
            self.of_tenants.remove(&tenant);
        }
        Some(tree)
    }

    /// Of a group's trees the heaviest counts as the one that was used last: it would take longest to read again.
    fn keep_all(&mut self, tenant: TenantId, trees: HashMap<RunId, Tree>) {
        let mut trees: Vec<(RunId, Tree)> = trees.into_iter().collect();
        trees.sort_unstable_by_key(|(run, tree)| (tree.weight(), *run));
        for (run, tree) in trees {
            self.keep(tenant, run, tree);
        }
    }

    fn keep(&mut self, tenant: TenantId, run: RunId, tree: Tree) {
        self.take(tenant, run);
        self.uses += 1;
        let (used, weight) = (self.uses, WEIGHT_OF_PLACE + tree.weight());
        let of = self.of_tenants.entry(tenant).or_default();
        of.by_run.insert(run, KeptTree { tree, used, weight });
        of.by_use.insert(used, run);
        of.weight += weight;
        self.weight += weight;
    }

    /// Forgets trees until they hold no more than so many bytes, beside those that each tenant used last.
    fn forget_beyond(&mut self, most: usize) {
        while self.weight > most
            && let Some((tenant, run)) = self.gives_way(most)
        {
            self.take(tenant, run);
        }
    }

    /// Which one goes first: of the tenant whose trees hold most, the one that was not used for longest. Where the last
    /// ones hold too much, the heaviest of them, but the one that was used just now.
    fn gives_way(&self, most: usize) -> Option<(TenantId, RunId)> {
        let tenants = || self.of_tenants.iter();
        let rest: usize = tenants().map(|(_, of)| of.weight_of_rest()).sum();
        if rest > most {
            let (tenant, of) = tenants().max_by_key(|(_, of)| of.weight_of_rest())?;
            return of.by_use.first_key_value().map(|(_, run)| (*tenant, *run));
        }
        let (just_now, others): (Vec<_>, Vec<_>) =
            tenants().partition(|(_, of)| of.by_use.contains_key(&self.uses));
        let just_now: usize = just_now.iter().map(|(_, of)| of.weight_of_last()).sum();
        if self.weight - rest - just_now + just_now.min(most) <= LAST_ONES * most {
            return None;
        }
        let (tenant, of) = others.into_iter().max_by_key(|(_, of)| of.weight_of_last())?;
        of.by_use.last_key_value().map(|(_, run)| (*tenant, *run))
    }
}

impl OfTenant {
    /// Of all but the one that was used last.
    fn weight_of_rest(&self) -> usize {
        self.weight - self.weight_of_last()
    }

    /// Of that one.
    fn weight_of_last(&self) -> usize {
        let last = self.by_use.last_key_value().and_then(|(_, run)| self.by_run.get(run));
        last.map_or(0, |last| last.weight)
    }
}

#[cfg(test)]
mod tests {
    use proof::{
        tally::Told,
        words::StepKind::{LlmCall, ToolCall},
    };

    use super::{super::trees::Spent, *};

    fn tenant(of: u128) -> TenantId {
        TenantId(uuid::Uuid::from_u128(of))
    }

    fn run(of: u128) -> RunId {
        RunId(uuid::Uuid::from_u128(of))
    }

    /// A tree of so many steps whose texts are so long.
    fn tree(steps: u64, length: usize) -> Tree {
        let mut tree = Tree::default();
        let name = "n".repeat(length);
        for index in 0..steps {
            let kind = if index % 2 == 0 { ToolCall } else { LlmCall };
            let told = Told {
                index,
                span: None,
                parent: None,
                kind,
                skill_name: &name,
                models: [None, None],
                used: (1, 1, 0),
                note: None,
                failed: false,
                reporter: None,
            };
            let (input, output, cost, cost_known) = (1, 1, 0, true);
            let (provider, at) = (Some(name.clone()), chrono::DateTime::UNIX_EPOCH);
            tree.add(told, Spent { kind, provider, at, input, output, cost, cost_known }, false);
        }
        tree
    }

    #[test]
    fn a_tree_weighs_what_its_steps_and_their_texts_do() {
        let (few, many, long) = (tree(10, 1), tree(1000, 1), tree(1000, 1000));
        assert!(many.weight() > 80 * few.weight(), "{} {}", many.weight(), few.weight());
        // A tool's name, and for each step that of its provider.
        assert!(long.weight() >= many.weight() + 999 * 1500, "{} {}", long.weight(), many.weight());
        assert!(many.weight() < 1000 * 2048, "{}", many.weight());
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten() {
        let mut kept = Kept::default();
        for of in [1, 2] {
            kept.keep(tenant(1), run(of), tree(40, 1));
        }
        let again = kept.take(tenant(1), run(1)).expect("kept");
        kept.keep(tenant(1), run(1), again);
        kept.keep(tenant(1), run(3), tree(40, 1));
        let rest = kept.of_tenants[&tenant(1)].weight_of_rest();
        kept.forget_beyond(rest);
        assert_eq!(kept.of_tenants[&tenant(1)].by_run.len(), 3, "they hold no more than they may");
        kept.forget_beyond(rest - 1);
        assert!(kept.take(tenant(1), run(2)).is_none(), "it was not used for longest");
        for of in [1, 3] {
            assert_eq!(kept.take(tenant(1), run(of)).expect("kept").tally.len(), 40, "{of}");
        }
        assert_eq!((kept.weight, kept.of_tenants.len()), (0, 0));
    }

    #[test]
    fn those_of_a_tenant_are_forgotten_together() {
        let trees = Trees::within(16 << 20);
        for of in [1, 2] {
            trees.keep(tenant(of), HashMap::from([(run(1), tree(1, 1)), (run(2), tree(1, 1))]), &[]);
        }
        trees.forget_tenant(tenant(1));
        assert!(trees.take(tenant(1), run(1)).is_none() && trees.take(tenant(2), run(1)).is_some());
        assert!(trees.take(tenant(2), run(2)).is_some());
        assert_eq!(trees.lock().weight, 0);
    }

    #[test]
    fn whoever_holds_most_gives_way() {
        let mut kept = Kept::default();
        kept.keep(tenant(1), run(1), tree(40, 1));
        // Later, and heavier by texts alone.
        for of in 2..12 {
            kept.keep(tenant(2), run(of), tree(40, 1000));
        }
        let heavy = kept.of_tenants[&tenant(2)].weight / 10;
        kept.forget_beyond(heavy);
        assert!(kept.of_tenants[&tenant(2)].weight_of_rest() <= heavy);
        assert!(kept.take(tenant(1), run(1)).is_some(), "though it was not used for longest");
        assert!(kept.take(tenant(2), run(11)).is_some(), "its last one");
    }

    #[test]
    fn the_last_tree_of_a_tenant_stays_though_it_is_heavy() {
        let mut kept = Kept::default();
        kept.keep(tenant(1), run(1), tree(1, 1));
        kept.keep(tenant(2), run(2), tree(1000, 1));
        kept.keep(tenant(2), run(3), tree(1000, 1));
        let trees = |kept: &Kept| {
            let all = kept.of_tenants.values().flat_map(|of| of.by_run.keys());
            let mut all: Vec<RunId> = all.copied().collect();
            all.sort_unstable_by_key(|run| run.0);
            all
        };
        let last_ones = kept.weight - kept.of_tenants[&tenant(2)].weight_of_rest();
        kept.forget_beyond(last_ones / LAST_ONES + 1);
        assert_eq!(trees(&kept), [1, 3].map(run), "the last of each");
        kept.forget_beyond(1);
        assert_eq!(trees(&kept), [run(3)], "the last of all");
        kept.keep(tenant(1), run(1), tree(1, 1));
        kept.forget_beyond(1);
        assert_eq!(trees(&kept), [run(1)], "which is another now");
    }

    #[test]
    fn a_light_tree_does_not_give_way_to_a_heavy_one() {
        let mut kept = Kept::default();
        kept.keep(tenant(1), run(1), tree(1, 1));
        let light = kept.weight;
        kept.keep(tenant(2), run(2), tree(1000, 1));
        kept.forget_beyond(light);
        assert_eq!(kept.of_tenants.len(), 2, "though the two hold far more");
        kept.keep(tenant(3), run(3), tree(1, 1));
        kept.forget_beyond(light);
        let mut left: Vec<TenantId> = kept.of_tenants.keys().copied().collect();
        left.sort_unstable_by_key(|tenant| tenant.0);
        assert_eq!(left, [1, 3].map(tenant), "and the heavy one does");
    }

    #[test]
    fn the_heaviest_of_a_group_counts_as_used_last() {
        let mut kept = Kept::default();
        let trees = (1..20).map(|of| (run(of), tree(if of == 7 { 40 } else { 1 }, 1))).collect();
        kept.keep_all(tenant(1), trees);
        kept.forget_beyond(1);
        let left: Vec<RunId> = kept.of_tenants[&tenant(1)].by_run.keys().copied().collect();
        assert_eq!(left, [run(7)]);
    }
}
