//! L6. The only crate that speaks SQL and Redis. One implementation for Postgres and SQLite.
//!
//! [`Db`] is a store. It opens units of work: [`Tx`] reads and writes, [`ReadTx`] reads, all of it from one moment.
//! Both lend drivers, by subject; `ReadTx` lends the reading half of each.
//!
//! | accessor | driver of `Tx` | driver of `ReadTx` | tables |
//! | --- | --- | --- | --- |
//! | `account()` | [`Account`](account::Account) | [`AccountReads`](account::AccountReads) | tenants, keys, the installation, signing keys |
//! | `idempotency()` | [`IdempotencyStore`](idempotency::IdempotencyStore) | [`IdempotencyReads`](idempotency::IdempotencyReads) | answers of calls that came with a key |
//! | `activity()` | [`Activity`](activity::Activity) | [`ActivityReads`](activity::ActivityReads) | runs |
//! | `run_metrics()` | [`RunMetricsDriver`](activity::RunMetricsDriver) | | policy_violation and policy_draft_count of runs |
//! | `run_signals()` | [`RunSignalDriver`](activity::RunSignalDriver) | | risk_level of runs |
//! | `policies()` | [`Policies`](policies::Policies) | [`PoliciesReads`](policies::PoliciesReads) | rules, limits, their versions and integrity, snapshots, proposals, permits, use, breaches; decisions, from segments |
//! | `enforcements()` | [`PolicyEnforcementWriteDriver`](policies::PolicyEnforcementWriteDriver) | [`PolicyEnforcementReadDriver`](policies::PolicyEnforcementReadDriver) | enforcements |
//! | `preventions()` | [`PreventionRecordsWriteDriver`](policies::PreventionRecordsWriteDriver) | [`PreventionRecordsReadDriver`](policies::PreventionRecordsReadDriver) | prevention records |
//! | `incidents()` | [`Incidents`](incidents::Incidents) | [`IncidentsReads`](incidents::IncidentsReads) | incidents and their events |
//! | `incident_runs()` | [`IncidentRunReadDriver`](incidents::IncidentRunReadDriver) | the same | incidents of a run |
//! | `traces()` | [`TraceStore`](logs::TraceStore) | [`TraceReads`](logs::TraceReads) | traces; segments, which hold the records of runs; keys of steps |
//! | `evidence()` | [`Evidence`](logs::Evidence) | [`EvidenceReads`](logs::EvidenceReads) | failed captures |
//! | `integrity()` | [`IntegrityAssembler`](integrity::IntegrityAssembler) | the same | counts by class of evidence, as segments say them |
//! | `logs()` | [`LogsDomainStore`](logs::LogsDomainStore) | [`LogsReads`](logs::LogsReads) | Audit Ledger, LLM run records, system records |
//! | `ledger()` | [`Ledger`](ledger::Ledger) | [`LedgerReads`](ledger::LedgerReads) | heads, run log, nodes and checkpoints of both logs |
//! | `counters()` | [`Counters`](counters::Counters) | [`CountersReads`](counters::CountersReads) | counters; whoever writes what they count writes them |
//! | `overview()` | | [`Overview`](overview::Overview) | none of its own |
//! | `bundles()` | | [`ExportBundleStore`](bundles::ExportBundleStore) | a whole run |
//!
//! # How a driver is written
//!
//! - A method sends one statement or a few, however many rows it is given. For an empty slice it sends none.
//! - A query starts with its tenant: `of(tenant)` is the only `find()` of a file. The exceptions are in `exceptions`.
//! - A row that is not there is `Ok(None)`, or not in the list. A row that cannot be read is [`StoreError::Corrupt`],
//!   which names the row. No row is left out, and a failed read is never an empty answer.
//! - A row is locked `FOR UPDATE` in order of its key. On SQLite the unit of work is the lock.
//! - An update names the columns that may change, and every row must be there.
//! - A driver decides nothing.
//!
//! How to add a table, a column or an operation is in CONTRIBUTING.md.

pub mod account;
pub mod activity;
mod bind;
mod bulk;
pub mod bundles;
mod cells;
mod config;
mod conn;
mod connect;
pub mod counters;
mod dialect;
mod driver;
mod error;
mod exceptions;
mod field;
mod governed;
mod growth;
mod history;
pub mod idempotency;
pub mod incidents;
mod inspect;
pub mod integrity;
mod keys;
pub mod ledger;
mod lent;
pub mod logs;
pub mod overview;
mod patience;
#[cfg(test)]
mod plans;
pub mod policies;
mod postgres;
mod read;
mod rest;
mod rows;
mod rowtype;
mod seen;
mod servers;
mod sessions;
mod store_file;
mod store_name;
mod tally;
mod tx;

pub use self::{
    config::ConnectConfig,
    error::{Cause, StoreError},
    exceptions::{FORGOTTEN_AT_ONCE, STALLED_AT_ONCE},
    idempotency::RedisIdempotencyStore,
    inspect::Inspection,
    seen::SeenHead,
    store_name::StoreName,
    tx::{Db, ReadTx, Tx},
};
