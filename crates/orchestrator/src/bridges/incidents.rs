//! What Incidents lends: what a run opened and joined, and how that was handled.

use std::collections::HashMap;

use drivers::{ReadTx, StoreError};
use models::{
    ids::{IncidentId, RunId, TenantId},
    incidents::{IncidentEvent, RunIncident},
};

/// Reads of Incidents, for one tenant.
#[derive(Clone, Copy)]
pub(crate) struct IncidentsBridge<'t> {
    store: &'t ReadTx,
    tenant: TenantId,
}

impl<'t> IncidentsBridge<'t> {
    pub(super) fn new(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// The incidents that a run opened and joined, in the order in which it did.
    pub(crate) async fn incidents_of_run(self, run: RunId) -> Result<Vec<RunIncident>, StoreError> {
        self.store.incident_runs().by_run(self.tenant, run).await
    }

    /// The timelines of incidents, each oldest first, but for the other runs that joined them.
    pub(crate) async fn timelines(
        self,
        incidents: &[IncidentId],
    ) -> Result<HashMap<IncidentId, Vec<IncidentEvent>>, StoreError> {
        let mut timelines: HashMap<IncidentId, Vec<IncidentEvent>> = HashMap::new();
        for event in self.store.incidents().moves_of_all(self.tenant, incidents).await? {
            timelines.entry(event.incident_id).or_default().push(event);
        }
        Ok(timelines)
    }
}
