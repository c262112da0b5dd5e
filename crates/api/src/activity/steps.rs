//! `GET /runs/{run_id}/steps`: a run's steps.

use axum::extract::State;
use models::{ids::RunId, page::Order};
use orchestrator::{Spine, handlers::activity};
use serde::Deserialize;

use super::steps_view::StepsView;
use crate::{
    Problem,
    extract::{Caller, Id, Json, List, Params, ReadsRuns, roles},
};

/// The list of steps has no filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepParams {}

impl Params for StepParams {
    const ORDER: Order = Order::Index;
}

/// List a run's steps by index, refused ones included. What cannot be read of them is named in `missing`.
#[utoipa::path(get, path = "/runs/{run_id}/steps", operation_id = "activity.steps", tag = "activity",
    extensions(("x-roles" = json!(roles::<ReadsRuns>()))),
    params(
        ("run_id" = String, Path, description = "The run."),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "How many entries; 50 where not given."),
        ("cursor" = Option<String>, Query, pattern = "^AgA[A-Za-z0-9_-]{19}[AEIMQUYcgkosw048]$",
            description = "The `next_cursor` of the page before."),
        ("total" = Option<bool>, Query, description = "Whether to count all that pass the filters."),
    ),
    responses((status = 200, description = "A page of steps.", body = StepsView)))]
pub(super) async fn steps(
    State(spine): State<Spine>,
    caller: Caller<ReadsRuns>,
    Id(run): Id<RunId>,
    List { page, .. }: List<StepParams>,
) -> Result<Json<StepsView>, Problem> {
    let page = activity::steps(&spine, caller.context(), run, page).await?;
    Ok(Json(StepsView::of(run, page)))
}
