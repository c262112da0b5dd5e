//! `PATCH /settings`: changes how the tenant is captured and governed.

use axum::extract::State;
use orchestrator::{Spine, handlers::account};

use super::settings_view::{SettingsBody, SettingsView};
use crate::{
    Problem,
    answer::Versioned,
    extract::{Caller, IfMatch, Json, Manages, WithKey, roles},
};

/// Change the tenant's settings, on the version that `If-Match` names. In force within a second on every replica.
#[utoipa::path(patch, path = "/settings", operation_id = "account.update_settings", tag = "account",
    extensions(("x-roles" = json!(roles::<Manages>()))),
    params(("If-Match" = String, Header, pattern = "^\"[0-9]{1,19}\"$",
            description = "The `ETag` of the settings that are changed.")),
    request_body = SettingsBody,
    responses((status = 200, description = "The settings, as they are stored.", body = SettingsView,
        headers(("ETag" = String, description = "For `If-Match`.")))))]
pub(super) async fn update_settings(
    State(spine): State<Spine>,
    caller: Caller<Manages>,
    IfMatch(version): IfMatch,
    Json(WithKey { body, key }): Json<WithKey<SettingsBody>>,
) -> Result<Versioned<Json<SettingsView>>, Problem> {
    let caller = caller.with_key(key)?;
    let changed = account::update_settings(&spine, caller.context(), version, body.change()).await?;
    Ok(Versioned { version: changed.settings_version, answer: Json(changed.into()) })
}
