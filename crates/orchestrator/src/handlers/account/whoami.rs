//! What a caller's credential makes of them.

use models::{account::ApiKey, ids::TenantId};
use proof::words::ActorType;

use crate::{context::CallContext, errors::Error, spine::Spine};

/// The caller, as their credential says.
#[derive(Clone, Debug, PartialEq)]
pub struct WhoAmI {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name in addresses.
    pub slug: String,
    /// The key, as it is stored.
    pub key: ApiKey,
    /// How the Audit Ledger names the caller.
    pub actor_type: ActorType,
    /// By which name.
    pub actor_id: String,
}

/// `account.whoami`: whose credential this is, and what it may do.
#[tracing::instrument(name = "account.whoami", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn whoami(spine: &Spine, ctx: &CallContext) -> Result<WhoAmI, Error> {
    let key = spine.read().await?.account().find_key_of(ctx.tenant.id, ctx.key).await?;
    Ok(WhoAmI {
        tenant: ctx.tenant.id,
        slug: ctx.tenant.slug.clone(),
        key: key.ok_or_else(|| Error::not_found("key", ctx.key))?,
        actor_type: ctx.actor_type,
        actor_id: ctx.actor_id.clone(),
    })
}
