//! The API keys of a tenant.

use models::{
    account::ApiKey,
    page::{Page, PageRequest},
};

use crate::{context::CallContext, errors::Error, handlers::shared::page_of, spine::Spine};

/// `account.list_keys`: the tenant's keys, newest first, revoked ones included.
#[tracing::instrument(name = "account.list_keys", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_keys(spine: &Spine, ctx: &CallContext, page: PageRequest) -> Result<Page<ApiKey>, Error> {
    let keys = spine.read().await?.account().list_keys(ctx.tenant.id).await?;
    page_of(keys, &page, |key| (key.created_at, key.id.0))
}

/// The keys of the tenant of a slug, oldest first, for who has the store itself.
#[tracing::instrument(name = "account.list_keys", skip_all, fields(slug))]
pub async fn list_keys_of(spine: &Spine, slug: &str) -> Result<Vec<ApiKey>, Error> {
    let store = spine.read().await?;
    let tenant = store.account().find_tenant_by_slug(slug).await?;
    let tenant = tenant.ok_or_else(|| Error::not_found("tenant", slug))?;
    Ok(store.account().list_keys(tenant.id).await?)
}
