//! What is asked of the server itself: whether it lives, whether it is ready, what it can do.

mod healthz;
mod openapi;
mod readyz;

pub(crate) use self::openapi::Document;
use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes, which need no credential.
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(healthz::healthz))
        .routes(routes!(readyz::readyz))
        .routes(routes!(openapi::openapi))
}
