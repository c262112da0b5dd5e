//! Freezing an agent, or all of them.

use engines::check::Check;
use models::activity::Freeze;
use proof::words::InterventionKind;

use super::freeze_view::{FreezeView, act, view};
use crate::{
    context::CallContext,
    errors::{ConflictCode, Error},
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
    texts::reason_of,
};

/// `policies.freeze`: freezes an agent, or the whole tenant where none is named.
#[tracing::instrument(name = "policies.freeze", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn freeze(
    spine: &Spine,
    ctx: &CallContext,
    agent_id: Option<String>,
    reason: String,
) -> Result<FreezeView, Error> {
    let mut check = Check::default();
    check.agent("/agent_id", agent_id.as_deref());
    if let Some(agent) = &agent_id {
        check.required("/agent_id", agent);
    }
    check.required("/reason", &reason);
    check.done()?;
    let once = Once::of(spine, ctx, "policies.freeze", &(&agent_id, &reason))?;
    let reason = reason_of(Some(reason))?;
    let (target, reason) = (agent_id.as_deref(), reason.as_deref());
    let done = retrying(spine, || freeze_once(spine, ctx, &once, target, reason)).await;
    if matches!(done, Err(Error::Unavailable(_) | Error::CommitUnknown(_))) {
        spine.choke().asked_to_freeze(spine, asked_for(spine, ctx, target, reason));
    }
    done
}

/// The freeze that somebody asks for.
fn asked_for(spine: &Spine, ctx: &CallContext, agent_id: Option<&str>, reason: Option<&str>) -> Freeze {
    let now = spine.now();
    Freeze {
        tenant: ctx.tenant.id,
        target_id: agent_id.unwrap_or_default().to_owned(),
        intervention_id: spine.id(now),
        actor_type: ctx.actor_type,
        actor_id: Some(ctx.actor_id.clone()),
        reason: reason.map(str::to_owned),
        requested_at: now,
    }
}

async fn freeze_once(
    spine: &Spine,
    ctx: &CallContext,
    once: &Once,
    agent_id: Option<&str>,
    reason: Option<&str>,
) -> Result<FreezeView, Error> {
    let tenant = ctx.tenant.id;
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let freeze = asked_for(spine, ctx, agent_id, reason);
    // First, and told by whether it is in: whoever else begins one at this moment waits here.
    let is_new = tx.activity().insert_freeze(&freeze).await?;
    // An older build may have kept the same name in another form: a second freeze beside that one would outlive its
    // lifting.
    let known = tx.activity().freezes(tenant).await?;
    let stands = known
        .into_iter()
        .find(|known| known.is_of(&freeze.target_id) && known.intervention_id != freeze.intervention_id);
    if !is_new || stands.is_some() {
        return Err(already_frozen(stands));
    }
    let asked = act(&freeze, freeze.intervention_id, InterventionKind::Freeze);
    tx.activity().insert_interventions(&[asked]).await?;
    // Before the commit, for what fails after it would be told as not done; and in the same unit of work, for there may
    // be no other connection.
    let effects = tx.activity().freeze_effects(tenant, std::slice::from_ref(&freeze)).await?;
    let generation = tx.account().bump_policy_generation(tenant).await?;
    let begun = tx.commit(view(freeze, effects.first().copied().unwrap_or_default(), 0)).await?;
    spine.choke().froze(spine, begun.freeze.clone(), generation);
    Ok(begun)
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
