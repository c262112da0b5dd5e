//! The choke point against real stores, both of them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod addenda;
mod advice;
mod agent;
mod budgets;
mod bundles;
mod causes;
mod contributions;
mod counted;
mod done;
mod gaps;
mod halts;
mod hollow;
mod hostile;
mod idempotency;
mod impact;
mod interleaving;
mod interventions;
mod invariants;
mod late;
mod metadata;
mod names;
mod neighbours;
mod oddities;
mod outage;
mod permits;
mod replicas;
mod roots;
mod runs;
mod spans;
mod statements;
mod thresholds;
mod traced_permits;
mod trees;
mod verdicts;
mod windows;
