//! The records of a run that came after it was sealed, as they are met, against the addenda that cover them.

use models::{activity::Run, ledger::RunLogEntry};
use proof::{
    hash::Hash,
    leaves::{AddendumLeaf, KindRoot, RunLeaf},
    merkle::Frontier,
    records::{RecordKind, StepRecord},
    run_ranges::records_root,
};

use super::leaf::as_hashed;

/// The late records of a run, as far as they were met. Each addendum is for those up to it, so what they come to is
/// noted where it ends, and no record is kept.
pub(super) struct Late<'r> {
    addenda: Vec<(&'r RunLogEntry, &'r AddendumLeaf)>,
    kinds: Vec<OfKind>,
    /// What the first late step follows, and then the last one. None where the run has no receipt.
    before: Option<Hash>,
    /// The last step of each addendum, as far as its steps were met.
    heads: Vec<Hash>,
    /// The first step that does not follow the one before it, and which addendum it is in.
    fault: Option<(usize, String)>,
    /// There is a record that no addendum covers.
    is_uncovered: bool,
}

/// The late records of one kind.
#[derive(Default)]
struct OfKind {
    tree: Frontier,
    /// How many there are with those of each addendum.
    ends: Vec<u64>,
    /// What the tree is there, as far as it has come.
    roots: Vec<(u64, Hash)>,
}

impl OfKind {
    /// Of addenda that say that there are so many with theirs: none has fewer than the one before.
    fn of(kind: RecordKind, addenda: &[(&RunLogEntry, &AddendumLeaf)]) -> Self {
        let mut end = 0;
        let ends = addenda.iter().map(|(_, leaf)| {
            end = leaf.record_counts.get(&kind).copied().unwrap_or(0).max(end);
            end
        });
        let mut of_kind = Self { ends: ends.collect(), ..Self::default() };
        of_kind.note();
        of_kind
    }

    fn is_full(&self) -> bool {
        self.ends.last().is_none_or(|end| self.tree.size() >= *end)
    }

    fn push(&mut self, hash: Hash) {
        self.tree.push(hash);
        self.note();
    }

    /// Notes what the tree is where addenda end here.
    fn note(&mut self) {
        while self.ends.get(self.roots.len()).is_some_and(|end| *end <= self.tree.size()) {
            self.roots.push((self.tree.size(), self.tree.root()));
        }
    }

    /// What the tree is where that addendum ends, or as far as it goes.
    fn at(&self, addendum: usize) -> (u64, Hash) {
        self.roots.get(addendum).copied().unwrap_or_else(|| (self.tree.size(), self.tree.root()))
    }
}

impl<'r> Late<'r> {
    pub(super) fn of(leaves: &'r [RunLogEntry]) -> Self {
        let addenda = leaves.iter().filter_map(|entry| match &entry.leaf {
            RunLeaf::Addendum(leaf) => Some((entry, leaf)),
            _ => None,
        });
        let addenda: Vec<_> = addenda.collect();
        let kinds = RecordKind::ALL.iter().map(|kind| OfKind::of(*kind, &addenda)).collect();
        let receipt = leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Sealed(_)));
        let before = receipt.map(|entry| entry.leaf_hash);
        let mut late = Self { addenda, kinds, before, heads: Vec::new(), fault: None, is_uncovered: false };
        late.note_heads();
        late
    }

    /// Meets a record: with what it is, where that is a step.
    pub(super) fn push(&mut self, kind: RecordKind, hash: Hash, step: Option<&StepRecord>) {
        let Some(before) = self.before else { return };
        let of_kind = &mut self.kinds[kind as usize];
        if of_kind.is_full() {
            self.is_uncovered = true;
            return;
        }
        if let Some(step) = step {
            if self.fault.is_none() && step.prev_hash != before.to_string() {
                let why = format!("late step {} does not follow the one before it", step.step_index);
                self.fault = Some((of_kind.roots.len(), why));
            }
            self.before = Some(hash);
        }
        of_kind.push(hash);
        self.note_heads();
    }

    /// Notes which step is the last where addenda end here.
    fn note_heads(&mut self) {
        let ended = self.kinds[RecordKind::Step as usize].roots.len();
        if let Some(before) = self.before {
            self.heads.resize(ended.max(self.heads.len()), before);
        }
    }

    /// Whether each addendum is for the late records up to it, and they for the receipt: the first comparison that
    /// fails, in words.
    pub(super) fn check(&self, run: &Run) -> Result<(), String> {
        let (addenda, stated) = (&self.addenda, run.late.as_ref().map_or(0, |late| late.addenda));
        if addenda.len() as u64 != stated {
            return Err(format!(
                "the run log has {} addenda of this run, the run says {stated}",
                addenda.len()
            ));
        }
        let Some(last) = self.before else { return Ok(()) };
        for (at, (entry, leaf)) in addenda.iter().enumerate() {
            as_hashed(entry)?;
            if let Some((_, why)) = self.fault.as_ref().filter(|(of, _)| *of == at) {
                return Err(why.clone());
            }
            let head = self.heads.get(at).copied().unwrap_or(last);
            if leaf.records_root != self.records_root(at).to_string() || leaf.chain_head != head.to_string() {
                return Err(format!("addendum {}: its records differ from what was added", leaf.number));
            }
        }
        if self.is_uncovered { Err("a late record is in no addendum".to_owned()) } else { Ok(()) }
    }

    /// The root over all late records up to the end of that addendum.
    fn records_root(&self, addendum: usize) -> Hash {
        let roots = RecordKind::ALL.iter().zip(&self.kinds).map(|(kind, of_kind)| {
            let (count, root) = of_kind.at(addendum);
            KindRoot { kind: *kind, count, root: root.to_string() }
        });
        records_root(&roots.collect::<Vec<_>>())
    }
}
