//! `POST /keys`: makes a key.

use axum::extract::State;
use models::account::{AgentNames, Role};
use orchestrator::{
    Spine,
    handlers::account::{self, NewKey},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::key_view::CreatedKeyView;
use crate::{
    Problem,
    answer::Created,
    extract::{Caller, Json, Manages, WithKey, roles},
    problem::Code,
    view::{
        Time, text,
        words::{self, known},
    },
};

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
pub(super) struct KeyBody {
    /// What it may do.
    role: words::Role,
    /// The person or service it is for; the caller's where not given.
    #[schema(value_type = Option<text::Identity>)]
    owner: Option<String>,
    /// `service` where not given for an agent's key, else `person`.
    owner_type: Option<words::OwnerType>,
    /// For ever where not given.
    expires_at: Option<Time>,
    /// The agents that a key of role agent begins runs as: ids, and patterns in which `*` stands for any characters.
    /// Required for that role, unless `any_agent` is true.
    #[schema(value_type = Option<Vec<text::Identity>>, max_items = 64, min_items = 1)]
    agents: Option<Vec<String>>,
    /// A key of role agent begins runs as any agent. What is set for an agent can be evaded with it, under another
    /// name.
    #[serde(default)]
    any_agent: bool,
}

impl KeyBody {
    fn new_key(self) -> Result<NewKey, Problem> {
        let role = self.role.known();
        let agents = match (self.agents, self.any_agent) {
            (Some(_), true) => {
                return Err(Problem::field(
                    Code::InvalidRequest,
                    "/any_agent",
                    "is not so where `agents` are named: send one of them",
                ));
            }
            (None, true) if role != Role::Agent => {
                let message = format!("only a key of role agent is bound, or not, and this is one of {role}");
                return Err(Problem::field(Code::InvalidRequest, "/any_agent", message));
            }
            // The door says what is missing.
            (None, false) if role == Role::Agent => Some(Vec::new()),
            (agents, _) => agents,
        };
        Ok(NewKey {
            role,
            owner: self.owner,
            owner_type: known(self.owner_type),
            expires_at: self.expires_at.map(Into::into),
            agents: agents.map(AgentNames),
        })
    }
}

/// Make a key. It is shown in full this once.
#[utoipa::path(post, path = "/keys", operation_id = "account.create_key", tag = "account",
    extensions(("x-roles" = json!(roles::<Manages>()))),
    request_body = KeyBody,
    responses((status = 201, description = "The key.", body = CreatedKeyView)))]
pub(super) async fn create_key(
    State(spine): State<Spine>,
    caller: Caller<Manages>,
    Json(WithKey { body, key }): Json<WithKey<KeyBody>>,
) -> Result<Created<CreatedKeyView>, Problem> {
    let caller = caller.with_key(key)?;
    let created = account::create_key(&spine, caller.context(), body.new_key()?).await?;
    Ok(Created { location: None, body: created.into() })
}
