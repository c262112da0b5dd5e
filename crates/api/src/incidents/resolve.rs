//! `POST /{id}/resolve`: an incident is over.

use axum::extract::State;
use models::ids::IncidentId;
use orchestrator::{Spine, handlers::incidents};

use super::{body::ResolveBody, view::IncidentView};
use crate::{
    Problem,
    extract::{Caller, Handles, Id, Json, OptionalJson, WithKey, roles},
};

/// Resolve an incident.
#[utoipa::path(post, path = "/{id}/resolve", operation_id = "incidents.resolve", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    params(("id" = String, Path, description = "The incident.")),
    request_body = Option<ResolveBody>,
    responses((status = 200, description = "The incident, as it stands now.", body = IncidentView)))]
pub(super) async fn resolve(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Id(id): Id<IncidentId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<ResolveBody>>,
) -> Result<Json<IncidentView>, Problem> {
    let caller = caller.with_key(key)?;
    let incident = incidents::resolve(&spine, caller.context(), id, body.how()).await?;
    Ok(Json(incident.into()))
}
