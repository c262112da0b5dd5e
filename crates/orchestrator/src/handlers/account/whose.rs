//! Whose a store and a run are: what the command line asks, which has the store itself and no credential.

use drivers::Db;
use models::{
    account::{Installation, SigningKey, Tenant},
    ids::RunId,
};

use crate::{errors::Error, spine::Spine};

/// The installation that a store was begun by; none before its first start. Asked before its keys are at hand.
pub async fn installation_of(store: &Db) -> Result<Option<Installation>, Error> {
    Ok(store.read().await?.account().installation().await?)
}

/// The public keys that a store names, oldest first, for who does not have its private one.
pub async fn public_keys_of(store: &Db) -> Result<Vec<SigningKey>, Error> {
    Ok(store.read().await?.account().signing_keys().await?)
}

/// Every tenant, by slug.
pub async fn list_tenants(spine: &Spine) -> Result<Vec<Tenant>, Error> {
    Ok(spine.read().await?.account().list_tenants().await?)
}

/// The tenant that has a run; none where nobody has.
pub async fn tenant_of_run(spine: &Spine, run: RunId) -> Result<Option<Tenant>, Error> {
    let store = spine.read().await?;
    for tenant in store.account().list_tenants().await? {
        if store.activity().find_run(tenant.id, run).await?.is_some() {
            return Ok(Some(tenant));
        }
    }
    Ok(None)
}
