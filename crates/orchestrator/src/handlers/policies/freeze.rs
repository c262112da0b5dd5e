//! A freeze: no run of its target begins, and running ones refuse their next step, until it is lifted. Neither is a
//! canonical event: each is a row of `interventions`, and a record of every run that it met.

use drivers::{StoreError, Tx, activity::FreezeEffect};
use engines::check::Check;
use models::{
    activity::{Freeze, Intervention, InterventionOutcome},
    ids::{InterventionId, TenantId},
    page::{Page, PageRequest},
};
use proof::words::InterventionKind;
use serde::{Deserialize, Serialize};

use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::reason_of,
};

/// A freeze in force, and what is known of its effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreezeView {
    /// The freeze.
    pub freeze: Freeze,
    /// Runs of its target that are LIVE now.
    pub live_runs: u64,
    /// Runs that were refused something by it.
    pub runs_met: u64,
    /// LIVE runs of its target whose agents are not known to know.
    pub unacked_runs: u64,
    /// ENDED: there is no LIVE run that it could stop. ACKED: every agent of one knows. Else UNACKED.
    pub outcome: InterventionOutcome,
}

/// `policies.freeze`: freezes an agent, or the whole tenant where none is named.
#[tracing::instrument(name = "policies.freeze", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn freeze(
    spine: &Spine,
    ctx: &CallContext,
    agent_id: Option<String>,
    reason: String,
) -> Result<FreezeView, Error> {
    let mut check = Check::default();
    check.identity("/agent_id", agent_id.as_deref());
    if let Some(agent) = &agent_id {
        check.required("/agent_id", agent);
    }
    check.required("/reason", &reason);
    check.done()?;
    let once = Once::of(spine, ctx, "policies.freeze", &(&agent_id, &reason))?;
    let reason = reason_of(Some(reason))?;
    retrying(spine, || freeze_once(spine, ctx, &once, agent_id.as_deref(), reason.as_deref())).await
}

async fn freeze_once(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    agent_id: Option<&str>,
    reason: Option<&str>,
) -> Result<FreezeView, Error> {
    let (tenant, now) = (ctx.tenant.id, spine.now());
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let target_id = agent_id.unwrap_or_default().to_owned();
    let freeze = Freeze {
        tenant,
        target_id,
        intervention_id: spine.id(now),
        actor_type: ctx.actor_type,
        actor_id: Some(ctx.actor_id.clone()),
        reason: reason.map(str::to_owned),
        requested_at: now,
    };
    // First, and told by whether it is in: whoever else begins one at this moment waits here.
    let is_new = tx.activity().insert_freeze(&freeze).await?;
    // An older build may have kept the same name in another form: a second freeze beside that one would outlive its lifting.
    let known = tx.activity().freezes(tenant).await?;
    let stands = known
        .into_iter()
        .find(|known| known.is_of(&freeze.target_id) && known.intervention_id != freeze.intervention_id);
    if !is_new || stands.is_some() {
        return Err(already_frozen(stands));
    }
    let asked = of(&freeze, freeze.intervention_id, InterventionKind::Freeze);
    tx.activity().insert_interventions(&[asked]).await?;
    // Before the commit, for what fails after it would be told as not done; and in the same unit of work, for there may be no
    // other connection.
    let effects = tx.activity().freeze_effects(tenant, std::slice::from_ref(&freeze)).await?;
    tx.account().bump_policy_generation(tenant).await?;
    let begun = view(freeze, effects.first().copied().unwrap_or_default(), 0);
    tx.commit(begun).await
}

fn already_frozen(stands: Option<Freeze>) -> Error {
    let detail = match stands {
        Some(Freeze { requested_at, actor_id, .. }) => {
            let (since, by) = (models::time::text(requested_at), actor_id);
            let by = by.as_deref().unwrap_or("somebody");
            format!("it has been frozen since {since} by {by}; lift that freeze to begin another")
        }
        None => "it was frozen, and is not any more: freeze it again".to_owned(),
    };
    Error::Conflict { code: ConflictCode::AlreadyFrozen, detail }
}

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
    let lifted = lift(&tx, tenant, agent_id.unwrap_or_default()).await?;
    let act = |lifted: Freeze| Intervention {
        // There is nobody to confirm it: what it undoes is undone with its commit.
        outcome: InterventionOutcome::Ended,
        lifts: Some(lifted.intervention_id),
        ..of(
            &Freeze {
                actor_type: ctx.actor_type,
                actor_id: Some(ctx.actor_id.clone()),
                reason: reason.map(str::to_owned),
                requested_at: now,
                ..lifted
            },
            spine.id(now),
            InterventionKind::Unfreeze,
        )
    };
    let acts: Vec<Intervention> = lifted.into_iter().map(act).collect();
    let Some(act) = acts.first().cloned() else {
        return Err(Error::not_found("freeze of", agent_id.unwrap_or("the whole tenant")));
    };
    tx.activity().insert_interventions(&acts).await?;
    tx.account().bump_policy_generation(tenant).await?;
    tx.commit(act).await
}

/// Takes back what freezes a target, first what is kept under that very name, and whatever an older build kept in another
/// form of it: each is a freeze of its own, which somebody has lifted.
async fn lift(tx: &Tx, tenant: TenantId, target: &str) -> Result<Vec<Freeze>, StoreError> {
    let mut lifted: Vec<Freeze> = tx.activity().lift_freeze(tenant, target).await?.into_iter().collect();
    for other in tx.activity().freezes(tenant).await?.iter().filter(|freeze| freeze.is_of(target)) {
        lifted.extend(tx.activity().lift_freeze(tenant, &other.target_id).await?);
    }
    Ok(lifted)
}

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

/// Every freeze that is in force, that of the whole tenant first: for what shows many runs, and says which may go on.
#[tracing::instrument(name = "policies.freezes", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn freezes(spine: &Spine, ctx: &CallContext) -> Result<Vec<Freeze>, Error> {
    Ok(spine.read().await?.activity().freezes(ctx.tenant.id).await?)
}

fn view(freeze: Freeze, effect: FreezeEffect, runs_met: u64) -> FreezeView {
    let FreezeEffect { live_runs, unacked_runs } = effect;
    let outcome = match (live_runs, unacked_runs) {
        (0, _) => InterventionOutcome::Ended,
        (_, 0) => InterventionOutcome::Acked,
        _ => InterventionOutcome::Unacked,
    };
    FreezeView { freeze, live_runs, runs_met, unacked_runs, outcome }
}

/// The act, as it is stored for good.
fn of(freeze: &Freeze, id: InterventionId, kind: InterventionKind) -> Intervention {
    let (target_type, target_id) = freeze.target();
    Intervention {
        tenant: freeze.tenant,
        id,
        kind,
        target_type,
        target_id,
        actor_type: freeze.actor_type,
        actor_id: freeze.actor_id.clone(),
        reason: freeze.reason.clone(),
        requested_at: freeze.requested_at,
        outcome: InterventionOutcome::Unacked,
        effective_at: Some(freeze.requested_at),
        lifts: None,
    }
}
