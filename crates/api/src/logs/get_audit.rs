//! `GET /audit/{entry_id}`: one governance action, with the states before and after.

use axum::extract::State;
use models::ids::AuditId;
use orchestrator::{Spine, handlers::logs};

use super::audit_view::AuditDetail;
use crate::{
    Problem,
    extract::{Caller, Id, Json, Views, roles},
};

/// Get an entry of the Audit Ledger.
#[utoipa::path(get, path = "/audit/{entry_id}", operation_id = "logs.get_audit", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("entry_id" = String, Path, description = "The entry.")),
    responses((status = 200, description = "The entry.", body = AuditDetail)))]
pub(super) async fn get_audit(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<AuditId>,
) -> Result<Json<AuditDetail>, Problem> {
    let entry = logs::get_audit(&spine, caller.context(), id).await?;
    Ok(Json(entry.into()))
}
