//! A whole log, row by row, and the runs that it speaks of, all from one moment: for who recomputes it.

use drivers::ReadTx;
use models::{
    account::Tenant,
    ids::{RunId, TenantId},
    ledger::{Checkpoint, LogMark, RunLogEntry},
    logs::AuditEntry,
};
use proof::words::LogName;

use crate::{checkpoints, errors::Error, spine::Spine};

/// Rows of one page.
const PAGE: u64 = 1_000;

/// Both logs of a tenant as of one moment. What is written meanwhile is not in it.
#[derive(Debug)]
pub struct LogReading {
    store: ReadTx,
    tenant: TenantId,
}

impl LogReading {
    /// Begins to read, with a checkpoint of `log` that was signed just before: it covers no more than what is read.
    pub async fn begin(spine: &Spine, tenant: &Tenant, log: LogName) -> Result<(Self, Checkpoint), Error> {
        let checkpoint = match checkpoints::sign(spine, tenant.id, &tenant.slug, log).await {
            // Nothing is signed then: the newest that is stored says what there was.
            Err(held_back @ Error::HeldBack(_)) => {
                let newest = spine.read().await?.ledger().latest_checkpoint(tenant.id, log).await?;
                newest.ok_or(held_back)?
            }
            signed => signed?,
        };
        Ok((Self { store: spine.read().await?, tenant: tenant.id }, checkpoint))
    }

    /// What the log says of itself, in the order of its leaves: each stands between the rows of the log.
    pub async fn marks(&self, log: LogName) -> Result<Vec<LogMark>, Error> {
        Ok(self.store.ledger().log_marks(self.tenant, log).await?)
    }

    /// Rows of the run log from leaf `from` on, in order; none at the end.
    pub async fn run_rows(&self, from: u64) -> Result<Vec<RunLogEntry>, Error> {
        Ok(self.store.ledger().run_log_from(self.tenant, from, PAGE).await?)
    }

    /// Rows of the Audit Ledger from leaf `from` on, in order; none at the end.
    pub async fn audit_rows(&self, from: u64) -> Result<Vec<AuditEntry>, Error> {
        Ok(self.store.logs().audit_from(self.tenant, from, PAGE).await?)
    }

    /// Ids of the runs that there are, in order, after the last one given; none at the end.
    pub async fn run_ids(&self, after: Option<RunId>) -> Result<Vec<RunId>, Error> {
        Ok(self.store.activity().run_ids(self.tenant, after, PAGE).await?)
    }
}
