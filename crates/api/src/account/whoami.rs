//! `GET /whoami`: whose credential this is, and what it may do.

use axum::extract::State;
use orchestrator::{
    Spine,
    handlers::account::{self, WhoAmI},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::key_view::KeyView;
use crate::{
    Problem,
    extract::{Anyone, Caller, Json, roles},
    view::words,
};

/// The caller, as their credential says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhoAmI)]
pub(super) struct WhoAmIView {
    tenant_id: String,
    /// The tenant's slug.
    tenant: String,
    #[schema(value_type = words::Role)]
    role: &'static str,
    /// How the Audit Ledger names the caller.
    #[schema(value_type = words::ActorType)]
    actor_type: &'static str,
    actor_id: String,
    key: KeyView,
}

impl From<WhoAmI> for WhoAmIView {
    fn from(who: WhoAmI) -> Self {
        Self {
            tenant_id: who.tenant.to_string(),
            tenant: who.slug,
            role: who.key.role.as_str(),
            actor_type: who.actor_type.as_str(),
            actor_id: who.actor_id,
            key: who.key.into(),
        }
    }
}

/// Say whose credential this is.
#[utoipa::path(get, path = "/whoami", operation_id = "account.whoami", tag = "account",
    extensions(("x-roles" = json!(roles::<Anyone>()))),
    responses((status = 200, description = "The caller.", body = WhoAmIView)))]
pub(super) async fn whoami(
    State(spine): State<Spine>,
    caller: Caller<Anyone>,
) -> Result<Json<WhoAmIView>, Problem> {
    let who = account::whoami(&spine, caller.context()).await?;
    Ok(Json(who.into()))
}
