//! `GET /system/{id}`: one thing that happened to the tenant's keys or settings, or to the server.

use axum::extract::State;
use models::ids::SystemRecordId;
use orchestrator::{Spine, handlers::logs};

use super::{metadata_view::LoggedView, system_view::SystemView};
use crate::{
    Problem,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get a system record. One of the installation is there for operator, auditor and admin.
#[utoipa::path(get, path = "/system/{id}", operation_id = "logs.get_system", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The record.")),
    responses((status = 200, description = "The record.", body = LoggedView<SystemView>)))]
pub(super) async fn get_system(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<SystemRecordId>,
) -> Result<Json<LoggedView<SystemView>>, Problem> {
    let record = logs::get_system(&spine, caller.context(), id).await?;
    Ok(Json(record.into()))
}
