//! What every hashed type can say of itself: its tag, and for a run's records their kind, owner and place.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    canonical,
    definitions::{LimitDefinition, RuleDefinition, SnapshotDefinition},
    hash::{self, Hash},
    leaves::{
        AddendumLeaf, AuditLeaf, AuditRecord, EpochLeaf, ErasedLeaf, KindRoot, MarkLeaf, OpenedLeaf, RunLeaf,
        SealedLeaf, SigningKeyLeaf,
    },
    records::{
        ActivityRecord, BreachRecord, CaptureFailureRecord, DecisionRecord, DeterminismRecord,
        EnforcementRecord, EnvironmentRecord, GapRecord, IncidentRecord, IntegrityRecord, InterventionRecord,
        PreventionRecord, ProviderRecord, Record, RecordKind, RunRecord, StepRecord,
    },
};

/// A type that is hashed under a tag: the member `type`, which names type and version.
pub trait Tagged: DeserializeOwned {
    /// The tag.
    const TYPE: &'static str;
}

/// A record that a run's receipt covers.
pub trait RunEvidence: Tagged {
    /// The kind under which the receipt counts it.
    const KIND: RecordKind;

    /// Whose it is.
    fn tenant_id(&self) -> &str;

    /// The run that it belongs to. None only for what was recorded outside any run.
    fn run_id(&self) -> Option<&str>;

    /// Its place among the run's records of its kind, from 0. None only for what was recorded outside any run.
    fn position(&self) -> Option<u64>;
}

macro_rules! tagged {
    ($($record:ty = $tag:literal),+ $(,)?) => {$(
        impl Tagged for $record {
            const TYPE: &'static str = $tag;
        }
    )+};
}

tagged! {
    OpenedLeaf = "hoc/run-opened/v1",
    SealedLeaf = "hoc/run-sealed/v1",
    AddendumLeaf = "hoc/run-addendum/v1",
    ErasedLeaf = "hoc/run-erased/v1",
    AuditRecord = "hoc/audit-entry/v1",
    EpochLeaf = "hoc/log-epoch/v1",
    SigningKeyLeaf = "hoc/signing-key/v1",
}

/// `Variant(Type) = tag, run: how the run is named, at: how the place is named`.
macro_rules! run_evidence {
    ($($variant:ident($record:ident) = $tag:literal, $it:ident => $run:expr, $at:expr;)+) => {
        $(
            impl Tagged for $record {
                const TYPE: &'static str = $tag;
            }

            impl RunEvidence for $record {
                const KIND: RecordKind = RecordKind::$variant;

                fn tenant_id(&self) -> &str {
                    &self.tenant_id
                }

                fn run_id(&self) -> Option<&str> {
                    let $it = self;
                    $run
                }

                fn position(&self) -> Option<u64> {
                    let $it = self;
                    let _ = $it;
                    $at
                }
            }

            impl<'r> From<&'r $record> for RecordRef<'r> {
                fn from(record: &'r $record) -> Self {
                    Self::$variant(record)
                }
            }
        )+

        /// A [`Record`] that is only looked at: hashed as the record is, without a copy of it.
        #[derive(Clone, Copy, Debug, Serialize)]
        #[serde(tag = "type")]
        #[expect(missing_docs, reason = "the variants of Record")]
        pub enum RecordRef<'r> {
            $(#[serde(rename = $tag)] $variant(&'r $record),)+
        }

        impl RecordRef<'_> {
            /// The kind under which the receipt counts it.
            #[must_use]
            pub const fn kind(&self) -> RecordKind {
                match self { $(Self::$variant(_) => RecordKind::$variant,)+ }
            }
        }

        impl<'r> From<&'r Record> for RecordRef<'r> {
            fn from(record: &'r Record) -> Self {
                match record { $(Record::$variant(record) => Self::$variant(record),)+ }
            }
        }

        impl RecordKind {
            /// The kind of the records that have this tag.
            #[must_use]
            pub fn of_tag(tag: &str) -> Option<Self> {
                match tag {
                    $($tag => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl Record {
            /// The kind's tag: type and version.
            #[must_use]
            pub const fn tag(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$record as Tagged>::TYPE,)+ }
            }

            /// The run that it belongs to. None only for what was recorded outside any run.
            #[must_use]
            pub fn run_id(&self) -> Option<&str> {
                match self { $(Self::$variant(record) => record.run_id(),)+ }
            }

            /// Its place among the run's records of its kind, from 0. None only for what was recorded outside any run.
            #[must_use]
            pub fn position(&self) -> Option<u64> {
                match self { $(Self::$variant(record) => record.position(),)+ }
            }
        }
    };
}

run_evidence! {
    Run(RunRecord) = "hoc/run/v1", it => Some(&it.run_id), Some(0);
    Step(StepRecord) = "hoc/step/v1", it => Some(&it.run_id), Some(it.step_index);
    Environment(EnvironmentRecord) = "hoc/environment-evidence/v1", it => Some(&it.run_id), Some(0);
    Activity(ActivityRecord) = "hoc/activity-evidence/v1", it => Some(&it.run_id), Some(it.seq);
    Provider(ProviderRecord) = "hoc/provider-evidence/v1", it => Some(&it.run_id), Some(it.seq);
    Integrity(IntegrityRecord) = "hoc/integrity-evidence/v1", it => Some(&it.run_id), Some(0);
    CaptureFailure(CaptureFailureRecord) = "hoc/capture-failure/v1", it => Some(&it.run_id), Some(it.seq);
    Gap(GapRecord) = "hoc/gap/v1", it => Some(&it.run_id), Some(it.seq);
    Decision(DecisionRecord) = "hoc/policy-decision/v1", it => Some(&it.run_id), Some(it.seq);
    Enforcement(EnforcementRecord) = "hoc/policy-enforcement/v1", it => it.run_id.as_deref(), it.seq;
    Prevention(PreventionRecord) = "hoc/prevention-record/v1", it => Some(&it.run_id), it.seq;
    Breach(BreachRecord) = "hoc/limit-breach/v1", it => Some(&it.run_id), Some(it.seq);
    Incident(IncidentRecord) = "hoc/incident/v1", it => Some(&it.run_id), Some(it.seq);
    Intervention(InterventionRecord) = "hoc/intervention/v1", it => Some(&it.run_id), Some(it.seq);
}

macro_rules! leaf_hashes {
    ($($hashed:ty),+ $(,)?) => {$(
        impl $hashed {
            /// RFC 8785 bytes, tag included: what is hashed.
            ///
            /// # Panics
            /// If an integer is beyond [`canonical::MAX_INTEGER`]; whoever takes one from outside bounds it there.
            #[must_use]
            pub fn canonical_bytes(&self) -> Vec<u8> {
                canonical::to_bytes(self)
            }

            /// The one hash of this value: in the chain, in the tree, wherever another refers to it.
            ///
            /// # Panics
            /// As [`Self::canonical_bytes`].
            #[must_use]
            pub fn hash(&self) -> Hash {
                leaf_hash(self)
            }
        }
    )+};
}

leaf_hashes!(Record, RecordRef<'_>, RunLeaf, AuditLeaf, MarkLeaf, KindRoot);

/// A record with its hash and the bytes that were hashed, both made from it: so nobody need make either again to be
/// sure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed<R> {
    record: R,
    bytes: Vec<u8>,
    hash: Hash,
}

impl<R: RunEvidence> Hashed<R>
where
    for<'r> &'r R: Into<RecordRef<'r>>,
{
    /// Hashes a record.
    ///
    /// # Panics
    /// As [`Record::hash`].
    #[must_use]
    pub fn new(record: R) -> Self {
        let bytes = (&record).into().canonical_bytes();
        let hash = hash::leaf(&bytes);
        Self { record, bytes, hash }
    }
}

impl<R> Hashed<R> {
    /// The bytes that were hashed.
    #[must_use]
    pub fn canonical_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash of the record.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }
}

impl<R> std::ops::Deref for Hashed<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.record
    }
}

/// The leaf hash of any value's canonical bytes: how everything in a bundle's manifest is hashed.
///
/// # Panics
/// As [`canonical::to_bytes`].
#[must_use]
pub fn leaf_hash<T: Serialize + ?Sized>(value: &T) -> Hash {
    hash::leaf(&canonical::to_bytes(value))
}

impl DeterminismRecord<'_> {
    /// The determinism hash: SHA-256 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        digest(self)
    }
}

impl StepRecord {
    /// What `determinism_hash` ought to be. Does not read the field.
    #[must_use]
    pub fn determinism(&self) -> Hash {
        DeterminismRecord {
            outcome_category: self.outcome_category,
            outcome_code: self.outcome_code.as_deref(),
            outcome_hash: self.outcome_hash.as_deref(),
            params_hash: self.params_hash.as_deref(),
            retry_count: self.retry_count,
            skill_name: &self.skill_name,
            status: self.status,
        }
        .hash()
    }
}

impl RuleDefinition {
    /// `policy_rule_integrity.hash_root`: SHA-256 of the whole definition.
    ///
    /// # Panics
    /// As [`canonical::to_bytes`].
    #[must_use]
    pub fn hash_root(&self) -> Hash {
        digest(self)
    }
}

impl LimitDefinition {
    /// `limit_integrity.hash_root`: SHA-256 of the whole definition.
    ///
    /// # Panics
    /// As [`canonical::to_bytes`].
    #[must_use]
    pub fn hash_root(&self) -> Hash {
        digest(self)
    }
}

impl SnapshotDefinition {
    /// The snapshot's address: SHA-256 of its canonical bytes.
    ///
    /// # Panics
    /// As [`canonical::to_bytes`].
    #[must_use]
    pub fn digest(&self) -> Hash {
        digest(self)
    }
}

/// SHA-256 of a value's canonical bytes: what addresses a value that is no leaf.
fn digest<T: Serialize>(value: &T) -> Hash {
    hash::sha256(&canonical::to_bytes(value))
}
