//! Postgres' schema, as its catalogues say it.

use std::collections::BTreeSet;

use sea_orm::DatabaseConnection;

use super::texts;

const TABLES: &str = "SELECT format('table %s kind %s options %s row security %s', relname, relkind, reloptions, \
    relrowsecurity) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'";

/// Not the position: a column that was added later is the same column.
const COLUMNS: &str = "SELECT format('table %s column %s %s notnull %s generated %s%s default %s', c.relname, a.attname, \
    format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity, \
    pg_get_expr(d.adbin, d.adrelid)) \
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 \
    AND NOT a.attisdropped";

/// The definition says deferral; the name of one that was not named is a number, so it does not count.
const CONSTRAINTS: &str = "SELECT format('table %s constraint %s %s validated %s', conrelid::regclass, contype, \
    pg_get_constraintdef(oid), convalidated) \
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace";

const INDEXES: &str = "SELECT format('%s valid %s', pg_get_indexdef(indexrelid), indisvalid) FROM pg_index i \
    JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace";

const TRIGGERS: &str = "SELECT format('%s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM pg_trigger t \
    JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal AND c.relnamespace = 'public'::regnamespace";

const FUNCTIONS: &str =
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace";

pub(crate) async fn lines(connection: &DatabaseConnection) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for query in [TABLES, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, FUNCTIONS] {
        lines.extend(texts(connection, query).await);
    }
    lines
}
