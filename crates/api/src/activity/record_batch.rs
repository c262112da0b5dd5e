//! `POST /runs/{run_id}/steps/batch`: records steps in their order.

use axum::extract::State;
use models::ids::RunId;
use orchestrator::{
    CallContext, Spine,
    choke::call::StepReport,
    handlers::activity::{self, Batch},
};

use super::batch_view::{BatchBody, BatchView};
use crate::{
    Problem,
    carried::About,
    extract::{AgentWrites, Caller, Id, IdempotencyKey, Json, WithKey, roles},
};

/// Record up to 500 steps, in order.
///
/// One answer each, as `activity.record` would give it; none after the first that is not 200.
#[utoipa::path(post, path = "/runs/{run_id}/steps/batch", operation_id = "activity.record_batch", tag = "activity",
    extensions(("x-roles" = json!(roles::<AgentWrites>()))),
    params(("run_id" = String, Path, description = "The run.")),
    request_body = BatchBody,
    responses((status = 200, description = "What came of each step.", body = BatchView)))]
pub(super) async fn record_batch(
    State(spine): State<Spine>,
    caller: Caller<AgentWrites>,
    Id(run): Id<RunId>,
    about: About,
    key: IdempotencyKey,
    Json(WithKey { body, key: said }): Json<WithKey<BatchBody>>,
) -> Result<Json<BatchView>, Problem> {
    let (reports, unfit) = body.reports(key.or(said)?.as_deref())?;
    let batch = recorded(&spine, caller.context(), run, reports).await?;
    Ok(Json(BatchView::of(batch, unfit, &about)?))
}

/// Where not even the first step can be read, there is nothing to record.
async fn recorded(
    spine: &Spine,
    ctx: &CallContext,
    run: RunId,
    steps: Vec<StepReport>,
) -> Result<Batch, Problem> {
    if steps.is_empty() {
        return Ok(Batch { answers: Vec::new(), not_attempted: Vec::new() });
    }
    Ok(activity::record_batch(spine, ctx, run, steps).await?)
}
