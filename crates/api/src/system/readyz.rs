//! `GET /readyz`: whether this server should be sent calls.

use axum::extract::State;
use orchestrator::{
    Spine,
    handlers::system::{self, NotReady},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Problem, extract::Json, problem::Code};

/// That it is ready.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// `ready`.
    status: &'static str,
}

/// Say whether the store is migrated and commits.
#[utoipa::path(get, path = "/readyz", operation_id = "system.readyz", tag = "system",
    responses((status = 200, description = "It is ready.", body = Ready)))]
pub(super) async fn readyz(State(spine): State<Spine>) -> Result<Json<Ready>, Problem> {
    system::readyz(&spine).await?;
    Ok(Json(Ready { status: "ready" }))
}

impl From<NotReady> for Problem {
    fn from(err: NotReady) -> Self {
        tracing::warn!(error = &err as &dyn std::error::Error, "not ready");
        Self::new(Code::NotReady, err.to_string())
    }
}
