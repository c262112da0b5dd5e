//! The records of a run that came after it was sealed, as they are met, against the addenda that cover them.

use models::ledger::RunLogEntry;
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
    /// fails, in words. The run says that it has so many.
    pub(super) fn check(&self, stated: u64) -> Result<(), String> {
        let addenda = &self.addenda;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;
    use models::ids::{RunId, TenantId};
    use proof::{
        leaves::SealedLeaf,
        run_ranges::RunRanges,
        words::{
            Asked, Assurance, IntegrityGrade, OutcomeCategory, RunStatus, StepKind, StepLevel, StepSource,
            StepStatus,
        },
    };
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    /// The late records: three steps, each by its hash, and three decisions.
    const STEPS: [Hash; 3] = [Hash([1; 32]), Hash([2; 32]), Hash([3; 32])];
    const DECISIONS: [Hash; 3] = [Hash([4; 32]), Hash([5; 32]), Hash([6; 32])];

    /// How many steps and decisions there are with each addendum.
    const ADDENDA: [(usize, usize); 3] = [(1, 1), (1, 3), (3, 3)];

    fn entry(leaf_index: u64, leaf: RunLeaf) -> RunLogEntry {
        let leaf_hash = leaf.hash();
        let (tenant, run_id) = (TenantId(Uuid::nil()), RunId(Uuid::nil()));
        RunLogEntry { tenant, leaf_index, leaf_hash, run_id, leaf, created_at: DateTime::UNIX_EPOCH }
    }

    fn receipt() -> RunLogEntry {
        let leaf = RunLeaf::Sealed(SealedLeaf {
            tenant_id: String::new(),
            run_id: String::new(),
            trace_id: String::new(),
            root_hash: String::new(),
            chain_head: String::new(),
            step_count: 0,
            refused_count: 0,
            verdict_tally: BTreeMap::new(),
            records_root: String::new(),
            record_counts: BTreeMap::new(),
            snapshot_digest: String::new(),
            status: RunStatus::Succeeded,
            grade: IntegrityGrade::ALL[0],
            assurance: Assurance::ALL[0],
            sealed_at: String::new(),
        });
        entry(1, leaf)
    }

    /// The receipt and the addenda, as they are over these records.
    fn leaves() -> Vec<RunLogEntry> {
        let mut leaves = vec![receipt()];
        for (number, (steps, decisions)) in (0..).zip(ADDENDA) {
            let mut ranges = RunRanges::default();
            for hash in &STEPS[..steps] {
                ranges.push_hash(RecordKind::Step, *hash);
            }
            for hash in &DECISIONS[..decisions] {
                ranges.push_hash(RecordKind::Decision, *hash);
            }
            let leaf = RunLeaf::Addendum(AddendumLeaf {
                tenant_id: String::new(),
                run_id: String::new(),
                trace_id: String::new(),
                addendum_of: String::new(),
                number,
                sealed_leaf: leaves[0].leaf_hash.to_string(),
                root_hash: ranges.kind(RecordKind::Step).root().to_string(),
                chain_head: STEPS[steps - 1].to_string(),
                records_root: ranges.records_root().to_string(),
                record_counts: ranges.counts(),
                added_at: String::new(),
            });
            leaves.push(entry(2 + number, leaf));
        }
        leaves
    }

    fn step(step_index: u64, prev_hash: Hash) -> StepRecord {
        let step = json!({
            "tenant_id": "ten_1", "run_id": "run_1", "trace_id": "trc_1", "step_index": step_index,
            "kind": StepKind::LlmCall, "skill_name": "x", "status": StepStatus::Success, "asked": Asked::After,
            "outcome_category": OutcomeCategory::ALL[0], "input_tokens": 1, "output_tokens": 1,
            "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0, "cost_nanousd": 0,
            "cost_known": true, "duration_ms": 0, "retry_count": 0, "recorded_at": "",
            "level": StepLevel::ALL[0], "source": StepSource::ALL[0], "input_hash": "", "output_hash": "",
            "run_after": "", "determinism_hash": "", "prev_hash": prev_hash.to_string(),
        });
        serde_json::from_value(step).expect("a step")
    }

    /// Meets the first so many decisions and steps, the steps behind the decisions or the other way round.
    fn met(leaves: &[RunLogEntry], (steps, decisions): (usize, usize), steps_first: bool) -> Late<'_> {
        let mut late = Late::of(leaves);
        let of_steps = |late: &mut Late<'_>| {
            let mut before = leaves[0].leaf_hash;
            for (index, hash) in (0..).zip(&STEPS[..steps]) {
                late.push(RecordKind::Step, *hash, Some(&step(index, before)));
                before = *hash;
            }
        };
        if steps_first {
            of_steps(&mut late);
        }
        for hash in &DECISIONS[..decisions] {
            late.push(RecordKind::Decision, *hash, None);
        }
        if !steps_first {
            of_steps(&mut late);
        }
        late
    }

    #[test]
    fn each_addendum_is_for_the_records_up_to_it_however_their_kinds_come() {
        let leaves = leaves();
        for steps_first in [true, false] {
            assert_eq!(met(&leaves, (3, 3), steps_first).check(3), Ok(()));
            for (lacks, addendum) in [((2, 3), 2), ((3, 2), 1), ((0, 3), 0), ((3, 0), 0)] {
                let why = met(&leaves, lacks, steps_first).check(3).expect_err("a record is not there");
                let due = format!("addendum {addendum}: its records differ from what was added");
                assert_eq!(why, due, "{lacks:?}");
            }
        }
        let why = met(&leaves, (3, 3), true).check(2).expect_err("the run says another thing");
        assert_eq!(why, "the run log has 3 addenda of this run, the run says 2");
    }

    #[test]
    fn what_follows_nothing_or_is_in_no_addendum_is_told() {
        let leaves = leaves();
        let mut late = met(&leaves, (1, 3), true);
        late.push(RecordKind::Step, STEPS[1], Some(&step(1, STEPS[2])));
        late.push(RecordKind::Step, STEPS[2], Some(&step(2, STEPS[1])));
        assert_eq!(late.check(3), Err("late step 1 does not follow the one before it".to_owned()));

        let mut late = met(&leaves, (3, 3), true);
        late.push(RecordKind::Decision, STEPS[0], None);
        assert_eq!(late.check(3), Err("a late record is in no addendum".to_owned()));

        let mut changed = leaves.clone();
        changed[2].leaf_hash = STEPS[0];
        let late = met(&changed, (3, 3), true);
        assert_eq!(late.check(3), Err("leaf 3 of the run log does not match its hash".to_owned()));
    }
}
