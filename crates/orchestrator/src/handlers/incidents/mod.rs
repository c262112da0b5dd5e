//! Operations on incidents. State, timeline event and audit row commit together.

mod acknowledge;
mod acknowledge_many;
mod by_run;
mod close;
mod end;
mod get;
mod list;
mod resolve;
mod runs;
mod settled;

pub use self::{
    acknowledge::acknowledge,
    acknowledge_many::{Taken, acknowledge_many},
    by_run::by_run,
    close::close,
    get::{IncidentDetail, get},
    list::list,
    resolve::{Resolve, resolve},
    runs::{AffectedRun, runs},
};
