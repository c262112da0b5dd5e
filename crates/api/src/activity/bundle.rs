//! `GET /runs/{run_id}/bundle`: the signed run evidence bundle.

use axum::{
    extract::State,
    http::{HeaderName, header},
};
use models::ids::RunId;
use orchestrator::{Spine, coordinators::export_bundle};

use crate::{
    Problem,
    extract::{Caller, Id, Inspects, roles},
};

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
) -> Result<([(HeaderName, String); 2], Vec<u8>), Problem> {
    let bundle = export_bundle::bundle(&spine, caller.context(), run).await?;
    let name = format!("attachment; filename=\"{run}.bundle.json\"");
    Ok(([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)], bundle))
}
