//! Every driver, the same tests on both stores.

mod account;
mod activity;
mod bundles;
mod evidence;
mod incidents;
mod inspect;
mod ledger;
mod logs;
mod overview;
mod policies;
mod sample;
mod traces;
mod units;
mod whole;
