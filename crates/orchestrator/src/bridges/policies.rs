//! What Policies lends: what was decided in a run, what fired, and which limits it passed.

use drivers::{ReadTx, StoreError};
use models::ids::{RunId, TenantId};
use proof::{
    records::{BreachRecord, DecisionRecord, PreventionRecord},
    segment::MissingSegment,
};

/// Reads of Policies, for one tenant.
#[derive(Clone, Copy)]
pub(crate) struct PoliciesBridge<'t> {
    store: &'t ReadTx,
    tenant: TenantId,
}

impl<'t> PoliciesBridge<'t> {
    pub(super) fn new(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// The canonical ledger of what fired in a run, in order.
    pub(crate) async fn prevention_records_of_run(
        self,
        run: RunId,
    ) -> Result<Vec<PreventionRecord>, StoreError> {
        self.store.preventions().of_run(self.tenant, run).await
    }

    /// The limits that a run passed, in order.
    pub(crate) async fn breaches_of_run(self, run: RunId) -> Result<Vec<BreachRecord>, StoreError> {
        self.store.policies().breaches_of_run(self.tenant, run).await
    }

    /// Every evaluation in a run, in order, and the segments of which those are missing.
    pub(crate) async fn decisions_of_run(
        self,
        run: RunId,
    ) -> Result<(Vec<DecisionRecord>, Vec<MissingSegment>), StoreError> {
        self.store.traces().decisions_of_run(self.tenant, run).await
    }
}
