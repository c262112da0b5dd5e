//! What people did to a run.

use drivers::ReadTx;
use models::{
    activity::{Ack, Intervention, InterventionOutcome},
    ids::RunId,
};

use super::get::find;
use crate::{context::CallContext, errors::Error, spine::Spine};

/// What a person did to a run, and what is known of its effect.
#[derive(Clone, Debug, PartialEq)]
pub struct InterventionView {
    /// What was asked.
    pub intervention: Intervention,
    /// ACKED as soon as the run's agent is known to know.
    pub outcome: InterventionOutcome,
    /// How and when its agent came to know.
    pub ack: Option<Ack>,
}

/// `activity.interventions`: what people did to a run, newest first: kills that were asked for, freezes that it met.
#[tracing::instrument(name = "activity.interventions", skip_all, fields(tenant = %ctx.tenant.id, run = %id))]
pub async fn interventions(
    spine: &Spine,
    ctx: &CallContext,
    id: RunId,
) -> Result<Vec<InterventionView>, Error> {
    let store = spine.read().await?;
    find(&store, ctx, id).await?;
    interventions_of(&store, ctx, id).await
}

/// The same of a run that the caller may see, where somebody reads already.
pub(super) async fn interventions_of(
    store: &ReadTx,
    ctx: &CallContext,
    id: RunId,
) -> Result<Vec<InterventionView>, Error> {
    let acks = store.activity().acks_of_runs(ctx.tenant.id, &[id]).await?;
    let mut all = store.activity().interventions_on(ctx.tenant.id, id).await?;
    all.extend(store.activity().freezes_met(ctx.tenant.id, id).await?);
    all.sort_by_key(|one| std::cmp::Reverse((one.requested_at, one.id)));
    Ok(all
        .into_iter()
        .map(|intervention| {
            let ack = acks.iter().find(|ack| ack.intervention_id == intervention.id).cloned();
            let outcome = ack.as_ref().map_or(intervention.outcome, |_| InterventionOutcome::Acked);
            InterventionView { intervention, outcome, ack }
        })
        .collect())
}
