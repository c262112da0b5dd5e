//! What Logs lends: the raw logs of a run.

use drivers::{ReadTx, StoreError};
use models::{
    ids::{RunId, TenantId},
    logs::{LlmRunRecord, SystemRecord},
};

/// Reads of Logs, for one tenant.
#[derive(Clone, Copy)]
pub(crate) struct LogsBridge<'t> {
    store: &'t ReadTx,
    tenant: TenantId,
}

/// A run's raw logs: records that no receipt covers.
#[derive(Clone, Debug, PartialEq)]
pub struct RawLogs {
    /// Its calls to models.
    pub llm_run_records: Vec<LlmRunRecord>,
    /// What the system recorded under the same correlation.
    pub system_records: Vec<SystemRecord>,
}

impl<'t> LogsBridge<'t> {
    /// The bridge over one transaction, for one tenant.
    pub(crate) fn over(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// The calls to models of a run, and the system records that share its correlation id.
    pub(crate) async fn raw_logs_of_run(
        self,
        run: RunId,
        correlation_id: &str,
    ) -> Result<RawLogs, StoreError> {
        let logs = self.store.logs();
        Ok(RawLogs {
            llm_run_records: logs.llm_runs_of_run(self.tenant, run).await?,
            system_records: logs.system_records_of_correlation(self.tenant, correlation_id).await?,
        })
    }
}
