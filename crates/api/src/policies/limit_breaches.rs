//! `GET /limits/{id}/breaches`: how often and by how much a limit was passed.

use axum::extract::State;
use models::ids::LimitId;
use orchestrator::{
    Spine,
    handlers::policies::{self, counts_money},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Id, Json, List, NoParams, PageParams, Views, roles},
    view::{Number, PageView, words},
};

/// A limit that was passed, with value and threshold as they were, in the limit's own unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Breach)]
pub(super) struct BreachView {
    breach_id: String,
    limit_id: String,
    limit_name: String,
    #[schema(value_type = words::LimitType)]
    limit_type: &'static str,
    #[schema(value_type = words::BreachType)]
    breach_type: &'static str,
    run_id: String,
    step_index: Option<u64>,
    /// Empty where the limit has no window.
    window_start: String,
    breached_value: Number,
    threshold_value: Number,
    breached_at: String,
}

/// List a limit's breaches, newest first.
#[utoipa::path(get, path = "/limits/{id}/breaches", operation_id = "policies.limit_breaches", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(("id" = String, Path, description = "The limit."), PageParams),
    responses((status = 200, description = "A page of breaches.", body = PageView<BreachView>)))]
pub(super) async fn limit_breaches(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<LimitId>,
    List { page, .. }: List<NoParams>,
) -> Result<Json<PageView<BreachView>>, Problem> {
    let page = policies::limit_breaches(&spine, caller.context(), id, page).await?;
    Ok(Json(PageView::of(page.map(|record| {
        let number = |value| Number::of_limit(counts_money(record.limit_type), value);
        BreachView {
            breached_value: number(record.breached_value),
            threshold_value: number(record.threshold_value),
            limit_type: record.limit_type.as_str(),
            breach_type: record.breach_type.as_str(),
            breach_id: record.breach_id,
            limit_id: record.limit_id,
            limit_name: record.limit_name,
            run_id: record.run_id,
            step_index: record.step_index,
            window_start: record.window_start,
            breached_at: record.breached_at,
        }
    }))))
}
