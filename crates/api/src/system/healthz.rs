//! `GET /healthz`: the process lives.

use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Json;

/// That it lives.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// Say that the process lives. Asks nothing of the store.
#[utoipa::path(get, path = "/healthz", operation_id = "system.healthz", tag = "system",
    responses((status = 200, description = "It lives.", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}
