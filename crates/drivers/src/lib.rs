//! L6. The only crate that speaks SQL and Redis. One implementation for Postgres and SQLite.
//!
//! [`Db`] is a store. It opens units of work: [`Tx`] reads and writes, [`ReadTx`] reads, all of it from one moment.
//! Both lend drivers, by subject; `ReadTx` lends the reading half of each.
//!
//! Each accessor, the driver that a `Tx` lends by it and the one that a `ReadTx` does, and their tables:
//!
//! - `account()`: [`account::Account`], [`account::AccountReads`]. Tenants, keys, the installation, signing keys.
//! - `idempotency()`: [`idempotency::IdempotencyStore`], [`idempotency::IdempotencyReads`]. Answers of calls that came
//!   with a key.
//! - `activity()`: [`activity::Activity`], [`activity::ActivityReads`]. Runs.
//! - `run_locks()`: [`run_locks::RunLocks`], to lock only. Runs with their traces, or whether they are as they were;
//!   and all keys of those.
//! - `run_metrics()`: [`activity::RunMetricsDriver`], to write only. `policy_violation` and
//!   `policy_draft_count` of runs.
//! - `run_signals()`: [`activity::RunSignalDriver`], to write only. `risk_level` of runs.
//! - `policies()`: [`policies::Policies`], [`policies::PoliciesReads`]. Rules, limits, their versions and integrity,
//!   snapshots, proposals, permits, use, breaches.
//! - `enforcements()`: [`policies::PolicyEnforcementWriteDriver`], [`policies::PolicyEnforcementReadDriver`].
//!   Enforcements.
//! - `preventions()`: [`policies::PreventionRecordsWriteDriver`], [`policies::PreventionRecordsReadDriver`].
//!   Prevention records.
//! - `incidents()`: [`incidents::Incidents`], [`incidents::IncidentsReads`]. Incidents and their events.
//! - `incident_runs()`: [`incidents::IncidentRunReadDriver`], for both. Incidents of a run.
//! - `jobs()`: [`jobs::Jobs`], [`jobs::JobsReads`]. Jobs and the chains of their audit events.
//! - `traces()`: [`logs::TraceStore`], [`logs::TraceReads`]. Traces; segments, which hold the records of runs; keys of
//!   steps.
//! - `evidence()`: [`logs::Evidence`], [`logs::EvidenceReads`]. Failed captures.
//! - `integrity()`: [`integrity::IntegrityAssembler`], for both. Counts by class of evidence, as segments say them.
//! - `logs()`: [`logs::LogsDomainStore`], [`logs::LogsReads`]. Audit Ledger, LLM run records, system records.
//! - `ledger()`: [`ledger::Ledger`], [`ledger::LedgerReads`]. Heads, run log, nodes and checkpoints of both logs.
//! - `counters()`: [`counters::Counters`], [`counters::CountersReads`]. Counters; whoever writes what they count
//!   writes them.
//! - `overview()`: [`overview::Overview`], to read only. It has no table of its own.
//! - `bundles()`: [`bundles::ExportBundleStore`], to read only. A whole run.
//!
//! # How a driver is written
//!
//! - A method sends one statement or a few, however many rows it is given. For an empty slice it sends none.
//! - A query starts with its tenant: `of(tenant)` is the only `find()` of a file. The exceptions are in `exceptions`.
//! - A row that is not there is `Ok(None)`, or not in the list. A row that cannot be read is [`StoreError::Corrupt`],
//!   which names the row. No row is left out, and a failed read is never an empty answer. Who compares many runs is
//!   told of each by itself ([`ByRun`]).
//! - A row is locked `FOR UPDATE` in order of its key. On SQLite the unit of work is the lock.
//! - An update names the columns that may change, and every row must be there. One of rows of runs raises the version
//!   of each: `version` says how, and rows that are written back otherwise are refused.
//! - A driver decides nothing.
//!
//! How to add a table, a column or an operation is in CONTRIBUTING.md.

pub mod account;
pub mod activity;
mod asked;
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
pub mod jobs;
mod keys;
pub mod ledger;
mod lent;
pub mod logs;
mod open;
pub mod overview;
mod patience;
#[cfg(test)]
mod plans;
pub mod policies;
mod postgres;
mod raised;
mod read;
mod rest;
mod room;
mod rows;
mod rowtype;
mod run_keys;
pub mod run_locks;
mod seen;
mod servers;
mod sessions;
mod store_file;
mod store_name;
mod tally;
mod together;
mod tx;
mod version;

pub use self::{
    config::ConnectConfig,
    error::{Cause, StoreError},
    exceptions::{ClaimedJob, DueJobs, FORGOTTEN_AT_ONCE, STALLED_AT_ONCE, STANDING_AT_ONCE},
    idempotency::RedisIdempotencyStore,
    inspect::Inspection,
    raised::Raised,
    read::ByRun,
    seen::SeenHead,
    store_name::StoreName,
    tx::{Db, ReadTx, Tx},
};
