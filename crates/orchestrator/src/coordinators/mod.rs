//! What joins several domains: a run's evidence (O4), its proof (O5), and the bundle that carries both away; and
//! what holds what is kept beside them all against them, or against its own chain.

pub mod check_counters;
pub mod check_jobs;
pub mod check_memory;
pub(crate) mod check_records;
pub mod export_bundle;
pub mod look_into;
pub mod read_log;
pub mod run_evidence;
pub mod run_proof;

mod pages;
mod recomputed;
mod sealed_records;
mod texts;
