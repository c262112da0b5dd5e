//! Making an API key. It leaves a system record in the same transaction.

use chrono::{DateTime, Utc};
use drivers::Tx;
use engines::check::Check;
use models::{
    account::{AgentNames, ApiKey, OwnerType, Role},
    bounds,
    ids::{KeyId, TenantId},
};
use proof::hash::sha256;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    create_tenant::ensure,
    key_note::{Noted, note},
    token::{self, Token},
};
use crate::{
    consequences::author::{Author, SystemCaller},
    context::CallContext,
    errors::Error,
    once::{Begun, Once},
    retrying::retrying,
    spine::Spine,
};

/// What an agent's key needs that is bound to nothing.
const NO_AGENTS: &str = "name the agents that the key may begin runs as, or say `any_agent`";

/// What a pattern means that fits all.
const EVERY_AGENT: &str = "is every agent: name some, or say `any_agent` in place of `agents`";

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewKey {
    /// What it may do.
    pub role: Role,
    /// The person or service it is for; who makes it where not given.
    pub owner: Option<String>,
    /// A service's where not given for an agent's key, else a person's.
    pub owner_type: Option<OwnerType>,
    /// Until when it opens anything; for ever where not given.
    pub expires_at: Option<DateTime<Utc>>,
    /// The agents that it begins runs as; any where None. Other keys than an agent's are bound to none.
    pub agents: Option<AgentNames>,
}

impl NewKey {
    /// A key of this role, with defaults; for any agent, if it is an agent's.
    #[must_use]
    pub fn of_role(role: Role) -> Self {
        Self { role, owner: None, owner_type: None, expires_at: None, agents: None }
    }

    fn check(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let mut check = Check::default();
        if let Some(owner) = &self.owner {
            check.required("/owner", owner);
            check.identity("/owner", Some(owner));
        }
        check.refuse_if(self.expires_at.is_some_and(|at| at <= now), "/expires_at", "must be in the future");
        if let Some(agents) = &self.agents {
            let of_another = self.role != Role::Agent;
            check.refuse_if(
                of_another,
                "/agents",
                format!("only a key of role agent is bound, not one of {}", self.role),
            );
            check.refuse_if(agents.0.is_empty(), "/agents", NO_AGENTS);
            check.refuse_if(
                agents.0.len() > bounds::LABELS,
                "/agents",
                format!("at most {}", bounds::LABELS),
            );
            for (at, agent) in agents.0.iter().take(bounds::LABELS).enumerate() {
                let pointer = format!("/agents/{at}");
                check.required(&pointer, agent);
                check.identity(&pointer, Some(agent));
                check.refuse_if(agent.trim_matches('*').is_empty(), &pointer, EVERY_AGENT);
            }
        }
        Ok(check.done()?)
    }
}

/// A key that was just made: the only time that anyone sees it in full.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedKey {
    /// The key as it is stored.
    pub key: ApiKey,
    /// The key in full.
    pub token: Token,
    /// The slug of its tenant.
    pub tenant: String,
}

/// `account.create_key`: a key of the caller's tenant.
#[tracing::instrument(name = "account.create_key", skip_all, fields(tenant = %ctx.tenant.id, role = %new.role))]
pub async fn create_key(spine: &Spine, ctx: &CallContext, new: NewKey) -> Result<CreatedKey, Error> {
    let once = Once::of(spine, ctx, "account.create_key", &new)?;
    let made = retrying(spine, || create(spine, ctx, &once, new.clone())).await?;
    Ok(CreatedKey {
        key: made.key,
        token: Token::kept(Zeroizing::new(made.token)),
        tenant: ctx.tenant.slug.clone(),
    })
}

/// A key in full, as it is kept for a repeat of the call that made it: sealed, as all answers are.
#[derive(Serialize, Deserialize)]
struct KeptKey {
    key: ApiKey,
    token: String,
}

async fn create(spine: &Spine, ctx: &CallContext, once: &Once, new: NewKey) -> Result<KeptKey, Error> {
    let tx = match once.begin(spine).await? {
        Begun::New(tx) => tx,
        Begun::Again(answer) => return Ok(answer),
    };
    let (key, token) = insert(spine, &tx, ctx.tenant.id, new, &ctx.into()).await?;
    tx.commit(KeptKey { key, token: token.expose().to_owned() }).await
}

/// The same for the tenant of a slug, by who has the store itself. The tenant is made where there is none.
#[tracing::instrument(name = "account.create_key", skip_all, fields(slug, role = %new.role))]
pub async fn create_key_as(
    spine: &Spine,
    caller: &SystemCaller,
    slug: &str,
    new: NewKey,
) -> Result<CreatedKey, Error> {
    let author = Author::from(caller);
    retrying(spine, || insert_for(spine, slug, new.clone(), &author)).await
}

/// `account.create_key` for a tenant that has never had one of that role, by who has the store itself: none where it
/// has, whoever asks at the same time. A tenant that is not there is made.
#[tracing::instrument(name = "account.create_key", skip_all, fields(slug))]
pub async fn create_first_key_as(
    spine: &Spine,
    caller: &SystemCaller,
    slug: &str,
    new: NewKey,
) -> Result<Option<CreatedKey>, Error> {
    let author = Author::from(caller);
    retrying(spine, || insert_first(spine, slug, new.clone(), &author)).await
}

async fn insert_first(
    spine: &Spine,
    slug: &str,
    new: NewKey,
    by: &Author,
) -> Result<Option<CreatedKey>, Error> {
    let tx = spine.begin().await?;
    let tenant = ensure(spine, &tx, slug, by).await?;
    // Locks the tenant: whoever comes second finds the key of the first.
    tx.account().bump_policy_generation(tenant.id).await?;
    if tx.account().list_keys(tenant.id).await?.iter().any(|key| key.role == new.role) {
        return Ok(None);
    }
    let (key, token) = insert(spine, &tx, tenant.id, new, by).await?;
    tx.commit().await?;
    Ok(Some(CreatedKey { key, token, tenant: tenant.slug }))
}

async fn insert_for(spine: &Spine, slug: &str, new: NewKey, by: &Author) -> Result<CreatedKey, Error> {
    let tx = spine.begin().await?;
    let tenant = ensure(spine, &tx, slug, by).await?;
    let (key, token) = insert(spine, &tx, tenant.id, new, by).await?;
    tx.commit().await?;
    Ok(CreatedKey { key, token, tenant: tenant.slug })
}

async fn insert(
    spine: &Spine,
    tx: &Tx,
    tenant: TenantId,
    new: NewKey,
    by: &Author,
) -> Result<(ApiKey, Token), Error> {
    let now = spine.now();
    new.check(now)?;
    let id: KeyId = spine.id(now);
    let secret = Zeroizing::new(spine.secret());
    let by_role = if new.role == Role::Agent { OwnerType::Service } else { OwnerType::Person };
    let key = ApiKey {
        tenant,
        id,
        prefix: token::prefix(id),
        secret_hash: sha256(&*secret),
        role: new.role,
        owner: new.owner.unwrap_or_else(|| by.name.clone()),
        owner_type: new.owner_type.unwrap_or(by_role),
        scopes: Vec::new(),
        agents: new.agents,
        expires_at: new.expires_at.map(models::time::truncate),
        revoked_at: None,
        last_used_at: None,
        created_at: now,
    };
    tx.account().insert_key(&key).await?;
    note(spine, tx, &key, Noted::Changed("made"), by, now).await?;
    Ok((key, Token::new(spine.wrapping_key(), id, &secret)))
}
