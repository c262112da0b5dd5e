//! `GET /{id}`: one incident.

use axum::extract::State;
use models::ids::IncidentId;
use orchestrator::{Spine, handlers::incidents};

use super::view::IncidentDetailView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get an incident with its timeline, the runs that met its cause, and the rule or limit that triggered it.
#[utoipa::path(get, path = "/{id}", operation_id = "incidents.get", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The incident.")),
    responses((status = 200, description = "The incident.", body = IncidentDetailView)))]
pub(super) async fn get(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<IncidentId>,
) -> Result<Json<IncidentDetailView>, Problem> {
    let detail = incidents::get(&spine, caller.context(), id).await?;
    Ok(Json(detail.into()))
}
