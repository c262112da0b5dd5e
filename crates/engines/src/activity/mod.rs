//! What a run's numbers mean: the derived columns of `runs` (spec 2, Activity). Pure.

mod evidence_health;
mod latency;
pub mod prices;
mod risk;
mod run_record;
mod tokens;
mod told;

pub use self::{
    evidence_health::evidence_health,
    latency::{EXPECTED_MS, LatencySigns, SILENCE_MS, STALLED_FACTOR, latency_bucket},
    risk::{RiskSigns, risk_level},
    run_record::run_record,
    tokens::{Used, used},
    told::{Counts, counts_within, gives_no_tokens, is_paid_otherwise},
};
