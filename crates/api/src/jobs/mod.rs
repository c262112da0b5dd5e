//! `/api/v1/runtime/jobs`: work that the servers share, and how far it is.

mod body;
mod cancel;
mod create;
mod events;
mod get;
mod list;
mod requeue;
mod view;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, below [`crate::paths::JOBS`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(create::create))
        .routes(routes!(get::get))
        .routes(routes!(events::events))
        .routes(routes!(cancel::cancel))
        .routes(routes!(requeue::requeue))
}
