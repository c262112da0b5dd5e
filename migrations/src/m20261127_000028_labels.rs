//! A run's labels, as they were read when it started: no step reads its metadata for them.

use crate::{
    dialect::{Dialect, Kind},
    protect::{self, changes},
};

/// Only open runs are judged by their labels; what sealed ones were judged by stands in their decisions.
const FROM_METADATA_SQLITE: &str = "UPDATE runs SET labels = (\
     SELECT json_group_array(value) FROM json_each(runs.metadata, '$.labels') WHERE type = 'text') \
     WHERE state = 'LIVE' AND json_valid(metadata) AND json_type(metadata, '$.labels') = 'array'";

/// `json` and not `jsonb`: it takes every number as it is written.
const FROM_METADATA_POSTGRES: &str = "UPDATE runs SET labels = coalesce((\
     SELECT json_agg(label)::text FROM json_array_elements(metadata::json -> 'labels') AS label \
     WHERE json_typeof(label) = 'string'), '[]') \
     WHERE state = 'LIVE' AND json_typeof(metadata::json -> 'labels') = 'array'";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let from_metadata = match d {
        Dialect::Sqlite => FROM_METADATA_SQLITE,
        Dialect::Postgres => FROM_METADATA_POSTGRES,
    };
    [
        // A default, for the runs that are there; whoever inserts says it.
        vec![
            format!("ALTER TABLE runs ADD COLUMN labels {} NOT NULL DEFAULT '[]'", d.sql_type(&Kind::Text)),
            from_metadata.to_owned(),
        ],
        protect::kept_too(d, "runs", "labels", &changes(&["labels"])),
    ]
    .concat()
}
