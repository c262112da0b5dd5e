//! `GET /runs/{run_id}/bundle`: the signed run evidence bundle.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderName, header},
};
use futures::TryStreamExt as _;
use models::ids::RunId;
use orchestrator::{Spine, coordinators::export_bundle};

use crate::{
    Problem,
    carried::Streamed,
    extract::{Caller, Id, Inspects, roles},
};

/// The bundle as an answer.
type Answer = (Extension<Streamed>, [(HeaderName, String); 2], Body);

/// Get the signed bundle of a run: what `hoc verify` checks with a public key alone.
#[utoipa::path(get, path = "/runs/{run_id}/bundle", operation_id = "activity.bundle", tag = "activity",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("run_id" = String, Path, description = "The run.")),
    responses((status = 200, description = "The bundle: `format`, `records`, `proofs`, `contents`, `statement`. \
        It is a stream of any length, without `Content-Length`, packed where `Accept-Encoding` has zstd or gzip; one \
        that breaks off is no bundle.",
        body = Object, content_type = "application/json")))]
pub(super) async fn bundle(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(run): Id<RunId>,
) -> Result<Answer, Problem> {
    let bundle = export_bundle::stream(&spine, caller.context(), run).await?;
    let pieces = bundle.inspect_err(move |err| {
        tracing::error!(error = err as &dyn std::error::Error, %run, "a bundle broke off");
    });
    let name = format!("attachment; filename=\"{run}.bundle.json\"");
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((Extension(Streamed), headers, Body::from_stream(pieces)))
}
