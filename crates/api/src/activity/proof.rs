//! `GET /runs/{run_id}/proof`: why a run's record may be believed (O5).

use axum::{Extension, extract::State};
use models::ids::RunId;
use orchestrator::{Spine, coordinators::run_proof, spine::WholeRun};
use serde::Deserialize;
use utoipa::IntoParams;

use super::proof_view::ProofView;
use crate::{
    Problem,
    extract::{Caller, Id, Inspects, Json, Params, Query, roles},
};

/// What the proof holds.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ProofParams {
    /// Whether to add the raw logs.
    #[param(default = false)]
    include_payloads: Option<bool>,
}

impl Params for ProofParams {}

/// Verify a run from its stored records, against what was sealed.
#[utoipa::path(get, path = "/runs/{run_id}/proof", operation_id = "activity.proof", tag = "activity",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("run_id" = String, Path, description = "The run."), ProofParams),
    responses((status = 200, description = "What the verification came to.", body = ProofView)))]
pub(super) async fn proof(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(run): Id<RunId>,
    Query(params): Query<ProofParams>,
) -> Result<(Extension<WholeRun>, Json<ProofView>), Problem> {
    let payloads = params.include_payloads.unwrap_or(false);
    let (proof, place) = run_proof::proof_in_place(&spine, caller.context(), run, payloads).await?;
    Ok((Extension(place), Json(ProofView::of(proof)?)))
}
