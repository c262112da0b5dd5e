//! `/api/v1/runtime/incidents`: what went wrong, and how it is handled.

mod acknowledge;
mod acknowledge_many;
mod body;
mod by_run;
mod close;
mod get;
mod list;
mod resolve;
mod runs;
mod view;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, below [`crate::paths::INCIDENTS`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(by_run::by_run))
        .routes(routes!(get::get))
        .routes(routes!(runs::runs))
        .routes(routes!(acknowledge::acknowledge))
        .routes(routes!(acknowledge_many::acknowledge_many))
        .routes(routes!(resolve::resolve))
        .routes(routes!(close::close))
}
