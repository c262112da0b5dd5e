//! Schema history: one for both stores, one change a file, never edited once released.
//!
//! To change the schema, add a file: its name, date first, and its `statements`; and list it below. Tables
//! are rendered by `table` from one text for both stores; what differs is in `dialect`, what must not be
//! changed or deleted in `protect`. SQLite cannot add a foreign key or change a constraint: rebuild the table.
//! There is no way down: a schema goes back by restoring a backup.

mod change;
mod dialect;
mod m20261121_000001_account;
mod m20261121_000002_rules;
mod m20261121_000003_limits;
mod m20261121_000004_snapshots;
mod m20261121_000005_runs;
mod m20261121_000006_traces;
mod m20261121_000007_evidence;
mod m20261121_000008_choke;
mod m20261121_000009_incidents;
mod m20261121_000010_proposals;
mod m20261121_000011_records;
mod m20261121_000012_audit;
mod m20261121_000013_ledger;
mod m20261121_000014_reported;
mod m20261121_000015_sessions;
mod m20261121_000020_log_marks;
mod m20261121_000021_degrade_to;
mod m20261121_000022_price_book;
mod m20261121_000023_interventions;
mod m20261121_000024_addenda;
mod m20261121_000026_cost_known;
mod m20261121_000027_gaps;
mod m20261121_000090_lowered;
mod m20261127_000028_labels;
mod m20261127_000029_tools_cut;
mod m20261127_000030_seal_retry;
mod m20261127_000032_reported_by;
mod m20261127_000033_settings;
mod m20261127_000034_windows;
mod m20261127_000035_agents;
mod m20261127_000036_limit_names;
mod m20261127_000037_later_impact;
mod m20261127_000040_asked;
mod m20261127_000041_model_requested;
mod m20261127_000044_one_incident_a_cause;
mod m20261127_000048_idempotency;
mod m20261127_000049_bound;
mod m20261127_000050_refused_after;
mod m20261127_000051_lapses;
mod m20261127_000052_start_keys;
mod m20261127_000053_nano_usd;
mod m20261127_000054_uncounted;
mod m20261127_000060_conversations;
mod m20261128_000061_way_in;
mod m20261128_000062_lifts;
mod m20261128_000063_calls_by_filter;
mod m20261128_000064_governed_changes;
mod protect;
mod table;

use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::MigratorTrait;

pub use self::{change::Change, dialect::Dialect};

/// Every change, oldest first.
pub const HISTORY: &[Change] = &[
    Change { name: "m20261121_000001_account", statements: m20261121_000001_account::statements },
    Change { name: "m20261121_000002_rules", statements: m20261121_000002_rules::statements },
    Change { name: "m20261121_000003_limits", statements: m20261121_000003_limits::statements },
    Change { name: "m20261121_000004_snapshots", statements: m20261121_000004_snapshots::statements },
    Change { name: "m20261121_000005_runs", statements: m20261121_000005_runs::statements },
    Change { name: "m20261121_000006_traces", statements: m20261121_000006_traces::statements },
    Change { name: "m20261121_000007_evidence", statements: m20261121_000007_evidence::statements },
    Change { name: "m20261121_000008_choke", statements: m20261121_000008_choke::statements },
    Change { name: "m20261121_000009_incidents", statements: m20261121_000009_incidents::statements },
    Change { name: "m20261121_000010_proposals", statements: m20261121_000010_proposals::statements },
    Change { name: "m20261121_000011_records", statements: m20261121_000011_records::statements },
    Change { name: "m20261121_000012_audit", statements: m20261121_000012_audit::statements },
    Change { name: "m20261121_000013_ledger", statements: m20261121_000013_ledger::statements },
    Change { name: "m20261121_000014_reported", statements: m20261121_000014_reported::statements },
    Change { name: "m20261121_000015_sessions", statements: m20261121_000015_sessions::statements },
    Change { name: "m20261121_000020_log_marks", statements: m20261121_000020_log_marks::statements },
    Change { name: "m20261121_000021_degrade_to", statements: m20261121_000021_degrade_to::statements },
    Change { name: "m20261121_000022_price_book", statements: m20261121_000022_price_book::statements },
    Change { name: "m20261121_000023_interventions", statements: m20261121_000023_interventions::statements },
    Change { name: "m20261121_000024_addenda", statements: m20261121_000024_addenda::statements },
    Change { name: "m20261121_000026_cost_known", statements: m20261121_000026_cost_known::statements },
    Change { name: "m20261121_000027_gaps", statements: m20261121_000027_gaps::statements },
    Change { name: "m20261121_000090_lowered", statements: m20261121_000090_lowered::statements },
    Change { name: "m20261127_000028_labels", statements: m20261127_000028_labels::statements },
    Change { name: "m20261127_000029_tools_cut", statements: m20261127_000029_tools_cut::statements },
    Change { name: "m20261127_000030_seal_retry", statements: m20261127_000030_seal_retry::statements },
    Change { name: "m20261127_000032_reported_by", statements: m20261127_000032_reported_by::statements },
    Change { name: "m20261127_000033_settings", statements: m20261127_000033_settings::statements },
    Change { name: "m20261127_000034_windows", statements: m20261127_000034_windows::statements },
    Change { name: "m20261127_000035_agents", statements: m20261127_000035_agents::statements },
    Change { name: "m20261127_000036_limit_names", statements: m20261127_000036_limit_names::statements },
    Change { name: "m20261127_000037_later_impact", statements: m20261127_000037_later_impact::statements },
    Change { name: "m20261127_000040_asked", statements: m20261127_000040_asked::statements },
    Change { name: "m20261127_000048_idempotency", statements: m20261127_000048_idempotency::statements },
    Change { name: "m20261127_000049_bound", statements: m20261127_000049_bound::statements },
    Change { name: "m20261127_000050_refused_after", statements: m20261127_000050_refused_after::statements },
    Change {
        name: "m20261127_000041_model_requested",
        statements: m20261127_000041_model_requested::statements,
    },
    Change {
        name: "m20261127_000044_one_incident_a_cause",
        statements: m20261127_000044_one_incident_a_cause::statements,
    },
    Change { name: "m20261127_000051_lapses", statements: m20261127_000051_lapses::statements },
    Change { name: "m20261127_000052_start_keys", statements: m20261127_000052_start_keys::statements },
    Change { name: "m20261127_000053_nano_usd", statements: m20261127_000053_nano_usd::statements },
    Change { name: "m20261127_000054_uncounted", statements: m20261127_000054_uncounted::statements },
    Change { name: "m20261127_000060_conversations", statements: m20261127_000060_conversations::statements },
    Change { name: "m20261128_000061_way_in", statements: m20261128_000061_way_in::statements },
    Change { name: "m20261128_000062_lifts", statements: m20261128_000062_lifts::statements },
    Change {
        name: "m20261128_000063_calls_by_filter",
        statements: m20261128_000063_calls_by_filter::statements,
    },
    Change {
        name: "m20261128_000064_governed_changes",
        statements: m20261128_000064_governed_changes::statements,
    },
];

/// What brings a store's schema to head.
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        HISTORY.iter().map(|change| Box::new(*change) as Box<dyn MigrationTrait>).collect()
    }
}
