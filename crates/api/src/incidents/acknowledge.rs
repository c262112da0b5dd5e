//! `POST /{id}/acknowledge`: somebody takes an incident on.

use axum::extract::State;
use models::ids::IncidentId;
use orchestrator::{Spine, handlers::incidents};

use super::{body::MoveBody, view::IncidentView};
use crate::{
    Problem,
    extract::{Caller, Handles, Id, Json, OptionalJson, WithKey, roles},
};

/// Acknowledge an incident. Again by the same person: nothing happens.
#[utoipa::path(post, path = "/{id}/acknowledge", operation_id = "incidents.acknowledge", tag = "incidents",
    extensions(("x-roles" = json!(roles::<Handles>()))),
    params(("id" = String, Path, description = "The incident.")),
    request_body = Option<MoveBody>,
    responses((status = 200, description = "The incident, as it stands now.", body = IncidentView)))]
pub(super) async fn acknowledge(
    State(spine): State<Spine>,
    caller: Caller<Handles>,
    Id(id): Id<IncidentId>,
    OptionalJson(WithKey { body, key }): OptionalJson<WithKey<MoveBody>>,
) -> Result<Json<IncidentView>, Problem> {
    let caller = caller.with_key(key)?;
    let incident = incidents::acknowledge(&spine, caller.context(), id, body.note).await?;
    Ok(Json(incident.into()))
}
