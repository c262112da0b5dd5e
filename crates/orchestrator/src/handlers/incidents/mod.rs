//! Operations on incidents. State, timeline event and audit row commit together.

mod acknowledge;
mod read;
mod resolve;
mod settled;

pub use self::{
    acknowledge::acknowledge,
    read::{IncidentDetail, by_run, get, list},
    resolve::{Resolve, close, resolve},
};
