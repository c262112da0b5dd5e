//! The checkpoint signer: every log with news gets a checkpoint, and every log one a day.

use std::collections::HashMap;

use models::ids::TenantId;

use crate::{
    checkpoints::{self, AT_LEAST_EVERY, signs::installation},
    errors::Error,
    spine::Spine,
};

/// Signs a checkpoint for every log that has grown since its last one, or has none of the last day. Gives how many. A
/// log that cannot be signed for keeps no other waiting; the first failure is given when all logs were tried.
pub async fn tick(spine: &Spine) -> Result<usize, Error> {
    let logs = {
        let store = spine.read_first().await?;
        // Also where another server has signed for all there is: this one would be of no use if that ended.
        installation(spine, &store).await?;
        store.ledger().heads_with_news(spine.now() - AT_LEAST_EVERY).await?
    };
    let mut slugs: HashMap<TenantId, String> = HashMap::new();
    let (mut signed, mut failure) = (0, None);
    for (tenant, log) in logs {
        let done = match slugs.get(&tenant) {
            Some(slug) => checkpoints::sign(spine, tenant, slug, log).await,
            None => match slug_of(spine, tenant).await {
                Ok(slug) => {
                    let done = checkpoints::sign(spine, tenant, &slug, log).await;
                    slugs.insert(tenant, slug);
                    done
                }
                Err(err) => Err(err),
            },
        };
        match done {
            Ok(_) => signed += 1,
            Err(err) => failure = failure.or(Some(err)),
        }
    }
    failure.map_or(Ok(signed), Err)
}

async fn slug_of(spine: &Spine, tenant: TenantId) -> Result<String, Error> {
    let found = spine.read_first().await?.account().find_tenant(tenant).await?;
    Ok(found.ok_or_else(|| Error::not_found("tenant", tenant))?.slug)
}
