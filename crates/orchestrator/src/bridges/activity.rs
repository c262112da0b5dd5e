//! What Activity lends: the run itself, and what people did to it.

use drivers::{ReadTx, StoreError};
use models::{
    activity::Run,
    ids::{RunId, TenantId},
};
use proof::records::InterventionRecord;

/// Reads of Activity, for one tenant.
#[derive(Clone, Copy)]
pub(crate) struct ActivityBridge<'t> {
    store: &'t ReadTx,
    tenant: TenantId,
}

impl<'t> ActivityBridge<'t> {
    pub(super) fn new(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// The run as it stands now.
    pub(crate) async fn run(self, run: RunId) -> Result<Option<Run>, StoreError> {
        self.store.activity().find_run(self.tenant, run).await
    }

    /// The interventions that the run met, in order.
    pub(crate) async fn interventions_of_run(
        self,
        run: RunId,
    ) -> Result<Vec<InterventionRecord>, StoreError> {
        self.store.activity().interventions_met(self.tenant, &[run]).await
    }
}
