//! What struck runs and what fired in them, from when it is decided until the group is settled.

use engines::incidents::Cause;
use models::ids::RunId;
use proof::records::{EnforcementRecord, PreventionRecord};

/// A cause that struck a run.
pub(in crate::choke) struct Strike {
    pub(in crate::choke) run_id: RunId,
    pub(in crate::choke) cause: Cause,
}

/// A strike of the group, by its place: the incident that it comes to is known when the group is settled.
pub(in crate::choke) type StrikeId = usize;

/// The rows of one rule or limit that fired in a run, but for the incident that it came to.
pub(in crate::choke) struct FiredRows {
    pub(in crate::choke) run_id: RunId,
    pub(in crate::choke) struck: Option<StrikeId>,
    pub(in crate::choke) enforcement: EnforcementRecord,
    pub(in crate::choke) prevention: PreventionRecord,
}
