//! `GET /decisions`: what waits for a person.

use axum::extract::State;
use models::page::Order;
use orchestrator::{
    Spine,
    handlers::overview::{self, PendingDecision},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Json, List, Params, Views, roles},
    view::{PageView, Time, words},
};

/// No parameters of its own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByUrgency {}

impl Params for ByUrgency {
    const ORDER: Order = Order::Urgency;
}

/// Something that a person must decide. To act on it is a call to the domain that it comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PendingDecision)]
pub(super) struct DecisionView {
    #[schema(value_type = words::SourceDomain)]
    source_domain: &'static str,
    #[schema(value_type = words::EntityType)]
    entity_type: &'static str,
    entity_id: String,
    #[schema(value_type = words::DecisionType)]
    decision_type: &'static str,
    #[schema(value_type = words::Priority)]
    priority: &'static str,
    summary: String,
    created_at: Time,
    /// How many runs it concerns; 0 where it is about none.
    affected_runs: u64,
    /// The agents of those runs, the first eight.
    agents: Vec<String>,
    /// There are more.
    more_agents: bool,
}

impl From<PendingDecision> for DecisionView {
    fn from(decision: PendingDecision) -> Self {
        Self {
            source_domain: decision.source_domain.as_str(),
            entity_type: decision.entity_type.as_str(),
            entity_id: decision.entity_id,
            decision_type: decision.decision_type.as_str(),
            priority: decision.priority.as_str(),
            summary: decision.summary,
            created_at: decision.created_at.into(),
            affected_runs: decision.affected_count,
            agents: decision.agents,
            more_agents: decision.more_agents,
        }
    }
}

/// List what waits for a person: the most urgent first, and of what is as urgent the newest. `total` is always there.
#[utoipa::path(get, path = "/decisions", operation_id = "overview.decisions", tag = "overview",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "How many entries; 50 where not given."),
        ("cursor" = Option<String>, Query, pattern = "^Aw[AEIM]A[A-Za-z0-9_-]{41}[AQgw]$",
            description = "The `next_cursor` of the page before."),
        ("total" = Option<bool>, Query, description = "The total is there in any case."),
    ),
    responses((status = 200, description = "A page of decisions.", body = PageView<DecisionView>)))]
pub(super) async fn decisions(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { page, .. }: List<ByUrgency>,
) -> Result<Json<PageView<DecisionView>>, Problem> {
    let page = overview::decisions(&spine, caller.context(), page).await?;
    Ok(Json(page.into()))
}
