//! What Incidents lends: the incidents of a run, joined with how each was handled.

use std::collections::HashMap;

use drivers::{ReadTx, StoreError};
use models::{
    ids::{IncidentId, TenantId},
    incidents::{Incident, IncidentEvent, RunIncident},
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

    /// Incidents of a run, each with its timeline, oldest first and without the other runs that joined it.
    pub(crate) async fn with_timelines(
        self,
        incidents: Vec<RunIncident>,
    ) -> Result<Vec<(Incident, Vec<IncidentEvent>)>, StoreError> {
        let ids: Vec<IncidentId> = incidents.iter().map(|of| of.incident.id).collect();
        let mut timelines: HashMap<IncidentId, Vec<IncidentEvent>> = HashMap::new();
        for event in self.store.incidents().moves_of_all(self.tenant, &ids).await? {
            timelines.entry(event.incident_id).or_default().push(event);
        }
        let joined = incidents.into_iter().map(|of| {
            let timeline = timelines.remove(&of.incident.id).unwrap_or_default();
            (of.incident, timeline)
        });
        Ok(joined.collect())
    }
}
