//! The gate that every step passes: no verdict, no step.
//!
//! The only function that inserts a step takes [`DecidedStep`], which borrows a [`Verdict`], and the only
//! place that may write `Verdict::conclude` is the choke point (`orchestrator/src/choke/`; check-layers
//! holds it). So a step that nothing judged is not a bug that a test must find: it does not compile.

use proof::{
    hash::Hash,
    records::{DecisionRecord, Record, StepRecord},
    words::{Action, Assurance},
};

/// A decision of the choke point, with the hash by which everything else refers to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    record: DecisionRecord,
    hash: Hash,
}

impl Verdict {
    /// What the choke point concluded. **For the choke point alone.**
    #[must_use]
    pub fn conclude(record: DecisionRecord) -> Self {
        let hash = Record::Decision(record.clone()).hash();
        Self { record, hash }
    }

    /// The decision as it is stored and hashed.
    #[must_use]
    pub const fn record(&self) -> &DecisionRecord {
        &self.record
    }

    /// The hash of its record.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// What was answered.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.record.action
    }
}

/// A step with the verdict that lets it into the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct DecidedStep<'v> {
    /// The step as it is hashed. It names the verdict's decision.
    pub record: StepRecord,
    /// The run's: in an ENFORCED run a step without decision is refused by the store too.
    pub assurance: Assurance,
    /// The verdict.
    pub verdict: &'v Verdict,
}
