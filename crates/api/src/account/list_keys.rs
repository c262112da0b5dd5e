//! `GET /keys`: the tenant's keys.

use axum::extract::State;
use orchestrator::{Spine, handlers::account};

use super::key_view::KeyView;
use crate::{
    Problem,
    extract::{Caller, Json, List, Manages, NoParams, PageParams, roles},
    view::PageView,
};

/// List the tenant's keys, newest first, revoked ones included.
#[utoipa::path(get, path = "/keys", operation_id = "account.list_keys", tag = "account",
    extensions(("x-roles" = json!(roles::<Manages>()))),
    params(PageParams),
    responses((status = 200, description = "A page of keys.", body = PageView<KeyView>)))]
pub(super) async fn list_keys(
    State(spine): State<Spine>,
    caller: Caller<Manages>,
    List { page, .. }: List<NoParams>,
) -> Result<Json<PageView<KeyView>>, Problem> {
    let page = account::list_keys(&spine, caller.context(), page).await?;
    Ok(Json(page.into()))
}
