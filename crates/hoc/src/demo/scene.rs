//! What stands before the conversation begins: a fresh tenant, a key for each part, a rule that blocks and a budget.

use std::net::SocketAddr;

use hyper::Method;
use models::{account::Role, ids::KeyId};
use orchestrator::{
    Entropy as _, Spine, SystemEntropy,
    handlers::account::{self, NewKey},
};
use serde_json::{Value, json};

use crate::{caller, http::Client};

const POLICIES: &str = "/api/v1/runtime/policies";

/// Which models the agent may call. Asked before each call.
pub(super) const RULE: &str = "context.step.kind == \"LLM_CALL\" && context.step.model != \"gpt-4o\"";
pub(super) const RULE_NAME: &str = "approved-models";
/// Three of the four chats fit in; the third is warned, the fourth does not fit.
pub(super) const BUDGET: u64 = 110;
pub(super) const BUDGET_NAME: &str = "weather-tokens";

/// A tenant with its keys, and a server that knows them.
pub(super) struct Scene {
    pub(super) address: SocketAddr,
    pub(super) tenant: String,
    pub(super) agent: Key,
    pub(super) auditor: Key,
    pub(super) admin: Key,
    /// Opens the console as admin, once.
    pub(super) link: account::Token,
}

/// A key in full. Does not print.
pub(super) struct Key(account::Token);

impl Key {
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Scene {
    /// Makes the tenant and its keys on the store itself, and what governs it through the API.
    pub(super) async fn set(spine: &Spine, address: SocketAddr) -> anyhow::Result<Self> {
        let tenant = fresh_slug();
        let policy = key(spine, &tenant, Role::Policy, "paula").await?;
        let (admin, admin_id) = key_and_id(spine, &tenant, Role::Admin, "you").await?;
        let scene = Self {
            address,
            agent: key(spine, &tenant, Role::Agent, "weather-agent").await?,
            auditor: key(spine, &tenant, Role::Auditor, "aud").await?,
            admin,
            link: account::create_login_link_as(spine, &caller::command_line(), admin_id).await?,
            tenant,
        };
        let mut client = Client::connect(address).await?;
        let rule = json!({
            "name": RULE_NAME,
            "description": "The agent may call approved models only.",
            "enforcement_mode": "BLOCK",
            "bind_at": "STEP_PRE",
            "condition": RULE,
        });
        let budget = json!({
            "name": BUDGET_NAME,
            "limit_category": "BUDGET",
            "limit_type": "TOKENS_TOTAL",
            "scope": "TENANT",
            "max_value": BUDGET,
            "reset_period": "DAILY",
            "enforcement": "BLOCK",
            "consequence": "INCIDENT",
        });
        post(&mut client, &format!("{POLICIES}/rules"), policy.expose(), &rule, "making the rule").await?;
        post(&mut client, &format!("{POLICIES}/limits"), policy.expose(), &budget, "making the budget")
            .await?;
        Ok(scene)
    }
}

async fn key(spine: &Spine, tenant: &str, role: Role, owner: &str) -> anyhow::Result<Key> {
    Ok(key_and_id(spine, tenant, role, owner).await?.0)
}

async fn key_and_id(spine: &Spine, tenant: &str, role: Role, owner: &str) -> anyhow::Result<(Key, KeyId)> {
    let new = NewKey { owner: Some(owner.to_owned()), ..NewKey::of_role(role) };
    let made = account::create_key_as(spine, &caller::command_line(), tenant, new).await?;
    Ok((Key(made.token), made.key.id))
}

async fn post(
    client: &mut Client,
    path: &str,
    key: &str,
    body: &Value,
    doing: &str,
) -> anyhow::Result<Value> {
    client.call(Method::POST, path, Some(key), Some(body)).await?.expect(201, doing)
}

/// A tenant that nobody has: earlier demos on the same store stay as they are.
fn fresh_slug() -> String {
    let random = SystemEntropy.secret();
    format!("demo-{:02x}{:02x}{:02x}{:02x}", random[0], random[1], random[2], random[3])
}
