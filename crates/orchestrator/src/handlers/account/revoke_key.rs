//! Revoking an API key. It leaves a system record in the same transaction.

use models::{
    account::{ApiKey, Tenant},
    ids::{KeyId, TenantId},
};

use super::key_note::{Noted, note};
use crate::{
    consequences::author::{Author, SystemCaller},
    context::CallContext,
    errors::{ConflictCode, Error},
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
};

/// `account.revoke_key`: a key of the caller's tenant opens nothing any more: here at once, on other replicas
/// within a second.
#[tracing::instrument(name = "account.revoke_key", skip_all, fields(tenant = %ctx.tenant.id, key = %id))]
pub async fn revoke_key(spine: &Spine, ctx: &CallContext, id: KeyId) -> Result<ApiKey, Error> {
    let author = Author::from(ctx);
    let once = Once::of(spine, ctx, "account.revoke_key", &id)?;
    let revoked = retrying(spine, || revoke(spine, ctx.tenant.id, &once, id, &author)).await;
    if matches!(revoked, Err(Error::Unavailable(_) | Error::CommitUnknown(_))) {
        spine.choke().asked_to_revoke(spine, ctx.tenant.id, id);
    }
    revoked
}

/// The same for any key, by who has the store itself.
#[tracing::instrument(name = "account.revoke_key", skip_all, fields(key = %id))]
pub async fn revoke_key_as(spine: &Spine, caller: &SystemCaller, id: KeyId) -> Result<ApiKey, Error> {
    let found: Option<(ApiKey, Tenant)> = spine.read().await?.account().find_key(id).await?;
    let (key, _) = found.ok_or_else(|| Error::not_found("key", id))?;
    let author = Author::from(caller);
    let always = Once::always();
    retrying(spine, || revoke(spine, key.tenant, &always, id, &author)).await
}

async fn revoke(
    spine: &Spine,
    tenant: TenantId,
    once: &Once,
    id: KeyId,
    by: &Author,
) -> Result<ApiKey, Error> {
    let now = spine.now();
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let key = tx.account().find_key_of(tenant, id).await?.ok_or_else(|| Error::not_found("key", id))?;
    if !tx.account().revoke_key(tenant, id, now).await? {
        let detail = "the key was revoked before".to_owned();
        return Err(Error::Conflict { code: ConflictCode::KeyRevoked, detail });
    }
    note(spine, &tx, &key, Noted::Changed("revoked"), by, now).await?;
    tx.account().bump_policy_generation(tenant).await?;
    let revoked = tx.commit(ApiKey { revoked_at: Some(now), ..key }).await?;
    spine.credentials().forget(id);
    Ok(revoked)
}
