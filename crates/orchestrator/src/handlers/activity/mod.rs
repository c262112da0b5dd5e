//! Operations on runs. What changes a run goes through the choke point; reads go straight to the store.

mod abort;
mod complete;
mod get;
mod interventions;
mod kill;
mod list;
mod list_interventions;
mod permit;
mod record;
mod record_batch;
mod start;
mod steps;
mod submit;
mod sweep;
mod take_up;

pub use self::{
    abort::abort,
    complete::complete,
    get::get,
    interventions::{InterventionView, interventions},
    kill::kill,
    list::list,
    list_interventions::{Stopped, list_interventions},
    permit::permit,
    record::record,
    record_batch::{Batch, record_batch},
    start::{Started, start},
    steps::{StepView, steps},
    take_up::take_up,
};
pub(super) use self::{get::find, interventions::interventions_of, steps::steps_of};
pub(crate) use self::{sweep::sweep, take_up::write_overdue};
