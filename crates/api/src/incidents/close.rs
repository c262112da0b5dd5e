//! `POST /{id}/close`: an incident is closed by hand.

use axum::extract::State;
use models::ids::IncidentId;
use orchestrator::{Spine, handlers::incidents};

use super::{body::MoveBody, view::IncidentView};
use crate::{
    Problem,
    extract::{Caller, Handles, Id, Json, OptionalJson, WithKey, roles},
};

/// Close an incident by hand.
#[utoipa::path(post, path = "/{id}/close", operation_id = "incidents.close", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    params(("id" = String, Path, description = "The incident.")),
    request_body = Option<MoveBody>,
    responses((status = 200, description = "The incident, as it stands now.", body = IncidentView)))]
pub(super) async fn close(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Id(id): Id<IncidentId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<MoveBody>>,
) -> Result<Json<IncidentView>, Problem> {
    let caller = caller.with_key(key)?;
    let incident = incidents::close(&spine, caller.context(), id, body.note).await?;
    Ok(Json(incident.into()))
}
