//! SQLite's schema: what its pragmas say, and the text of what they do not say.

use std::collections::BTreeSet;

use sea_orm::DatabaseConnection;

use super::{
    sql::{body, normalised},
    texts,
};

pub(crate) async fn lines(connection: &DatabaseConnection) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let named = "FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    for table in texts(connection, &format!("SELECT name {named} AND type = 'table'")).await {
        let text =
            texts(connection, &format!("SELECT sql {named} AND type = 'table' AND name = '{table}'")).await;
        let (parts, tail) = body(&text.concat());
        lines.extend(parts.into_iter().map(|part| format!("table {table}: {part}")));
        lines.insert(format!("table {table} is {tail}"));
        for query in [
            // Not the position: a column that was added later is the same column.
            format!(
                "SELECT 'column ' || name || ' ' || type || ' notnull ' || \"notnull\" || ' default ' || \
                 coalesce(dflt_value, 'none') || ' key ' || pk || ' hidden ' || hidden FROM pragma_table_xinfo('{table}')"
            ),
            format!(
                "SELECT 'references ' || \"table\" || ' (' || group_concat(\"from\" || ' -> ' || \"to\", ', ') || ') update ' \
                 || on_update || ' delete ' || on_delete FROM \
                 (SELECT * FROM pragma_foreign_key_list('{table}') ORDER BY id, seq) GROUP BY id"
            ),
            // An index that came with a constraint is numbered, not named.
            format!(
                "SELECT 'index ' || iif(l.origin = 'c', l.name, '') || ' origin ' || l.origin || ' unique ' || l.\"unique\" || \
                 ' partial ' || l.partial || ' (' || (SELECT group_concat(coalesce(x.name, '?') || ' ' || x.\"desc\", ', ') \
                 FROM (SELECT * FROM pragma_index_xinfo(l.name) WHERE key ORDER BY seqno) x) || ')' \
                 FROM pragma_index_list('{table}') l"
            ),
        ] {
            lines.extend(
                texts(connection, &query).await.into_iter().map(|line| format!("table {table} {line}")),
            );
        }
    }
    for kind in ["index", "trigger", "view"] {
        let query = format!("SELECT sql {named} AND type = '{kind}' AND sql IS NOT NULL");
        lines.extend(texts(connection, &query).await.iter().map(|text| normalised(text)));
    }
    lines
}
