//! What the records of a run come to, as they are met: their chain, their trees, the incidents that they name; and
//! whether that is what was sealed, or what the trace of an open run says.

use std::collections::HashSet;

use models::{
    activity::Run,
    ledger::RunLogEntry,
    logs::{StepRow, Trace},
};
use proof::{
    hash::Hash,
    leaves::{RunLeaf, SealedLeaf},
    records::{Record, RecordKind},
    run_ranges::RunRanges,
    tagged::RecordRef,
};

use super::{
    late::Late,
    leaf::{as_hashed, opened},
};
use crate::coordinators::sealed_records::Came;

const NOT_OPENED: &str = "the run log has no OPENED leaf of this run";

/// The records of a run, as far as they were met: those of each kind in the order of their places.
pub(in crate::coordinators) struct Records<'r> {
    leaves: &'r [RunLogEntry],
    /// Of those that the receipt covers, or will.
    ranges: RunRanges,
    /// The last step of these, or the first that does not follow the one before it.
    chain: Result<Hash, String>,
    late: Late<'r>,
    /// Whether what struck came to an incident of the run: of what the receipt covers, and of all.
    came_to: [Result<(), String>; 2],
}

impl<'r> Records<'r> {
    /// Those that stand in tables of their own, in time and late.
    pub(super) fn of(leaves: &'r [RunLogEntry], sealed: &[Record], late: &[Record]) -> Self {
        let mut records = Self {
            leaves,
            ranges: RunRanges::default(),
            chain: opened(leaves).map(|entry| entry.leaf_hash).ok_or_else(|| NOT_OPENED.to_owned()),
            late: Late::of(leaves),
            came_to: [incidents(&[sealed]), incidents(&[sealed, late])],
        };
        for (those, came) in [(sealed, Came::InTime), (late, Came::Late)] {
            for record in those {
                records.push(record.into(), came);
            }
        }
        records
    }

    /// Meets a record that is no step.
    pub(super) fn push(&mut self, record: RecordRef<'_>, came: Came) {
        match came {
            Came::InTime => {
                self.ranges.push(record);
            }
            Came::Late => self.late.push(record.kind(), record.hash(), None),
        }
    }

    /// Meets a step: it names the one before it, and its stored bytes are the canonical ones of its record.
    pub(super) fn push_step(&mut self, step: &StepRow, came: Came) {
        let record = &step.record;
        let hash = RecordRef::from(record).hash();
        if came == Came::Late {
            self.late.push(RecordKind::Step, hash, Some(record));
            return;
        }
        self.ranges.push_hash(RecordKind::Step, hash);
        if let Ok(before) = self.chain {
            self.chain = if record.prev_hash != before.to_string() {
                Err(format!("step {} does not follow the one before it", record.step_index))
            } else if step.step_hash != hash {
                Err(format!("step {} does not match its hash", record.step_index))
            } else {
                Ok(hash)
            };
        }
    }

    /// The Merkle root over the steps that the receipt covers.
    pub(in crate::coordinators) fn root(&self) -> Hash {
        self.ranges.kind(RecordKind::Step).root()
    }

    /// Whether they are those that were sealed, and that were added since: the first comparison that fails, in words.
    pub(in crate::coordinators) fn as_sealed(&self, run: &Run) -> Result<(), String> {
        let opened = opened(self.leaves).ok_or(NOT_OPENED)?;
        let receipt = self.leaves.iter().find_map(|entry| match &entry.leaf {
            RunLeaf::Sealed(receipt) => Some((entry, receipt)),
            RunLeaf::Opened(_) | RunLeaf::Addendum(_) | RunLeaf::Erased(_) => None,
        });
        let (entry, receipt) = receipt.ok_or("the run log has no receipt of this run")?;
        for entry in [opened, entry] {
            as_hashed(entry)?;
        }
        self.chain.clone()?;
        receipted(run, receipt, &self.ranges)?;
        let [of_sealed, of_all] = &self.came_to;
        of_sealed.clone()?;
        self.late.check(run.late.as_ref().map_or(0, |late| late.addenda))?;
        of_all.clone()
    }

    /// Whether they are those that the trace of an open run has hashed: the first comparison that fails, in words.
    pub(in crate::coordinators) fn as_hashed_by(&self, trace: Option<&Trace>) -> Result<(), String> {
        let opened = opened(self.leaves).ok_or(NOT_OPENED)?;
        let trace = trace.ok_or("its trace is gone")?;
        let head = self.chain.clone()?;
        as_hashed(opened)?;
        if head != trace.chain_head {
            return Err("its last step is not the one that its trace names".to_owned());
        }
        let differs = |kind: &&RecordKind| self.ranges.kind(**kind) != trace.ranges.kind(**kind);
        match RecordKind::ALL.iter().find(differs) {
            Some(kind) => Err(format!("{kind}: what is stored is not what its trace has hashed")),
            None => Ok(()),
        }
    }
}

/// What was enforced, or is said to be prevented, came to incidents of the run, where it came to any.
fn incidents(records: &[&[Record]]) -> Result<(), String> {
    let all = || records.iter().copied().flatten();
    let mut known = HashSet::new();
    for record in all() {
        if let Record::Incident(incident) = record {
            known.insert(incident.incident_id.as_str());
        }
    }
    for record in all() {
        let (id, came_to) = match record {
            Record::Enforcement(it) => (&it.enforcement_id, &it.incident_id),
            Record::Prevention(it) => (&it.prevention_id, &it.blocked_incident_id),
            _ => continue,
        };
        if came_to.as_ref().is_some_and(|incident| !known.contains(incident.as_str())) {
            return Err(format!("{id} came to an incident that the run does not have"));
        }
    }
    Ok(())
}

/// Whether the receipt says what the records come to.
fn receipted(run: &Run, receipt: &SealedLeaf, ranges: &RunRanges) -> Result<(), String> {
    for (kind, count) in ranges.counts() {
        let stated = receipt.record_counts.get(&kind).copied().unwrap_or(0);
        if stated != count {
            return Err(format!("{kind}: the receipt counts {stated}, the store has {count}"));
        }
    }
    let root = ranges.kind(RecordKind::Step).root().to_string();
    if receipt.root_hash != root {
        return Err(format!("the steps' root is {root}, the receipt says {}", receipt.root_hash));
    }
    if receipt.records_root != ranges.records_root().to_string() {
        return Err("a record other than a step differs from what was sealed".to_owned());
    }
    if receipt.snapshot_digest != run.snapshot_digest.to_string() || receipt.status != run.status {
        return Err("the run's row differs from its receipt".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proof::{
        records::{EnforcementRecord, IncidentRecord, PreventionRecord},
        words::{
            ActionTaken, CauseType, IncidentCategory, IncidentRelation, PolicyKind, PreventionOutcome,
            Severity,
        },
    };

    use super::*;

    fn incident(id: &str) -> Record {
        Record::Incident(IncidentRecord {
            tenant_id: "tnt_1".to_owned(),
            run_id: "run_1".to_owned(),
            incident_id: id.to_owned(),
            seq: 1,
            relation: IncidentRelation::ALL[0],
            title: "a rule struck".to_owned(),
            category: IncidentCategory::ALL[0],
            severity: Severity::High,
            cause_type: CauseType::ALL[0],
            cause_key: "rul_1".to_owned(),
            step_index: Some(0),
            policy_id: None,
            limit_id: None,
            description: String::new(),
            error_code: None,
            cost_impact_nanousd: 0,
            recurrence_signature: String::new(),
            note: None,
            is_synthetic: false,
            opened_at: "2026-03-02T09:00:00.000000Z".to_owned(),
            first_at: "2026-03-02T09:00:00.000000Z".to_owned(),
        })
    }

    fn enforcement(incident: Option<&str>) -> Record {
        Record::Enforcement(EnforcementRecord {
            tenant_id: "tnt_1".to_owned(),
            run_id: Some("run_1".to_owned()),
            enforcement_id: "enf_1".to_owned(),
            seq: Some(1),
            policy_id: "rul_1".to_owned(),
            policy_kind: PolicyKind::Rule,
            rule_id: Some("rul_1".to_owned()),
            incident_id: incident.map(str::to_owned),
            step_index: Some(0),
            action_taken: ActionTaken::ALL[0],
            details: "{}".to_owned(),
            triggered_at: "2026-03-02T09:00:00.000000Z".to_owned(),
        })
    }

    fn prevention(incident: Option<&str>) -> Record {
        Record::Prevention(PreventionRecord {
            tenant_id: "tnt_1".to_owned(),
            run_id: "run_1".to_owned(),
            prevention_id: "prv_1".to_owned(),
            seq: Some(1),
            policy_id: Some("rul_1".to_owned()),
            policy_kind: Some(PolicyKind::Rule),
            policy_name: None,
            pattern_id: None,
            step_index: Some(0),
            outcome: PreventionOutcome::ALL[0],
            asked: None,
            would_have: None,
            refused_after: false,
            confidence_permille: 1_000,
            original_incident_id: None,
            blocked_incident_id: incident.map(str::to_owned),
            is_simulated: false,
            is_synthetic: false,
            evaluated_at: "2026-03-02T09:00:00.000000Z".to_owned(),
        })
    }

    #[test]
    fn what_struck_came_to_an_incident_that_the_run_has() {
        let known = || incident("inc_1");
        for fine in [
            vec![enforcement(None), prevention(None)],
            vec![known(), enforcement(Some("inc_1")), prevention(Some("inc_1"))],
            vec![enforcement(Some("inc_1")), known()],
        ] {
            assert_eq!(incidents(&[&fine]), Ok(()));
        }
        // What came late may name one that was sealed.
        assert_eq!(incidents(&[&[known()], &[enforcement(Some("inc_1"))]]), Ok(()));
        for (records, who) in [
            (vec![enforcement(Some("inc_1"))], "enf_1"),
            (vec![known(), enforcement(Some("inc_2"))], "enf_1"),
            (vec![known(), prevention(Some("inc_2"))], "prv_1"),
            (vec![known(), prevention(Some(""))], "prv_1"),
        ] {
            let why = incidents(&[&[], &records]).expect_err("the run does not have it");
            assert_eq!(why, format!("{who} came to an incident that the run does not have"));
        }
    }
}
