//! The run evidence bundle: one JSON document that proves itself to whoever has a public key.
//!
//! Its top-level members are exactly `format`, `records`, `proofs`, `contents` and `statement`. The statement is signed
//! and covers everything under `records`, `proofs` and `contents` twice: piece by piece in its predicate (the
//! [`Manifest`]), and whole, as the digests of four parts. `docs/bundle.md` tells a stranger how to check one.
//!
//! One is written from its beginning to its end and never held: [`RecordsWriter`] is given the records, [`ProofWriter`]
//! the texts, and [`SignedWriter`] ends it. [`assemble`] does all of it at once.

mod assemble;
mod contents;
mod live;
mod manifest;
mod parts;
mod placed;
mod proof_writer;
mod records_writer;
mod said;
mod sink;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    definitions::SnapshotDefinition,
    hash::Hash,
    leaves::{AuditRecord, KindRoot, RunLeaf, SealedLeaf},
    records::{Record, RecordKind},
};

pub use assemble::{Bundle, assemble};
pub use contents::{ContentsHashes, ContentsPart, Erased, ErasedPart};
pub use live::{AsOf, LiveIncident, LiveLate, LiveRun, TimelineEvent};
pub use manifest::{AfterHashes, Completeness, Manifest, ProofHashes, SealedHashes};
pub use parts::{AddendumPart, AuditPart, Lost, Parts, ReceiptPart};
pub use proof_writer::{ProofWriter, Rest, SignedWriter};
pub use records_writer::{RecordsWriter, kinds_in_order};
pub use sink::Sink;

/// The value of the member `format`.
pub const FORMAT: &str = "hoc/run-evidence-bundle/v1";
/// The statement's predicate type.
pub const PREDICATE_TYPE: &str = "urn:hoc:run-evidence-manifest:v1";
/// The names of the four parts that the statement is about, which are their places in the document.
pub const PARTS: [&str; 4] = ["records.sealed", "records.after", "proofs", "contents"];

/// The policy snapshot of the run: what was enforced, word for word, and by which engines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The rules and limits.
    pub definition: SnapshotDefinition,
    /// SHA-256 of the definition's canonical bytes: what decisions and leaves refer to.
    pub digest: Hash,
    /// The engines that the run's decisions name, each once, in the order of their first decision.
    pub engines: Vec<Engine>,
}

/// What evaluated decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Of the engine.
    pub engine_version: String,
    /// Of the facts that rules may read.
    pub schema_version: String,
}

/// Everything in a bundle that proves instead of telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
    /// Inclusion of each audit row of the run in the Audit Ledger, in the order of their `run_seq`.
    pub audit: Vec<AuditProof>,
    /// The two logs at the time of the bundle.
    pub checkpoints: Checkpoints,
    /// Inclusion of the OPENED leaf in the run log.
    pub opened: LogProof,
    /// None for a run that is not sealed.
    pub receipt: Option<Receipt>,
    /// What the records hash up to.
    pub roots: Roots,
}

/// The heads of the chain and of the trees over the sealed records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roots {
    /// Hash of the last step; of the OPENED leaf where there is none.
    pub chain_head: Hash,
    /// Count and Merkle root of every kind of record, in the order of `RecordKind::ALL`.
    pub kinds: Vec<KindRoot>,
    /// Merkle root over the hashes of `kinds`.
    pub records_root: Hash,
    /// Merkle root over the steps.
    pub root_hash: Hash,
}

/// Where a leaf is in its log, and the RFC 9162 inclusion proof for the log's checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProof {
    /// From 0.
    pub leaf_index: u64,
    /// From the leaf upward.
    pub inclusion: Vec<Hash>,
}

/// The SEALED leaf and where it is in the run log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// From the leaf upward.
    pub inclusion: Vec<Hash>,
    /// Always [`RunLeaf::Sealed`].
    pub leaf: RunLeaf,
    /// From 0.
    pub leaf_index: u64,
}

/// Where an audit row is in the Audit Ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditProof {
    /// The row's id.
    pub id: String,
    /// From the leaf upward.
    pub inclusion: Vec<Hash>,
    /// From 0.
    pub leaf_index: u64,
}

/// Signed notes in C2SP form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoints {
    /// Of the Audit Ledger.
    pub audit: String,
    /// Of the run log.
    pub runs: String,
}

/// What came to a sealed run later: its ADDENDUM leaf, where that is in the run log, and the records that it added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Addendum<'r> {
    /// From the leaf upward.
    pub inclusion: Vec<Hash>,
    /// Always [`RunLeaf::Addendum`].
    pub leaf: RunLeaf,
    /// From 0.
    pub leaf_index: u64,
    /// By kind, those kinds that [`ADDED`] names, each in the order of their place.
    pub records: BTreeMap<RecordKind, Vec<&'r Record>>,
}

/// The kinds of record that may come late. The others are of the run as a whole.
pub const ADDED: [RecordKind; 11] = [
    RecordKind::Activity,
    RecordKind::Breach,
    RecordKind::CaptureFailure,
    RecordKind::Decision,
    RecordKind::Enforcement,
    RecordKind::Gap,
    RecordKind::Incident,
    RecordKind::Intervention,
    RecordKind::Prevention,
    RecordKind::Provider,
    RecordKind::Step,
];

impl Receipt {
    pub(crate) fn new(leaf: SealedLeaf, proof: LogProof) -> Self {
        Self { inclusion: proof.inclusion, leaf: RunLeaf::Sealed(leaf), leaf_index: proof.leaf_index }
    }
}

impl AuditProof {
    pub(crate) fn new(record: &AuditRecord, proof: LogProof) -> Self {
        Self { id: record.id.clone(), inclusion: proof.inclusion, leaf_index: proof.leaf_index }
    }
}
