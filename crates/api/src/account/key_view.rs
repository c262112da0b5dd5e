//! An API key, as it is written: never its secret, but once.

use models::account::{ApiKey, Role};
use orchestrator::handlers::account::CreatedKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Time, words};

/// An API key.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyView {
    key_id: String,
    /// The key without its secret.
    prefix: String,
    #[schema(value_type = words::Role)]
    role: &'static str,
    /// The person or service it is for.
    owner: String,
    #[schema(value_type = words::OwnerType)]
    owner_type: &'static str,
    scopes: Vec<String>,
    /// The agents that it begins runs as: ids, and patterns in which `*` stands for any characters.
    agents: Vec<String>,
    /// Whether it begins runs as any agent.
    any_agent: bool,
    expires_at: Option<Time>,
    revoked_at: Option<Time>,
    last_used_at: Option<Time>,
    created_at: Time,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedKey)]
pub(super) struct CreatedKeyView {
    #[serde(flatten)]
    stored: KeyView,
    /// The key in full. It is shown this once.
    key: String,
    /// The slug of its tenant.
    tenant: String,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.id.to_string(),
            prefix: key.prefix,
            role: key.role.as_str(),
            owner: key.owner,
            owner_type: key.owner_type.as_str(),
            scopes: key.scopes,
            any_agent: key.agents.is_none() && matches!(key.role, Role::Agent | Role::Admin),
            agents: key.agents.map_or_else(Vec::new, |agents| agents.0),
            expires_at: key.expires_at.map(Time),
            revoked_at: key.revoked_at.map(Time),
            last_used_at: key.last_used_at.map(Time),
            created_at: key.created_at.into(),
        }
    }
}

impl From<CreatedKey> for CreatedKeyView {
    fn from(created: CreatedKey) -> Self {
        Self { key: created.token.expose().to_owned(), tenant: created.tenant, stored: created.key.into() }
    }
}
