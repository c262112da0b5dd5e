//! `GET /freeze`: what is frozen now.

use axum::extract::State;
use orchestrator::{Spine, handlers::policies};

use super::freeze_view::FreezeView;
use crate::{
    Problem,
    extract::{Caller, Json, List, NoParams, PageParams, Views, roles},
    view::PageView,
};

/// List the freezes in force, newest first.
#[utoipa::path(get, path = "/freeze", operation_id = "policies.list_freezes", tag = "policies",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(PageParams),
    responses((status = 200, description = "A page of freezes.", body = PageView<FreezeView>)))]
pub(super) async fn list_freezes(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { page, .. }: List<NoParams>,
) -> Result<Json<PageView<FreezeView>>, Problem> {
    let page = policies::list_freezes(&spine, caller.context(), page).await?;
    Ok(Json(page.into()))
}
