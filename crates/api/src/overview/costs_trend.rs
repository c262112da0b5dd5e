//! `GET /costs/trend`: cost and tokens by day, by model, by agent.

use axum::extract::State;
use models::overview::Spent;
use orchestrator::{
    Spine,
    handlers::overview::{self, Trend},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::costs::{PeriodParams, PeriodView, of_parameter};
use crate::{
    Problem,
    extract::{Caller, Json, Query, Views, roles},
    view::Number,
};

/// Cost and tokens of model calls, for charts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostTrend)]
pub(super) struct TrendView {
    /// Always `USD`.
    currency: &'static str,
    period: PeriodView,
    /// Every day of the period, UTC, oldest first.
    by_day: Vec<DayView>,
    /// The dearest first, at most 50.
    by_model: Vec<ModelView>,
    /// There are more.
    more_models: bool,
    /// The dearest first, at most 50.
    by_agent: Vec<AgentView>,
    /// There are more.
    more_agents: bool,
}

/// What model calls used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostSpent)]
struct SpentView {
    /// What is known of the cost.
    cost_usd: Number,
    /// False where some call's cost is known to nobody, or a span that came late left it in doubt.
    cost_known: bool,
    input_tokens: u64,
    output_tokens: u64,
    /// How many calls.
    llm_runs: u64,
}

/// A day, UTC.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostOfDay)]
struct DayView {
    /// As `2026-01-31`.
    #[schema(format = Date)]
    day: String,
    #[serde(flatten)]
    spent: SpentView,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostOfModel)]
struct ModelView {
    provider: Option<String>,
    model: Option<String>,
    #[serde(flatten)]
    spent: SpentView,
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostOfAgent)]
struct AgentView {
    agent_id: String,
    #[serde(flatten)]
    spent: SpentView,
}

impl From<Spent> for SpentView {
    fn from(spent: Spent) -> Self {
        Self {
            cost_usd: Number::usd(spent.cost_nanousd),
            cost_known: spent.unknown == 0,
            input_tokens: spent.input_tokens,
            output_tokens: spent.output_tokens,
            llm_runs: spent.calls,
        }
    }
}

impl From<Trend> for TrendView {
    fn from(trend: Trend) -> Self {
        let days = trend.by_day.into_iter();
        let models = trend.by_model.into_iter();
        let agents = trend.by_agent.into_iter();
        Self {
            currency: "USD",
            period: trend.period.into(),
            by_day: days.map(|of| DayView { day: of.day.to_string(), spent: of.spent.into() }).collect(),
            by_model: models
                .map(|of| ModelView { provider: of.provider, model: of.model, spent: of.spent.into() })
                .collect(),
            more_models: trend.more_models,
            more_agents: trend.more_agents,
            by_agent: agents.map(|of| AgentView { agent_id: of.agent_id, spent: of.spent.into() }).collect(),
        }
    }
}

/// Get cost and tokens by day, by model and by agent.
///
/// The period is the last 30 days, today included, unless `from` or `to` say otherwise.
#[utoipa::path(get, path = "/costs/trend", operation_id = "overview.costs_trend", tag = "overview",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(PeriodParams),
    responses((status = 200, description = "The trend.", body = TrendView)))]
pub(super) async fn costs_trend(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Query(PeriodParams { from, to }): Query<PeriodParams>,
) -> Result<Json<TrendView>, Problem> {
    let found =
        overview::costs_trend(&spine, caller.context(), from.map(Into::into), to.map(Into::into)).await;
    Ok(Json(found.map_err(of_parameter)?.into()))
}
