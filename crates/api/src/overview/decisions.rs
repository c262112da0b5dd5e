//! `GET /decisions`: what waits for a person.

use axum::extract::State;
use orchestrator::{
    Spine,
    handlers::overview::{self, PendingDecision},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Json, List, NoParams, PageParams, Views, roles},
    view::{PageView, Time, words},
};

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
        }
    }
}

/// List what waits for a person, newest first. `total` is always there.
#[utoipa::path(get, path = "/decisions", operation_id = "overview.decisions", tag = "overview",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(PageParams),
    responses((status = 200, description = "A page of decisions.", body = PageView<DecisionView>)))]
pub(super) async fn decisions(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { page, .. }: List<NoParams>,
) -> Result<Json<PageView<DecisionView>>, Problem> {
    let page = overview::decisions(&spine, &caller, page).await?;
    Ok(Json(page.into()))
}
