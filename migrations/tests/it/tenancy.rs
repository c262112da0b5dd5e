//! Tables distribute by tenant: every key holds the tenant, and no foreign key leaves it (spec 1).

use std::collections::BTreeSet;

use testkit::Store;

use crate::catalogue::{tables, texts};

/// What belongs to no tenant: to the installation.
const OF_THE_INSTALLATION: &[&str] = &["installation", "signing_keys"];

testkit::on_both! {
    async fn every_table_has_the_tenant_in_a_key(db: TestDatabase) {
        let connection = db.connection().await;
        let keyed = match db.store() {
            Store::Sqlite => {
                "SELECT DISTINCT m.name FROM sqlite_master m, pragma_index_list(m.name) l, pragma_index_info(l.name) i \
                 WHERE m.type = 'table' AND l.\"unique\" AND NOT l.partial AND i.name = 'tenant_id' \
                 UNION SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = 'tenant_id' AND c.pk > 0"
            }
            Store::Postgres => {
                "SELECT DISTINCT i.indrelid::regclass::text FROM pg_index i \
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
                 WHERE i.indisunique AND i.indpred IS NULL AND a.attname = 'tenant_id'"
            }
        };
        let keyed: BTreeSet<String> = texts(&connection, keyed).await.into_iter().collect();
        let unkeyed: Vec<String> =
            tables(&connection, db.store()).await.into_iter().filter(|table| !keyed.contains(table)).collect();
        assert_eq!(unkeyed, OF_THE_INSTALLATION);
    }

    async fn no_foreign_key_leaves_the_tenant(db: TestDatabase) {
        let connection = db.connection().await;
        // Each foreign key: its table, and whether tenant_id stands for tenant_id in it.
        let keys = match db.store() {
            Store::Sqlite => {
                "SELECT m.name || ' ' || max(f.\"from\" = 'tenant_id' AND f.\"to\" = 'tenant_id') \
                 FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' GROUP BY m.name, f.id"
            }
            Store::Postgres => {
                "SELECT c.conrelid::regclass || ' ' || max((f.attname = 'tenant_id' AND t.attname = 'tenant_id')::int) \
                 FROM pg_constraint c, unnest(c.conkey, c.confkey) k(here, there) \
                 JOIN pg_attribute f ON f.attnum = k.here JOIN pg_attribute t ON t.attnum = k.there \
                 WHERE c.contype = 'f' AND f.attrelid = c.conrelid AND t.attrelid = c.confrelid GROUP BY c.oid, c.conrelid"
            }
        };
        let keys = texts(&connection, keys).await;
        assert_eq!(keys.len(), 14, "the query sees them: {keys:?}");
        let leaving: Vec<&str> = keys.iter().filter_map(|key| key.strip_suffix(" 0")).collect();
        assert_eq!(leaving, ["installation"]); // to the signing keys, neither of any tenant
    }
}
