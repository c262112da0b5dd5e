//! Lifting a freeze.

use drivers::{StoreError, Tx};
use models::{
    activity::{Freeze, Intervention, InterventionOutcome},
    ids::TenantId,
};
use proof::words::InterventionKind;

use super::freeze_view::act;
use crate::{
    context::CallContext,
    errors::Error,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::reason_of,
};

/// `policies.unfreeze`: lifts the freeze of an agent, or that of the whole tenant.
#[tracing::instrument(name = "policies.unfreeze", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn unfreeze(
    spine: &Spine,
    ctx: &CallContext,
    agent_id: Option<String>,
    reason: Option<String>,
) -> Result<Intervention, Error> {
    let once = Once::of(spine, ctx, "policies.unfreeze", &(&agent_id, &reason))?;
    let reason = reason_of(reason)?;
    retrying(spine, || unfreeze_once(spine, ctx, &once, agent_id.as_deref(), reason.as_deref())).await
}

async fn unfreeze_once(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    agent_id: Option<&str>,
    reason: Option<&str>,
) -> Result<Intervention, Error> {
    let (tenant, now) = (ctx.tenant.id, spine.now());
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let lifted = take_back(&tx, tenant, agent_id.unwrap_or_default()).await?;
    let lift = |lifted: Freeze| {
        let by = Freeze {
            actor_type: ctx.actor_type,
            actor_id: Some(ctx.actor_id.clone()),
            reason: reason.map(str::to_owned),
            requested_at: now,
            ..lifted
        };
        // There is nobody to confirm it: what it undoes is undone with its commit.
        Intervention {
            outcome: InterventionOutcome::Ended,
            // The freeze has kept its id.
            lifts: Some(by.intervention_id),
            ..act(&by, spine.id(now), InterventionKind::Unfreeze)
        }
    };
    let lifts: Vec<Intervention> = lifted.into_iter().map(lift).collect();
    let Some(first) = lifts.first().cloned() else {
        return Err(Error::not_found("freeze of", agent_id.unwrap_or("the whole tenant")));
    };
    tx.activity().insert_interventions(&lifts).await?;
    tx.account().bump_policy_generation(tenant).await?;
    tx.commit(first).await
}

/// Takes back what freezes a target, first what is kept under that very name, and whatever an older build kept in
/// another form of it: each is a freeze of its own, which somebody has lifted.
async fn take_back(tx: &Tx, tenant: TenantId, target: &str) -> Result<Vec<Freeze>, StoreError> {
    let mut lifted: Vec<Freeze> = tx.activity().lift_freeze(tenant, target).await?.into_iter().collect();
    for other in tx.activity().freezes(tenant).await?.iter().filter(|freeze| freeze.is_of(target)) {
        lifted.extend(tx.activity().lift_freeze(tenant, &other.target_id).await?);
    }
    Ok(lifted)
}
