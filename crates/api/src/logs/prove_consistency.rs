//! `GET /checkpoints/{log}/consistency`: that a log has only grown.

use axum::extract::State;
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::proof_view::ConsistencyView;
use crate::{
    Problem,
    extract::{Caller, Id, Inspects, Json, Params, Query, roles},
    view::words::LogName,
};

/// Which two lengths of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsistencyParams {
    /// Leaves of the shorter.
    from: u64,
    /// Leaves of the longer; all of them where not given.
    to: Option<u64>,
}

impl Params for ConsistencyParams {}

/// Prove that a log of `to` leaves begins with the log that it was when it had `from`.
#[utoipa::path(get, path = "/checkpoints/{log}/consistency", operation_id = "logs.prove_consistency", tag = "logs",
    extensions(("x-roles" = json!(roles::<Inspects>()))),
    params(("log" = LogName, Path, description = "Which log."), ConsistencyParams),
    responses((status = 200, description = "The proof.", body = ConsistencyView)))]
pub(super) async fn prove_consistency(
    State(spine): State<Spine>,
    caller: Caller<Inspects>,
    Id(log): Id<LogName>,
    Query(params): Query<ConsistencyParams>,
) -> Result<Json<ConsistencyView>, Problem> {
    let proof =
        logs::prove_consistency(&spine, caller.context(), log.known(), params.from, params.to).await?;
    Ok(Json(proof.into()))
}
