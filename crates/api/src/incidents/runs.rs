//! `GET /{id}/runs`: the runs that met the cause of an incident.

use axum::extract::State;
use models::ids::IncidentId;
use orchestrator::{Spine, handlers::incidents};

use super::view::AffectedRunView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, List, NoParams, PageParams, Views, roles},
    view::PageView,
};

/// List the runs that met the cause of an incident, the newest to do so first.
#[utoipa::path(get, path = "/{id}/runs", operation_id = "incidents.runs", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The incident."), PageParams),
    responses((status = 200, description = "A page of runs.", body = PageView<AffectedRunView>)))]
pub(super) async fn runs(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<IncidentId>,
    List { page, .. }: List<NoParams>,
) -> Result<Json<PageView<AffectedRunView>>, Problem> {
    let page = incidents::runs(&spine, caller.context(), id, page).await?;
    Ok(Json(page.into()))
}
