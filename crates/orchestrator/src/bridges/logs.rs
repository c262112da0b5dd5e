//! What Logs lends: the records of a run as they were stored.

use drivers::{ReadTx, StoreError};
use models::{
    ids::{RunId, TenantId},
    logs::{AuditEntry, LlmRunRecord, StepRow, SystemRecord, Trace},
};
use proof::records::{
    ActivityRecord, CaptureFailureRecord, EnvironmentRecord, GapRecord, IntegrityRecord, ProviderRecord,
};

/// Reads of Logs, for one tenant.
#[derive(Clone, Copy)]
pub(crate) struct LogsBridge<'t> {
    store: &'t ReadTx,
    tenant: TenantId,
}

/// The evidence of a run, by class; each class in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EvidenceOfRun {
    /// H.
    pub(crate) environment: Option<EnvironmentRecord>,
    /// B.
    pub(crate) activities: Vec<ActivityRecord>,
    /// G.
    pub(crate) providers: Vec<ProviderRecord>,
    /// J; none before the run is sealed.
    pub(crate) integrity: Option<IntegrityRecord>,
    /// What could not be captured.
    pub(crate) capture_failures: Vec<CaptureFailureRecord>,
    /// What was answered while the store was down.
    pub(crate) gaps: Vec<GapRecord>,
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
    pub(super) fn new(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// The entries of the Audit Ledger whose states name a run, in order, none left out.
    pub(crate) async fn governance_events_of_run(self, run: RunId) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.logs().get_governance_events(self.tenant, run).await
    }

    /// The traces of a run, its own first.
    pub(crate) async fn traces_of_run(self, run: RunId) -> Result<Vec<Trace>, StoreError> {
        self.store.traces().traces_of_run(self.tenant, run).await
    }

    /// The steps of a run's own trace, by index, refused ones included.
    pub(crate) async fn steps_of_run(self, run: RunId) -> Result<Vec<StepRow>, StoreError> {
        self.store.traces().all_steps(self.tenant, run).await
    }

    /// The evidence of a run.
    pub(crate) async fn evidence_of_run(self, run: RunId) -> Result<EvidenceOfRun, StoreError> {
        let (evidence, tenant) = (self.store.evidence(), self.tenant);
        Ok(EvidenceOfRun {
            environment: evidence.environment_of_run(tenant, run).await?,
            activities: evidence.activities_of_run(tenant, run).await?,
            providers: evidence.providers_of_run(tenant, run).await?,
            integrity: evidence.integrity_of_run(tenant, run).await?,
            capture_failures: evidence.capture_failures_of_run(tenant, run).await?,
            gaps: evidence.gaps_of_run(tenant, run).await?,
        })
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
