//! `GET /settings`: how the tenant is captured and governed.

use axum::extract::State;
use orchestrator::{Spine, handlers::account};

use super::settings_view::SettingsView;
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, Json, Manages, roles},
};

/// Get the tenant's settings.
#[utoipa::path(get, path = "/settings", operation_id = "account.settings", tag = "account",
    extensions(("x-roles" = json!(roles::<Manages>()))),
    responses((status = 200, description = "The settings.", body = SettingsView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn settings(
    State(spine): State<Spine>,
    caller: Caller<Manages>,
) -> Result<Versioned<Json<SettingsView>>, Problem> {
    let tenant = account::settings(&spine, caller.context()).await?;
    Ok(Versioned { version: tenant.settings_version, answer: Json(tenant.into()) })
}
