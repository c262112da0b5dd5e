//! All keys of runs, for who remembers the runs: those of steps, as they stand in the open, and those of permits.

use std::collections::HashMap;

use entities::{Id, logs::step_keys, policies::permits};
use models::{
    ids::{RunId, TenantId},
    logs::KeyDigest,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryResult, QuerySelect as _, QueryTrait as _,
    Select,
    sea_query::{Expr, SelectStatement, UnionType},
};

use crate::{StoreError, dialect, keys, logs::TraceReads, read::ByRun, tally::value};

const TABLE: &str = "step_keys";

fn steps_of(tenant: TenantId) -> Select<step_keys::Entity> {
    step_keys::Entity::find().filter(step_keys::Column::TenantId.eq(tenant.0))
}

fn permits_of(tenant: TenantId) -> Select<permits::Entity> {
    // The index has only permits with a key.
    let of_tenant = permits::Entity::find().filter(permits::Column::TenantId.eq(tenant.0));
    of_tenant.filter(permits::Column::IdempotencyKey.is_not_null())
}

impl TraceReads<'_> {
    /// The keys under which steps and permits of these runs were recorded; a run without any is not listed, and one of
    /// whose keys one does not read back has none of them. While their caller has the runs locked there will be no
    /// other. One statement.
    pub async fn all_keys_of(
        self,
        tenant: TenantId,
        runs: &[RunId],
    ) -> Result<ByRun<Vec<KeyDigest>>, StoreError> {
        use permits::Column as P;
        use step_keys::Column as K;
        let backend = self.conn.backend();
        let mut found: ByRun<Vec<KeyDigest>> = HashMap::new();
        for chunk in keys::sorted(runs).chunks(dialect::keys_at_once(backend, 2)) {
            let steps = steps_of(tenant)
                .filter(dialect::among(backend, &[K::RunId], keys::transposed(chunk)))
                .select_only()
                .columns([K::RunId, K::Digest, K::IsSpan])
                .expr_as(Expr::cust("NULL"), "given");
            let permits = permits_of(tenant)
                .filter(dialect::among(backend, &[P::RunId], keys::transposed(chunk)))
                .select_only()
                .column(P::RunId)
                .expr_as(Expr::cust("NULL"), "digest")
                .expr_as(Expr::cust("NULL"), "is_span")
                .column(P::IdempotencyKey);
            let mut both: SelectStatement = steps.into_query();
            both.union(UnionType::All, permits.into_query());
            for row in self.conn.rows(self.conn.statement(&both)).await? {
                let Id(run): Id<RunId> = value(TABLE, &row, 0)?;
                let of_run = found.entry(run).or_insert_with(|| Ok(Vec::new()));
                match key(&row) {
                    Ok(key) => {
                        if let Ok(all) = of_run {
                            all.extend(key);
                        }
                    }
                    Err(err) => *of_run = Err(err),
                }
            }
        }
        Ok(found)
    }
}

fn key(row: &QueryResult) -> Result<Option<KeyDigest>, StoreError> {
    if let Some(given) = value::<Option<String>>(TABLE, row, 3)? {
        return Ok(Some(KeyDigest::of(&given, false)));
    }
    let (digest, is_span): (Vec<u8>, bool) = (value(TABLE, row, 1)?, value(TABLE, row, 2)?);
    // Of another length it is that of no key: who holds the keys of the run against its steps says so.
    Ok(<[u8; 16]>::try_from(digest).ok().map(|bytes| KeyDigest { bytes, is_span }))
}
