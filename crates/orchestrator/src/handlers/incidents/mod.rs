//! Operations on incidents. State, timeline event and audit row commit together.

mod acknowledge;
mod acknowledge_many;
mod read;
mod resolve;
mod settled;

pub use self::{
    acknowledge::acknowledge,
    acknowledge_many::{Taken, acknowledge_many},
    read::{AffectedRun, IncidentDetail, by_run, get, list, runs},
    resolve::{Resolve, close, resolve},
};
