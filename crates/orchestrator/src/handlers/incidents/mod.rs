//! Operations on incidents. State, timeline event and audit row commit together.

mod acknowledge;
mod integrity_failure;
mod read;
mod resolve;
mod settled;

pub(crate) use self::integrity_failure::{Found, origin_of, report_mismatches};
pub use self::{
    acknowledge::acknowledge,
    read::{AffectedRun, IncidentDetail, by_run, get, list, runs},
    resolve::{Resolve, close, resolve},
};
