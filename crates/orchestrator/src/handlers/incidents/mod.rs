//! Operations on incidents. State, timeline event and audit row commit together.

mod acknowledge;
mod acknowledge_many;
mod by_run;
mod get;
mod list;
mod resolve;
mod runs;
mod settled;

pub use self::{
    acknowledge::acknowledge,
    acknowledge_many::{Taken, acknowledge_many},
    by_run::by_run,
    get::{IncidentDetail, get},
    list::list,
    resolve::{Resolve, close, resolve},
    runs::{AffectedRun, runs},
};
