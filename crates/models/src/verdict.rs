//! The gate that every step passes: no verdict, no step.
//!
//! The only function that inserts a step takes a `DecidedStep`, which borrows a [`Verdict`], and the only
//! place that may write `Verdict::conclude` is the choke point (`orchestrator/src/choke/`; check-layers
//! holds it). So a step that nothing judged is not a bug that a test must find: it does not compile.

use std::sync::Arc;

use proof::{hash::Hash, records::DecisionRecord, tagged::Hashed, words::Action};

/// A decision of the choke point, with the hash by which everything else refers to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    decision: Arc<Hashed<DecisionRecord>>,
}

impl Verdict {
    /// What the choke point concluded. **For the choke point alone.**
    #[must_use]
    pub fn conclude(decision: Arc<Hashed<DecisionRecord>>) -> Self {
        Self { decision }
    }

    /// The decision as it is stored and hashed.
    #[must_use]
    pub fn record(&self) -> &DecisionRecord {
        &self.decision
    }

    /// The hash of its record.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.decision.hash()
    }

    /// What was answered.
    #[must_use]
    pub fn action(&self) -> Action {
        self.decision.action
    }
}
