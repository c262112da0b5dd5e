//! What the server saw itself of how a run began. What is there was recorded by builds that did not note it.

use crate::dialect::{Dialect, Kind};

const WAY_IN: &str = "REST, OTLP_JSON, OTLP_PROTOBUF, FILE, UNKNOWN";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let way_in = Kind::Word(WAY_IN.split(", ").map(str::to_owned).collect());
    let check = d.check("way_in", &way_in).unwrap_or_default();
    [
        format!(
            "way_in {} NOT NULL DEFAULT 'UNKNOWN' CONSTRAINT environment_evidence_way_in_check CHECK ({check})",
            d.sql_type(&way_in)
        ),
        format!("user_agent {}", d.sql_type(&Kind::Text)),
        format!("hoc_version {} NOT NULL DEFAULT ''", d.sql_type(&Kind::Text)),
    ]
    .iter()
    .map(|column| format!("ALTER TABLE environment_evidence ADD COLUMN {column}"))
    .collect()
}
