//! What one domain lends to the others, for one run: at most five capabilities each (spec 1).
//!
//! Coordinators join domains, and reach them through these; a whole run, which belongs to no domain, they have of
//! [`drivers::bundles`]. A bridge reads, in the coordinator's own transaction, and hands on what the domain says: it
//! decides nothing, and a read that fails is an error, never an empty answer.

mod incidents;
mod logs;
mod policies;

pub use self::logs::RawLogs;
use drivers::ReadTx;
use models::ids::TenantId;

use self::{incidents::IncidentsBridge, logs::LogsBridge, policies::PoliciesBridge};

/// What each domain lends, in one moment of the store.
#[derive(Clone, Copy)]
pub(crate) struct Bridges<'t> {
    pub(crate) incidents: IncidentsBridge<'t>,
    pub(crate) policies: PoliciesBridge<'t>,
    pub(crate) logs: LogsBridge<'t>,
}

impl<'t> Bridges<'t> {
    /// The bridges over one transaction, for one tenant.
    pub(crate) fn over(store: &'t ReadTx, tenant: TenantId) -> Self {
        Self {
            incidents: IncidentsBridge::new(store, tenant),
            policies: PoliciesBridge::new(store, tenant),
            logs: LogsBridge::new(store, tenant),
        }
    }
}
