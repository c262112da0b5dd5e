//! Every driver, the same tests on both stores.
#![expect(
    clippy::cloned_ref_to_slice_refs,
    clippy::unnecessary_wraps,
    reason = "tests: a row and its copy, and texts for columns that may be empty"
)]

mod account;
mod activity;
mod any_records;
mod bundles;
mod contents;
mod counters;
mod cut;
mod dice;
mod evidence;
mod hanging;
mod idempotency;
mod incidents;
mod inspect;
mod interventions;
mod jobs;
mod ledger;
mod logs;
mod mended_counters;
mod overview;
mod policies;
mod room;
mod sample;
mod segments;
mod stalls;
mod store_name;
mod tape;
mod together;
mod traces;
mod units;
mod versions;
mod whole;
mod wrong_counters;
