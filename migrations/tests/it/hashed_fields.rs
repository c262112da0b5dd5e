//! Every field of a hashed record that has a table is a column of it, and every column is a hashed field, but for those
//! that only say where the row is. So nothing that is stored of a run escapes its receipt. What a run's segments hold
//! is stored as it was hashed.

use std::collections::BTreeSet;

use proof::{definitions, leaves, records};
use serde::de::{Deserialize, Deserializer, Visitor, value::Error};

use crate::rows::table_named;

/// A table, the fields of its record, fields that are stored under another name, and columns that are not
/// hashed, each with the reason.
struct Hashed {
    table: &'static str,
    fields: &'static [&'static str],
    /// Fields that are a column of another table, which has the same record.
    elsewhere: &'static [&'static str],
    /// Field, column.
    renamed: &'static [(&'static str, &'static str)],
    outside: &'static [(&'static str, &'static str)],
}

const LIVE: &str = "how the run stands, which may change after sealing";
const ROW: &str = "belongs to the row as it is kept, not to what was decided";

fn all() -> Vec<Hashed> {
    [of_runs(), of_incidents(), of_governance()].into_iter().flatten().collect()
}

fn of_runs() -> Vec<Hashed> {
    vec![
        Hashed {
            table: "runs",
            fields: fields::<records::RunRecord>(),
            elsewhere: &[],
            renamed: &[("run_id", "id"), ("opened_by", "key_id")],
            outside: &[
                ("state", "COMPLETED in every sealed run"),
                ("halt_action", "the decision that ended the run says it"),
                ("last_seen_at", "says when to give an open run up"),
                ("seal_due_at", "says when to seal a run that was stopped, or is a trace"),
                ("snapshot_id", "the row of the snapshot; its digest is hashed"),
                ("risk_level", LIVE),
                ("latency_bucket", LIVE),
                ("evidence_health", LIVE),
                ("integrity_status", LIVE),
                ("incident_count", LIVE),
                ("policy_violation", LIVE),
                ("policy_draft_count", LIVE),
                (
                    "reported_end",
                    "how its root span ended; status, duration and error of the sealed run are hashed",
                ),
                ("late", "what its addenda add up to; each has a leaf of its own"),
                ("cost_known", "whether each of its steps says cost_known; they are hashed"),
                ("labels", "those in its metadata; each of its decisions has them"),
                ("seal_retry_at", "says when to try again to seal it"),
                ("version", "says how often the row was written"),
                ("version_mark", "tells one write of the row from another"),
                ("created_at", "equals started_at"),
            ],
        },
        record::<records::CaptureFailureRecord>("evidence_capture_failures", &[("failure_id", "id")]),
        record::<records::EnforcementRecord>("policy_enforcements", &[("enforcement_id", "id")]),
        record::<records::PreventionRecord>("prevention_records", &[("prevention_id", "id")]),
        record::<records::BreachRecord>("limit_breaches", &[("breach_id", "id")]),
        record::<records::InterventionRecord>("run_interventions", &[]),
    ]
}

/// What a run did, in one table.
const OF_THE_RUN: &[&str] =
    &["run_id", "seq", "relation", "step_index", "cost_impact_nanousd", "note", "first_at"];
/// The incident as it was opened, in the other; that of all its runs.
const OF_THE_INCIDENT: &[&str] = &[
    "title",
    "category",
    "severity",
    "cause_type",
    "cause_key",
    "policy_id",
    "limit_id",
    "description",
    "error_code",
    "recurrence_signature",
    "is_synthetic",
    "opened_at",
];

fn of_incidents() -> Vec<Hashed> {
    vec![
        Hashed {
            table: "incident_runs",
            fields: fields::<records::IncidentRecord>(),
            elsewhere: OF_THE_INCIDENT,
            renamed: &[("step_index", "first_step_index")],
            outside: &[("later_impact_nanousd", "recurs"), ("occurrences", "recurs"), ("last_at", "recurs")],
        },
        Hashed {
            table: "incidents",
            fields: fields::<records::IncidentRecord>(),
            elsewhere: OF_THE_RUN,
            renamed: &[("incident_id", "id"), ("severity", "opened_severity"), ("opened_at", "created_at")],
            outside: &[
                ("source_run_id", "the run whose record says SOURCE"),
                ("source_step_index", "its step"),
                ("severity", "escalates"),
                ("lifecycle_state", "is handled"),
                ("cost_impact_nanousd", "summed over its runs"),
                ("affected_count", "counts its runs"),
                ("occurrences", "recurs"),
                ("last_seen_at", "recurs"),
                ("agents", "those of its runs"),
                ("more_agents", "likewise"),
                ("recurrence_count", "counts those before it"),
                ("namesake", ROW),
                ("similar_incident_group_id", "is grouped"),
                ("correlation_id", "the run's"),
                ("synthetic_scenario_id", "the run's"),
                ("acknowledged_at", "is handled"),
                ("acknowledged_by", "is handled"),
                ("resolved_at", "is handled"),
                ("resolved_by", "is handled"),
                ("resolution_type", "is handled"),
                ("resolution_notes", "is handled"),
                ("escalated_at", "escalates"),
                ("updated_at", "is handled"),
            ],
        },
    ]
}

#[test]
fn a_field_that_is_elsewhere_is_in_one_of_the_two_tables() {
    let both = OF_THE_RUN.iter().filter(|field| OF_THE_INCIDENT.contains(field));
    assert_eq!(both.collect::<Vec<_>>(), Vec::<&&str>::new());
}

fn of_governance() -> Vec<Hashed> {
    vec![
        Hashed {
            table: "audit_ledger",
            fields: fields::<leaves::AuditRecord>(),
            elsewhere: &[],
            renamed: &[],
            outside: &[("leaf_index", "where the leaf is"), ("leaf_hash", "the leaf's own hash")],
        },
        Hashed {
            table: "policy_rules",
            fields: fields::<definitions::RuleDefinition>(),
            elsewhere: &[],
            renamed: &[("rule_id", "id")],
            outside: &[
                (
                    "tenant_id",
                    "a definition is addressed by its content; the snapshot that binds it has the tenant",
                ),
                ("status", ROW),
                ("source_proposal_id", ROW),
                ("parent_rule_id", ROW),
                ("superseded_by", ROW),
                ("created_by", ROW),
                ("created_at", ROW),
                ("updated_at", ROW),
                ("retired_at", ROW),
                ("retired_by", ROW),
                ("retirement_reason", ROW),
            ],
        },
        Hashed {
            table: "limits",
            fields: fields::<definitions::LimitDefinition>(),
            elsewhere: &[],
            renamed: &[("limit_id", "id")],
            outside: &[
                ("tenant_id", "as for rules"),
                ("status", ROW),
                ("created_by", ROW),
                ("created_at", ROW),
                ("updated_at", ROW),
                ("namesake", ROW),
            ],
        },
    ]
}

/// A record that is hashed to its last column.
fn record<T: Deserialize<'static>>(
    table: &'static str,
    renamed: &'static [(&'static str, &'static str)],
) -> Hashed {
    Hashed { table, fields: fields::<T>(), elsewhere: &[], renamed, outside: &[] }
}

#[test]
fn columns_are_hashed_fields() {
    for Hashed { table, fields, elsewhere, renamed, outside } in all() {
        let column_of =
            |field: &'static str| renamed.iter().find(|(f, _)| *f == field).map_or(field, |(_, c)| *c);
        let here = fields.iter().filter(|field| !elsewhere.contains(field));
        let hashed: BTreeSet<&str> = here.map(|field| column_of(field)).collect();
        let outside: BTreeSet<&str> = outside.iter().map(|(column, _)| *column).collect();
        let stored = table_named(table);
        let stored: BTreeSet<&str> = stored.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(
            hashed.intersection(&outside).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "{table}: hashed after all"
        );
        let said: BTreeSet<&str> = hashed.union(&outside).copied().collect();
        assert_eq!(
            stored.difference(&said).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "{table}: stored, not hashed"
        );
        assert_eq!(
            said.difference(&stored).collect::<Vec<_>>(),
            Vec::<&&str>::new(),
            "{table}: hashed, not stored"
        );
    }
}

#[test]
fn every_kind_of_record_that_no_segment_holds_has_its_table() {
    let tables: BTreeSet<&str> = all().iter().map(|hashed| hashed.table).collect();
    for kind in records::RecordKind::ALL {
        let table = match kind {
            // As they were hashed, byte for byte.
            records::RecordKind::Activity
            | records::RecordKind::Decision
            | records::RecordKind::Environment
            | records::RecordKind::Gap
            | records::RecordKind::Integrity
            | records::RecordKind::Provider
            | records::RecordKind::Step => continue,
            records::RecordKind::Breach => "limit_breaches",
            records::RecordKind::CaptureFailure => "evidence_capture_failures",
            records::RecordKind::Enforcement => "policy_enforcements",
            records::RecordKind::Incident => "incident_runs",
            records::RecordKind::Intervention => "run_interventions",
            records::RecordKind::Prevention => "prevention_records",
            records::RecordKind::Run => "runs",
        };
        assert!(tables.contains(table), "{kind}");
    }
}

/// The names under which a struct's fields are written.
fn fields<T: Deserialize<'static>>() -> &'static [&'static str] {
    let mut fields: &[&str] = &[];
    let _ = T::deserialize(Asked(&mut fields));
    assert!(!fields.is_empty(), "not a struct");
    fields
}

/// Answers nothing; keeps what it is asked for.
struct Asked<'f>(&'f mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("only structs have fields"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("that was the question"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
