//! What people stopped, and whether it still holds.

use std::collections::{HashMap, HashSet};

use models::{
    activity::{Intervention, InterventionFilter, InterventionState},
    ids::InterventionId,
    page::{Page, PageRequest},
};
use proof::words::InterventionKind;

use crate::{context::CallContext, errors::Error, spine::Spine};

/// A kill or a freeze, and whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What was asked.
    pub intervention: Intervention,
    /// Whether it still holds. A kill is for good.
    pub state: InterventionState,
    /// Who ended it, when and why; none where an older build did not note which freeze was ended.
    pub lifted: Option<Intervention>,
    /// Runs that were ended, or refused something, by it.
    pub runs_met: u64,
}

/// `activity.list_interventions`: what people stopped, newest first, with who let it go on.
#[tracing::instrument(name = "activity.list_interventions", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn list_interventions(
    spine: &Spine,
    ctx: &CallContext,
    filter: InterventionFilter,
    page: PageRequest,
) -> Result<Page<Stopped>, Error> {
    let tenant = ctx.tenant.id;
    let store = spine.read().await?;
    let found = store.activity().list_interventions(tenant, &filter, &page).await?;
    let ids: Vec<InterventionId> = found.items.iter().map(|one| one.id).collect();
    let met = store.activity().runs_met(tenant, &ids).await?;
    let lifts = store.activity().lifts_of(tenant, &ids).await?;
    let freezes = store.activity().freezes(tenant).await?;
    let in_force: HashSet<InterventionId> = freezes.iter().map(|freeze| freeze.intervention_id).collect();
    let mut lifted: HashMap<InterventionId, Intervention> =
        lifts.into_iter().filter_map(|one| Some((one.lifts?, one))).collect();
    let stopped = |intervention: Intervention| {
        let (id, is_kill) = (intervention.id, intervention.kind == InterventionKind::Kill);
        let holds = is_kill || in_force.contains(&id);
        Stopped {
            intervention,
            state: if holds { InterventionState::InForce } else { InterventionState::Lifted },
            lifted: lifted.remove(&id),
            runs_met: met.get(&id).copied().unwrap_or_default(),
        }
    };
    let Page { items, next_cursor, has_more, total } = found;
    Ok(Page { items: items.into_iter().map(stopped).collect(), next_cursor, has_more, total })
}
