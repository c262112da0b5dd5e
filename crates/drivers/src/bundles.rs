//! A whole run, for its bundle and its proof: every record that its receipt covers, and the receipt.
//!
//! The records are those of several domains, so this belongs to none. It reads; what they prove is L4's to say. Those
//! of segments are read a page at a time: a bundle tells them as they are stored (`logs::RunLines`), for a proof values
//! are made of them (`logs::RunReading`).

use models::{
    activity::Run,
    ids::{RunId, TenantId},
    incidents::RunIncident,
    ledger::RunLogEntry,
    logs::{AuditEntry, Trace},
    policies::Snapshot,
};
use proof::records::{
    BreachRecord, CaptureFailureRecord, EnforcementRecord, InterventionRecord, PreventionRecord,
};

use crate::{
    StoreError,
    activity::ActivityReads,
    driver::driver,
    incidents::IncidentRunReadDriver,
    ledger::LedgerReads,
    logs::{EvidenceReads, LogsReads, TraceReads},
    policies::{PoliciesReads, PolicyEnforcementReadDriver, PreventionRecordsReadDriver},
};

driver! {
    /// Reads whole runs.
    read ExportBundleStore;
}

/// Everything that is stored of a run but for its segments, each kind in order of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRows {
    /// The run as it stands now.
    pub run: Run,
    /// Its own trace, if it is there.
    pub trace: Option<Trace>,
    /// What it is bound to, if it is there.
    pub snapshot: Option<Snapshot>,
    /// Those of its records that stand in tables of their own.
    pub tables: TableRows,
    /// Its leaves of the run log: OPENED, and SEALED if it is over.
    pub leaves: Vec<RunLogEntry>,
    /// Its entries of the Audit Ledger.
    pub audit: Vec<AuditEntry>,
}

/// Records of a run that stand in tables of their own, each kind in order of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRows {
    /// Failed captures, as they stand now.
    pub capture_failures: Vec<CaptureFailureRecord>,
    /// Enforcements; those that no receipt covers have no `seq` and come last.
    pub enforcements: Vec<EnforcementRecord>,
    /// Prevention records, likewise.
    pub preventions: Vec<PreventionRecord>,
    /// Breaches.
    pub breaches: Vec<BreachRecord>,
    /// Kills and freezes that it met.
    pub interventions: Vec<InterventionRecord>,
    /// Incidents that it opened or joined, as they stand now.
    pub incidents: Vec<RunIncident>,
}

impl ExportBundleStore<'_> {
    /// Everything of a run but what its segments hold.
    pub async fn get_run(self, tenant: TenantId, id: RunId) -> Result<Option<RunRows>, StoreError> {
        let Some(run) = ActivityReads::new(self.conn).find_run(tenant, id).await? else { return Ok(None) };
        Ok(Some(RunRows {
            trace: TraceReads::new(self.conn).find_trace(tenant, run.trace_id).await?,
            snapshot: PoliciesReads::new(self.conn).find_snapshot(tenant, run.snapshot_id).await?,
            leaves: LedgerReads::new(self.conn).run_leaves(tenant, id).await?,
            tables: self.get_tables(tenant, id).await?,
            audit: LogsReads::new(self.conn).get_governance_events(tenant, id).await?,
            run,
        }))
    }

    /// What stands in tables of its own of what the receipt of a run and its addenda are about. Nothing for a run that
    /// is not there.
    pub async fn get_tables(self, tenant: TenantId, id: RunId) -> Result<TableRows, StoreError> {
        Ok(TableRows {
            capture_failures: EvidenceReads::new(self.conn).capture_failures_of_run(tenant, id).await?,
            enforcements: PolicyEnforcementReadDriver::new(self.conn).of_run(tenant, id).await?,
            preventions: PreventionRecordsReadDriver::new(self.conn).of_run(tenant, id).await?,
            breaches: PoliciesReads::new(self.conn).breaches_of_run(tenant, id).await?,
            interventions: ActivityReads::new(self.conn).interventions_met(tenant, &[id]).await?,
            incidents: IncidentRunReadDriver::new(self.conn).by_run(tenant, id).await?,
        })
    }
}
