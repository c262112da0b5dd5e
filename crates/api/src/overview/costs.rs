//! `GET /costs`: what model calls cost, and how the budgets stand.

use axum::extract::State;
use models::overview::Period;
use orchestrator::{
    Error, Spine,
    handlers::overview::{self, Budget, BudgetUnit, Costs},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Problem,
    extract::{Caller, Json, Params, Query, Views, roles},
    problem::Code,
    view::{Number, Time, words},
};

/// Over which time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodParams {
    /// Its first instant.
    pub(super) from: Option<Time>,
    /// The first instant after it; at most 366 days after `from`.
    pub(super) to: Option<Time>,
}

impl Params for PeriodParams {}

/// What model calls cost. Realised cost only.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Costs)]
pub(super) struct CostsView {
    /// Always `USD`.
    currency: &'static str,
    period: PeriodView,
    actuals: ActualsView,
    /// Every budget in force, each with what is used of it in its own window now, newest first.
    limits: Vec<BudgetView>,
    violations: ViolationsView,
}

/// A time, by when a call was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostPeriod)]
pub(super) struct PeriodView {
    start: Time,
    /// The first instant after it.
    end: Time,
}

impl From<Period> for PeriodView {
    fn from(period: Period) -> Self {
        Self { start: period.from.into(), end: period.until.into() }
    }
}

/// What was spent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostActuals)]
struct ActualsView {
    /// What is known of the cost of the model calls.
    llm_run_cost: Number,
    /// False where some call's cost is known to nobody, or a span that came late left it in doubt.
    cost_known: bool,
    /// How many model calls there were.
    llm_runs: u64,
    /// How many of them have an unknown cost, and how many spans that came late left what was used in doubt.
    llm_runs_of_unknown_cost: u64,
}

/// A budget, in its own unit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostLimit)]
struct BudgetView {
    limit_id: String,
    name: String,
    #[schema(value_type = words::LimitCategory)]
    category: &'static str,
    #[schema(value_type = words::LimitType)]
    limit_type: &'static str,
    #[schema(value_type = words::BudgetUnit)]
    unit: &'static str,
    max_value: Number,
    used_value: Number,
    /// Never below 0.
    remaining_value: Number,
    /// Below 80 %, from 80 %, above the cap.
    #[schema(value_type = words::BudgetStatus)]
    status: &'static str,
}

/// How budgets on cost were passed in the period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CostViolations)]
struct ViolationsView {
    /// One for each limit, window and run.
    breach_count: u64,
    /// In USD: each limit and window once, by the worst of its breaches.
    total_overage: Number,
}

impl From<Costs> for CostsView {
    fn from(costs: Costs) -> Self {
        let Costs { period, spent, limits, violations } = costs;
        Self {
            currency: "USD",
            period: period.into(),
            actuals: ActualsView {
                llm_run_cost: Number::usd(spent.cost_nanousd),
                cost_known: spent.unknown == 0,
                llm_runs: spent.calls,
                llm_runs_of_unknown_cost: spent.unknown,
            },
            limits: limits.into_iter().map(BudgetView::from).collect(),
            violations: ViolationsView {
                breach_count: violations.breaches,
                total_overage: Number::usd(violations.nanousd),
            },
        }
    }
}

impl From<Budget> for BudgetView {
    fn from(budget: Budget) -> Self {
        let number = |value| Number::of_limit(budget.unit == BudgetUnit::Usd, value);
        Self {
            category: budget.category.as_str(),
            limit_type: budget.limit_type.as_str(),
            unit: budget.unit.as_str(),
            max_value: number(budget.max_value),
            used_value: number(budget.used_value),
            remaining_value: number(budget.remaining_value),
            status: budget.status.as_str(),
            limit_id: budget.limit_id,
            name: budget.name,
        }
    }
}

/// Get what model calls cost, and how the budgets stand.
///
/// The period is the current month of the tenant's time zone, unless `from` or `to` say otherwise.
#[utoipa::path(get, path = "/costs", operation_id = "overview.costs", tag = "overview",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(PeriodParams),
    responses((status = 200, description = "The costs.", body = CostsView)))]
pub(super) async fn costs(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Query(PeriodParams { from, to }): Query<PeriodParams>,
) -> Result<Json<CostsView>, Problem> {
    let found = overview::costs(&spine, caller.context(), from.map(Into::into), to.map(Into::into)).await;
    Ok(Json(found.map_err(of_parameter)?.into()))
}

/// What is wrong with the period is wrong with a parameter.
pub(super) fn of_parameter(err: Error) -> Problem {
    match err {
        Error::Invalid(errors) => errors.into_iter().next().map_or_else(
            || Problem::new(Code::InvalidParameter, "the period is not valid"),
            |one| Problem::field(Code::InvalidParameter, one.pointer, one.message),
        ),
        other => other.into(),
    }
}
