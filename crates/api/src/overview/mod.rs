//! `/api/v1/runtime/overview`: what needs a person now. Projected from the other domains; nothing here writes.

mod costs;
mod costs_trend;
mod decisions;
mod decisions_count;
mod highlights;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, below [`crate::paths::OVERVIEW`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(highlights::highlights))
        .routes(routes!(costs::costs))
        .routes(routes!(costs_trend::costs_trend))
        .routes(routes!(decisions::decisions))
        .routes(routes!(decisions_count::decisions_count))
}
