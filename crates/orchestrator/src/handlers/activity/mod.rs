//! Operations on runs. What changes a run goes through the choke point; reads go straight to the store.

mod abort;
mod complete;
mod events;
mod get;
mod ingest;
mod interventions;
mod kill;
mod list;
mod list_interventions;
mod permit;
mod record;
mod record_batch;
mod sides;
mod sources;
mod span_order;
mod start;
mod steps;
mod submit;
mod sweep;
mod take_up;
mod tenant_events;

pub use self::{
    abort::abort,
    complete::complete,
    events::{RunEvent, RunEvents, RunPlace, events},
    get::get,
    ingest::{Ingested, ingest, ingest_as, refuse_spans},
    interventions::{InterventionView, interventions},
    kill::kill,
    list::list,
    list_interventions::{Stopped, list_interventions},
    permit::permit,
    record::record,
    record_batch::{Batch, record_batch},
    start::{Started, start},
    steps::{MissingSteps, MissingTexts, StepView, StepsPage, steps},
    take_up::take_up,
    tenant_events::{TenantEvent, TenantEvents, tenant_events},
};
pub(crate) use self::{
    sweep::sweep,
    take_up::{try_again, write_overdue},
};
