//! `/api/v1/runtime/activity`: runs and their steps.

mod abort;
mod batch_view;
mod body;
mod bundle;
mod complete;
mod events;
mod evidence;
mod evidence_view;
mod get;
mod ingest;
mod intervention_view;
mod interventions;
mod kill;
mod list;
mod list_interventions;
mod permit;
mod proof;
mod proof_view;
mod record;
mod record_batch;
mod run_view;
mod start;
mod step_body;
mod step_view;
mod steps;
mod steps_view;
mod tenant_events;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::{intervention_view::InterventionView, run_view::RunView};

/// What stands outside the base, where exporters look for it.
pub(crate) fn collected() -> OpenApiRouter<Spine> {
    OpenApiRouter::new().routes(routes!(ingest::ingest))
}

/// The routes, below [`crate::paths::ACTIVITY`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(list::list, start::start))
        .routes(routes!(get::get))
        .routes(routes!(permit::permit))
        .routes(routes!(steps::steps, record::record))
        .routes(routes!(record_batch::record_batch))
        .routes(routes!(complete::complete))
        .routes(routes!(abort::abort))
        .routes(routes!(kill::kill))
        .routes(routes!(events::events))
        .routes(routes!(tenant_events::tenant_events))
        .routes(routes!(interventions::interventions))
        .routes(routes!(list_interventions::list_interventions))
        .routes(routes!(evidence::evidence))
        .routes(routes!(proof::proof))
        .routes(routes!(bundle::bundle))
}
