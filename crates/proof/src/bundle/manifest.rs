//! The signed list of everything that a bundle holds: what is missing or changed shows against it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ContentsHashes;
use crate::{
    hash::Hash,
    records::RecordKind,
    segment::MissingSegment,
    words::{Action, Assurance, IntegrityGrade},
};

crate::words! {
    /// Whether the run was sealed when the bundle was made.
    Completeness { Sealed = "SEALED", Open = "OPEN" }
}

/// The statement's predicate. A hash in it is the leaf hash of the canonical bytes of what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of `records.after`.
    pub after: AfterHashes,
    /// What the run's evidence is worth by where it came from; of a sealed run as the receipt says, whatever came
    /// later.
    pub assurance: Assurance,
    /// Whether the run was sealed.
    pub completeness: Completeness,
    /// Of `contents`.
    pub contents: ContentsHashes,
    /// The grade of the integrity record. None while the run is open.
    pub grade: Option<IntegrityGrade>,
    /// What the server itself could not read of the run's records: they are in no part, and null in the lists. Empty,
    /// as a rule.
    pub missing: Vec<MissingSegment>,
    /// When the bundle was made; `records.after.as_of.time` says the same.
    pub produced_at: String,
    /// Of `proofs`.
    pub proofs: ProofHashes,
    /// How many records of each kind there are, zeros included.
    pub record_counts: BTreeMap<RecordKind, u64>,
    /// Whose run.
    pub run_id: String,
    /// Of `records.sealed`.
    pub sealed: SealedHashes,
    /// Whose.
    pub tenant_id: String,
    /// How many decisions answered what; an action that none answered is not named.
    pub verdict_tally: BTreeMap<Action, u64>,
}

/// The pieces of `records.sealed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedHashes {
    /// The OPENED leaf.
    pub opened: Hash,
    /// Every record, by kind, in the order of their place: the leaves of the records trees. None stands for one that
    /// the server could not read.
    pub records: BTreeMap<RecordKind, Vec<Option<Hash>>>,
    /// The policy snapshot.
    pub snapshot: Hash,
}

/// The pieces of `records.after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterHashes {
    /// What came after sealing. None stands for an addendum of which the server could not read all.
    pub addenda: Vec<Option<Hash>>,
    /// Time and sizes of the logs.
    pub as_of: Hash,
    /// Audit rows: the leaves of the Audit Ledger.
    pub audit: Vec<Hash>,
    /// Incidents, each with its timeline.
    pub incidents: Vec<Hash>,
    /// The run as it stands now.
    pub run: Hash,
}

/// The pieces of `proofs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofHashes {
    /// The proof of each audit row.
    pub audit: Vec<Hash>,
    /// Both checkpoints.
    pub checkpoints: Hash,
    /// The proof of the OPENED leaf.
    pub opened: Hash,
    /// The receipt with its proof. None while the run is open.
    pub receipt: Option<Hash>,
    /// The roots.
    pub roots: Hash,
}
