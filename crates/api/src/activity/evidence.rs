//! `GET /runs/{run_id}/evidence`: what else a run touched (O4).

use axum::{Extension, extract::State};
use models::ids::RunId;
use orchestrator::{Spine, coordinators::run_evidence, spine::WholeRun};

use super::evidence_view::EvidenceView;
use crate::{
    Problem,
    extract::{Caller, Id, Inspects, Json, roles},
};

/// Get the evidence of a run.
///
/// A part that could not be read is named with its reason; it is never empty for that.
#[utoipa::path(get, path = "/runs/{run_id}/evidence", operation_id = "activity.evidence", tag = "activity",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("run_id" = String, Path, description = "The run.")),
    responses((status = 200, description = "What the run touched.", body = EvidenceView)))]
pub(super) async fn evidence(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(run): Id<RunId>,
) -> Result<(Extension<WholeRun>, Json<EvidenceView>), Problem> {
    let (evidence, place) = run_evidence::evidence(&spine, caller.context(), run).await?;
    Ok((Extension(place), Json(evidence.into())))
}
