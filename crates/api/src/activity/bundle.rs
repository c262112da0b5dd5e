//! `GET /runs/{run_id}/bundle`: the signed run evidence bundle.

use axum::{
    Extension,
    extract::State,
    http::{HeaderName, header},
};
use models::ids::RunId;
use orchestrator::{Spine, coordinators::export_bundle, spine::WholeRun};

use crate::{
    Problem,
    extract::{Caller, Id, Inspects, roles},
};

/// The bundle as an answer. The place goes with it to the edge, which counts the answer and then gives the place back.
type Answer = (Extension<WholeRun>, [(HeaderName, String); 2], Vec<u8>);

/// Get the signed bundle of a run: what `hoc verify` checks with a public key alone.
#[utoipa::path(get, path = "/runs/{run_id}/bundle", operation_id = "activity.bundle", tag = "activity",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("run_id" = String, Path, description = "The run.")),
    responses((status = 200, description = "The bundle: `format`, `records`, `proofs`, `contents`, `statement`. \
        Packed where `Accept-Encoding` has zstd or gzip and a core is free for it.",
        body = Object, content_type = "application/json")))]
pub(super) async fn bundle(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(run): Id<RunId>,
) -> Result<Answer, Problem> {
    let (bundle, place) = export_bundle::in_place(&spine, caller.context(), run).await?;
    let name = format!("attachment; filename=\"{run}.bundle.json\"");
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((Extension(place), headers, bundle))
}
