//! What struck runs and what fired in them, from when it is decided until the group is settled.

use engines::incidents::Cause;
use models::ids::RunId;
use proof::records::{EnforcementRecord, PreventionRecord};

/// A cause that struck a run.
pub(super) struct Strike {
    pub(super) run_id: RunId,
    pub(super) cause: Cause,
}

/// A strike of the group, by its place: the incident that it comes to is known when the group is settled.
pub(super) type StrikeId = usize;

/// The rows of one rule or limit that fired in a run, but for the incident that it came to.
pub(super) struct FiredRows {
    pub(super) run_id: RunId,
    pub(super) struck: Option<StrikeId>,
    pub(super) enforcement: EnforcementRecord,
    pub(super) prevention: PreventionRecord,
}
