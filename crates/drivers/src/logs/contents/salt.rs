//! What the texts of runs are hashed with, or why there is nothing: the one place that says so, for who writes them and
//! for who reads them.
//!
//! That a run was erased is said by its log, not by what is missing: where rows of it come back, as from a backup, it
//! is erased all the same, and nothing of them is served.

use std::collections::HashMap;

use entities::logs::run_salts::{self as salts, Column, Model};
use models::{
    ids::{RunId, TenantId},
    ledger::RunLeafType,
};
use proof::contents::{MissingContents, Salt};
use sea_orm::{QueryResult, QuerySelect as _, sea_query::Expr};

use crate::{StoreError, conn::Conn, driver::of_tenant, keys, ledger::LedgerReads, read};

of_tenant!(salts);

/// The name of what is asked beside the columns.
const ERASED: &str = "was_erased";

/// That the run of a salt was erased. Said so that its index, in which no addendum is, serves on both stores.
pub(crate) const WAS_ERASED: &str = "EXISTS (SELECT 1 FROM run_log WHERE run_log.tenant_id = run_salts.tenant_id \
    AND run_log.run_id = run_salts.run_id AND run_log.leaf_type = 'ERASED' AND run_log.leaf_type <> 'ADDENDUM')";

/// What the texts of a run are hashed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunSalt {
    /// It is kept.
    Kept(Salt),
    /// The run was erased.
    Erased {
        /// Its salt is there in spite of that.
        is_there: bool,
    },
    /// It is not there, or is none, and no leaf says that the run was erased: this is what is wrong with it.
    Lost(String),
}

impl RunSalt {
    /// What is missing where it is lost.
    pub(super) fn lost(why: &str) -> MissingContents {
        MissingContents { first_record: None, why: why.to_owned() }
    }
}

/// What the texts of these runs are hashed with: something of each of them.
pub(super) async fn of_runs(
    conn: &Conn,
    tenant: TenantId,
    runs: &[RunId],
) -> Result<HashMap<RunId, RunSalt>, StoreError> {
    let select = of(tenant).expr_as(Expr::cust(WAS_ERASED), ERASED);
    let said = |row: &QueryResult| row.try_get::<bool>("", ERASED);
    let rows = read::by_keys_with(conn, select, [Column::RunId], keys::sorted(runs), said).await?;
    let mut salts: HashMap<RunId, RunSalt> =
        rows.into_iter().map(|(row, erased)| (row.run_id.0, of_row(row, erased))).collect();
    let without: Vec<RunId> = runs.iter().copied().filter(|run| !salts.contains_key(run)).collect();
    if !without.is_empty() {
        let erased = LedgerReads::new(conn).runs_with_leaf(tenant, &without, RunLeafType::Erased).await?;
        salts.extend(without.into_iter().map(|run| {
            let salt = if erased.contains(&run) {
                RunSalt::Erased { is_there: false }
            } else {
                RunSalt::Lost("salt: it is not there, and no leaf says that it was erased".to_owned())
            };
            (run, salt)
        }));
    }
    Ok(salts)
}

/// What the texts of a run are hashed with.
pub(super) async fn of_run(conn: &Conn, tenant: TenantId, run: RunId) -> Result<RunSalt, StoreError> {
    let mut salts = of_runs(conn, tenant, &[run]).await?;
    Ok(salts.remove(&run).unwrap_or_else(|| RunSalt::Lost("salt: it is not there".to_owned())))
}

fn of_row(row: Model, erased: bool) -> RunSalt {
    if erased {
        return RunSalt::Erased { is_there: true };
    }
    let bytes: Result<[u8; 32], _> = row.salt.try_into();
    bytes.map_or_else(
        |bytes: Vec<u8>| RunSalt::Lost(format!("salt: {} bytes are no salt", bytes.len())),
        |bytes| RunSalt::Kept(Salt::new(bytes)),
    )
}
