//! `GET /decisions/count`: how much waits.

use std::collections::BTreeMap;

use axum::extract::State;
use orchestrator::{
    Spine,
    handlers::overview::{self, DecisionCounts},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Problem,
    extract::{Caller, Json, Views, roles},
    view::words,
};

/// How many decisions wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionCounts)]
pub(super) struct CountsView {
    total: u64,
    /// Every domain is there.
    by_domain: BTreeMap<&'static str, u64>,
    /// Every priority is there.
    by_priority: BTreeMap<&'static str, u64>,
    /// By both; what there is none of is not there.
    items: Vec<CountView>,
}

/// How many wait, of one domain and priority.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionCount)]
struct CountView {
    #[schema(value_type = words::SourceDomain)]
    source_domain: &'static str,
    #[schema(value_type = words::Priority)]
    priority: &'static str,
    count: u64,
}

impl From<DecisionCounts> for CountsView {
    fn from(counts: DecisionCounts) -> Self {
        let items = counts.counts.into_iter().map(|of| CountView {
            source_domain: of.source_domain.as_str(),
            priority: of.priority.as_str(),
            count: of.count,
        });
        Self {
            total: counts.total,
            by_domain: counts.by_domain.into_iter().map(|(domain, count)| (domain.as_str(), count)).collect(),
            by_priority: counts.by_priority.into_iter().map(|(of, count)| (of.as_str(), count)).collect(),
            items: items.collect(),
        }
    }
}

/// Count what waits for a person, by domain and priority.
#[utoipa::path(get, path = "/decisions/count", operation_id = "overview.decisions_count", tag = "overview",
    extensions(("x-roles" = json!(roles::<Views>()))),
    responses((status = 200, description = "The counts.", body = CountsView)))]
pub(super) async fn decisions_count(
    State(spine): State<Spine>,
    caller: Caller<Views>,
) -> Result<Json<CountsView>, Problem> {
    let counts = overview::decisions_count(&spine, caller.context()).await?;
    Ok(Json(counts.into()))
}
