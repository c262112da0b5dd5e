//! `GET /audit/{entry_id}/proof`: that a governance action is in the log.

use axum::extract::State;
use models::ids::AuditId;
use orchestrator::{Spine, handlers::logs};

use super::proof_view::AuditProofView;
use crate::{
    Problem,
    extract::{Caller, Id, Inspects, Json, roles},
};

/// Prove that an entry is under a signed checkpoint.
#[utoipa::path(get, path = "/audit/{entry_id}/proof", operation_id = "logs.prove_audit", tag = "logs",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("entry_id" = String, Path, description = "The entry.")),
    responses((status = 200, description = "The proof.", body = AuditProofView)))]
pub(super) async fn prove_audit(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(id): Id<AuditId>,
) -> Result<Json<AuditProofView>, Problem> {
    let proof = logs::prove_audit(&spine, caller.context(), id).await?;
    Ok(Json(AuditProofView::of(proof)?))
}
