//! Money is counted in nano-USD, tokens that were written to a cache are told, and why a cost is what it is.
//!
//! The columns are named after what they count. What a store of an unreleased version holds was counted in micro-USD
//! and hashed as that: it is not converted, for no conversion would be what was hashed (ADR 37).

use crate::{
    dialect::{Dialect, Kind},
    m20261121_000090_lowered as lowered, m20261127_000044_one_incident_a_cause as incidents, protect,
};

/// Table and column, as it was called.
const MONEY: [(&str, &str, &str); 7] = [
    ("runs", "cost_microusd", "cost_nanousd"),
    ("aos_trace_steps", "cost_microusd", "cost_nanousd"),
    ("llm_run_records", "cost_microusd", "cost_nanousd"),
    ("permits", "estimate_cost_microusd", "estimate_cost_nanousd"),
    ("incidents", "cost_impact_microusd", "cost_impact_nanousd"),
    ("incident_runs", "cost_impact_microusd", "cost_impact_nanousd"),
    ("incident_runs", "later_impact_microusd", "later_impact_nanousd"),
];

/// What says how many tokens a model call used.
const CALLS: [&str; 3] = ["aos_trace_steps", "provider_evidence", "llm_run_records"];

const COST_NOTE: &[&str] = &["COUNTS_CONTRADICT", "NO_PRICE", "NO_TOKENS", "REPORTED_ZERO"];

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let renamed =
        MONEY.iter().map(|(table, was, is)| format!("ALTER TABLE {table} RENAME COLUMN {was} TO {is}"));
    let written =
        CALLS.iter().map(|table| add(d, table, "cache_write_tokens", &Kind::Count, " NOT NULL DEFAULT 0"));
    let note = Kind::Word(COST_NOTE.iter().map(|word| (*word).to_owned()).collect());
    let noted =
        ["aos_trace_steps", "llm_run_records"].iter().map(|table| add(d, table, "cost_note", &note, ""));
    // A trigger that speaks of a renamed column is made anew, so that it reads as it was written.
    let runs = protect::kept_unless_now(d, "runs", &lowered::refused());
    let joined = protect::kept_unless_now(d, "incident_runs", &incidents::refused());
    let (gone, again): (Vec<String>, Vec<String>) =
        [runs, joined].concat().into_iter().partition(|statement| statement.starts_with("DROP "));
    let again = again.into_iter().map(|statement| statement.replace("microusd", "nanousd"));
    gone.into_iter().chain(renamed).chain(written).chain(noted).chain(again).collect()
}

fn add(d: Dialect, table: &str, column: &str, kind: &Kind, otherwise: &str) -> String {
    let check = d
        .check(column, kind)
        .map_or_else(String::new, |check| format!(" CONSTRAINT {table}_{column}_check CHECK ({check})"));
    format!("ALTER TABLE {table} ADD COLUMN {column} {}{otherwise}{check}", d.sql_type(kind))
}
