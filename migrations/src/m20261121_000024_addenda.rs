//! A run that is sealed may get addenda: leaves of the run log of which it may have several.

use crate::{
    dialect::Dialect,
    protect,
    table::{self, index, unique},
};

const RUN_LOG: &str = r"
    tenant_id id
    leaf_index count
    leaf_hash hash
    run_id id
    leaf_type word(OPENED, SEALED, ADDENDUM)
    leaf text
    created_at time
    PRIMARY KEY (tenant_id, leaf_index)
";

pub(crate) fn statements(d: Dialect) -> Vec<String> {
    let changed = match d {
        Dialect::Postgres => vec![
            "ALTER TABLE run_log DROP CONSTRAINT run_log_leaf_type_check".to_owned(),
            "ALTER TABLE run_log ADD CONSTRAINT run_log_leaf_type_check \
             CHECK (leaf_type IN ('OPENED', 'SEALED', 'ADDENDUM'))"
                .to_owned(),
            "ALTER TABLE run_log DROP CONSTRAINT run_log_tenant_id_run_id_leaf_type_key".to_owned(),
        ],
        // SQLite changes no constraint: the table is made anew. Its triggers go with the old one.
        Dialect::Sqlite => [
            vec![
                "ALTER TABLE run_log RENAME TO run_log_before".to_owned(),
                table::create(d, "run_log", RUN_LOG),
                "INSERT INTO run_log SELECT * FROM run_log_before".to_owned(),
                "DROP TABLE run_log_before".to_owned(),
            ],
            protect::append_only(d, "run_log"),
        ]
        .concat(),
    };
    let indexes = vec![
        unique("run_log_once", "run_log (tenant_id, run_id, leaf_type) WHERE leaf_type <> 'ADDENDUM'"),
        index("run_log_by_run", "run_log (tenant_id, run_id, leaf_index)"),
    ];
    [changed, indexes].concat()
}
