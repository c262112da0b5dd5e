//! What Incidents lends: how incidents were handled, each by itself.

use std::collections::HashMap;

use drivers::{ReadTx, StoreError};
use models::{
    ids::{IncidentId, TenantId},
    incidents::IncidentEvent,
};

/// Reads of Incidents, for one tenant.
#[derive(Clone, Copy)]
pub(crate) struct IncidentsBridge<'t> {
    store: &'t ReadTx,
    tenant: TenantId,
}

impl<'t> IncidentsBridge<'t> {
    /// The bridge over one transaction, for one tenant.
    pub(crate) fn over(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self { store, tenant }
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
