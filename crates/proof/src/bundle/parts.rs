//! What a bundle is made of: what is known of a run when its bundle is begun, and its records.

use std::collections::BTreeMap;

use super::{ADDED, Addendum, AsOf, Checkpoints, ContentsPart, LiveIncident, LiveRun, LogProof};
use crate::{
    definitions::SnapshotDefinition,
    hash::Hash,
    leaves::{AddendumLeaf, AuditRecord, OpenedLeaf, RunLeaf, SealedLeaf},
    records::{Record, RecordKind},
    run_ranges::RunRanges,
    segment::MissingSegment,
    words::Action,
};

/// What a bundle is made of. It is bundled as given: what does not fit together shows when it is verified.
#[derive(Clone, Debug)]
pub struct Parts<'r> {
    /// The run's OPENED leaf.
    pub opened: OpenedLeaf,
    /// Its place in the run log.
    pub opened_proof: LogProof,
    /// None for a run that is not sealed.
    pub receipt: Option<ReceiptPart>,
    /// The rules and limits that the run is bound to.
    pub snapshot: SnapshotDefinition,
    /// Every record that the receipt covers. Kinds may be mixed; those of a kind are in the order of their place.
    pub records: &'r [Record],
    /// What came after the run was sealed, oldest first.
    pub addenda: Vec<AddendumPart<'r>>,
    /// The run as it stands now.
    pub run: LiveRun,
    /// Its incidents as they stand now, in the order in which they were opened.
    pub incidents: Vec<LiveIncident>,
    /// The texts that its records name.
    pub contents: ContentsPart,
    /// Its rows of the Audit Ledger, by `run_seq`.
    pub audit: Vec<AuditPart>,
    /// What of the records could not be read. None where they are all there.
    pub lost: Option<Lost<'r>>,
    /// Checkpoints that cover the leaves, and to whose sizes the proofs lead.
    pub checkpoints: Checkpoints,
    /// When this is, and the checkpoints' sizes.
    pub as_of: AsOf,
}

/// Of a run of which not all records could be read: which segments are missing, and what the run's trace knows of all
/// of them.
#[derive(Clone, Debug)]
pub struct Lost<'r> {
    /// The segments.
    pub missing: Vec<MissingSegment>,
    /// The trees over the records that the receipt covers, or will.
    pub ranges: &'r RunRanges,
    /// The hash of the last of its steps.
    pub chain_head: Hash,
    /// How many of its decisions answered what.
    pub verdict_tally: BTreeMap<Action, u64>,
    /// How many addenda there are.
    pub addenda: u64,
}

/// The run's SEALED leaf and its place in the run log.
#[derive(Clone, Debug)]
pub struct ReceiptPart {
    /// The receipt.
    pub leaf: SealedLeaf,
    /// Its place.
    pub proof: LogProof,
}

/// An ADDENDUM leaf, its place in the run log, and the records that it added.
#[derive(Clone, Debug)]
pub struct AddendumPart<'r> {
    /// The leaf.
    pub leaf: AddendumLeaf,
    /// Its place.
    pub proof: LogProof,
    /// The records, those of a kind in the order of their place.
    pub records: Vec<&'r Record>,
}

impl<'r> AddendumPart<'r> {
    /// Gives each addendum its part of the late records, which are in the order of their place.
    #[must_use]
    pub fn split(leaves: Vec<(AddendumLeaf, LogProof)>, late: &'r [Record]) -> Vec<Self> {
        let mut kinds: Vec<Vec<&Record>> = vec![Vec::new(); RecordKind::ALL.len()];
        for record in late {
            kinds[record.kind() as usize].push(record);
        }
        let mut taken = vec![0; kinds.len()];
        let mut parts = Vec::with_capacity(leaves.len());
        for (leaf, proof) in leaves {
            let mut records = Vec::new();
            for kind in RecordKind::ALL {
                let at = *kind as usize;
                let count = leaf.record_counts.get(kind).copied().unwrap_or(0);
                let end = usize::try_from(count).unwrap_or(usize::MAX).min(kinds[at].len());
                records.extend(kinds[at].get(taken[at]..end).unwrap_or_default());
                taken[at] = taken[at].max(end);
            }
            parts.push(Self { leaf, proof, records });
        }
        parts
    }

    /// The same of a run of which some records are missing: each record goes by its place, and an addendum of which not
    /// all are there is left out. `sealed` are the records that the receipt covers.
    #[must_use]
    pub fn whole(leaves: Vec<(AddendumLeaf, LogProof)>, late: &'r [Record], sealed: &RunRanges) -> Vec<Self> {
        let mut before: BTreeMap<RecordKind, u64> = BTreeMap::new();
        let mut parts = Vec::with_capacity(leaves.len());
        for (leaf, proof) in leaves {
            let mut records = Vec::new();
            let mut is_whole = true;
            for kind in RecordKind::ALL {
                let from = before.get(kind).copied().unwrap_or(0);
                let end = leaf.record_counts.get(kind).copied().unwrap_or(0).max(from);
                let place = |record: &Record| record.position()?.checked_sub(sealed.next(*kind));
                let is_of_it = |record: &&Record| {
                    record.kind() == *kind && place(record).is_some_and(|at| (from..end).contains(&at))
                };
                let known = records.len();
                records.extend(late.iter().filter(is_of_it));
                is_whole &= (records.len() - known) as u64 == end - from;
                before.insert(*kind, end);
            }
            if is_whole {
                parts.push(Self { leaf, proof, records });
            }
        }
        parts
    }

    pub(super) fn piece(self) -> Addendum<'r> {
        let mut records: BTreeMap<RecordKind, Vec<&Record>> =
            ADDED.into_iter().map(|kind| (kind, Vec::new())).collect();
        for record in self.records {
            records.entry(record.kind()).or_default().push(record);
        }
        let LogProof { leaf_index, inclusion } = self.proof;
        Addendum { inclusion, leaf: RunLeaf::Addendum(self.leaf), leaf_index, records }
    }
}

/// A row of the Audit Ledger and its place there.
#[derive(Clone, Debug)]
pub struct AuditPart {
    /// The row.
    pub record: AuditRecord,
    /// Its place.
    pub proof: LogProof,
}
