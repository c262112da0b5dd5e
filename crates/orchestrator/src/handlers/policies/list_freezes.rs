//! The freezes in force.

use drivers::activity::FreezeEffect;
use models::{
    activity::Freeze,
    ids::InterventionId,
    page::{Page, PageRequest},
};

use super::freeze_view::{FreezeView, view};
use crate::{context::CallContext, errors::Error, spine::Spine};

/// `policies.list_freezes`: the freezes in force, newest first.
#[tracing::instrument(name = "policies.list_freezes", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_freezes(
    spine: &Spine,
    ctx: &CallContext,
    page: PageRequest,
) -> Result<Page<FreezeView>, Error> {
    let tenant = ctx.tenant.id;
    let store = spine.read().await?;
    let Page { items, next_cursor, has_more, total } = store.activity().list_freezes(tenant, &page).await?;
    let ids: Vec<InterventionId> = items.iter().map(|freeze| freeze.intervention_id).collect();
    let met = store.activity().runs_met(tenant, &ids).await?;
    let effects = store.activity().freeze_effects(tenant, &items).await?;
    let of = |(freeze, effect): (Freeze, FreezeEffect)| {
        let met = met.get(&freeze.intervention_id).copied().unwrap_or_default();
        view(freeze, effect, met)
    };
    let items = items.into_iter().zip(effects).map(of).collect();
    Ok(Page { items, next_cursor, has_more, total })
}
