//! What model calls cost, beside the budgets that are there to bound it. Realised cost only: nothing is foreseen, and
//! nothing is called saved.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use models::{
    overview::{Overage, Period, Spent},
    page::{ListCursor, PageRequest},
    policies::LimitFilter,
};
use proof::words::{LimitCategory, LimitStatus, LimitType};
use rules::{limits::NEAR_THRESHOLD_PERCENT, zone::Zone};

use crate::{
    context::CallContext,
    errors::Error,
    handlers::policies::{LimitView, list_limits},
    spine::Spine,
};

/// How many days a trend has where nobody says.
const DAYS: i64 = 30;
/// The longest period that is added up.
const LONGEST: Duration = Duration::days(366);
/// How many models, and how many agents, a trend names.
const MOST: u64 = 50;

proof::words! {
    /// Where a budget stands: below 80 %, from 80 %, above its cap.
    BudgetStatus { Ok = "OK", NearThreshold = "NEAR_THRESHOLD", Breached = "BREACHED" }

    /// What a budget counts.
    BudgetUnit { Usd = "USD", Tokens = "TOKENS", Steps = "STEPS", Calls = "CALLS" }
}

/// A budget in force, and what is used of it in the window that runs now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of PIN-413")]
pub struct Budget {
    pub limit_id: String,
    pub name: String,
    pub category: LimitCategory,
    pub limit_type: LimitType,
    pub unit: BudgetUnit,
    /// Nano-USD where the unit is USD, as the other two.
    pub max_value: u64,
    pub used_value: u64,
    pub remaining_value: u64,
    pub status: BudgetStatus,
}

/// The O2 of Cost Intelligence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Over which time.
    pub period: Period,
    /// What model calls used in it.
    pub spent: Spent,
    /// Every budget in force, newest first.
    pub limits: Vec<Budget>,
    /// How budgets on cost were passed in the period.
    pub violations: Overage,
}

/// What was used on one day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DayOfTrend {
    pub day: NaiveDate,
    pub spent: Spent,
}

/// What one model was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ModelOfTrend {
    pub provider: Option<String>,
    pub model: Option<String>,
    pub spent: Spent,
}

/// What one agent used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AgentOfTrend {
    pub agent_id: String,
    pub spent: Spent,
}

/// Cost and tokens, for the charts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    /// Over which time.
    pub period: Period,
    /// Every day of it, oldest first.
    pub by_day: Vec<DayOfTrend>,
    /// The dearest first, at most 50.
    pub by_model: Vec<ModelOfTrend>,
    /// There are more.
    pub more_models: bool,
    /// The dearest first, at most 50.
    pub by_agent: Vec<AgentOfTrend>,
    /// There are more.
    pub more_agents: bool,
}

/// `overview.costs`: what model calls cost in a period, by default the current month of the tenant's time zone, and how
/// its budgets stand now.
#[tracing::instrument(name = "overview.costs", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn costs(
    spine: &Spine,
    ctx: &CallContext,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<Costs, Error> {
    let zone = Zone::parse(&ctx.tenant.time_zone).unwrap_or(Zone::UTC);
    let period = period(from, until, zone.month(spine.now()))?;
    let store = spine.read().await?;
    let spent = store.overview().spent(ctx.tenant.id, period).await?;
    let violations = store.overview().overage(ctx.tenant.id, period).await?;
    drop(store);
    Ok(Costs { period, spent, limits: budgets(spine, ctx).await?, violations })
}

/// `overview.costs_trend`: cost and tokens by day, model and agent; by default of the last 30 days.
#[tracing::instrument(name = "overview.costs_trend", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn costs_trend(
    spine: &Spine,
    ctx: &CallContext,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<Trend, Error> {
    let tomorrow = midnight(spine.now().date_naive() + Days::new(1));
    let period = period(from, until, (tomorrow - Duration::days(DAYS), tomorrow))?;
    let (store, tenant) = (spine.read().await?, ctx.tenant.id);
    let by_day = store.overview().spent_by_day(tenant, period).await?;
    // The one too many only tells that there are more.
    let (by_model, more_models) = cut(store.overview().spent_by_model(tenant, period, MOST + 1).await?);
    let (by_agent, more_agents) = cut(store.overview().spent_by_agent(tenant, period, MOST + 1).await?);
    let model = |(provider, model, spent)| ModelOfTrend { provider, model, spent };
    Ok(Trend {
        period,
        by_day: every_day(period, &by_day),
        by_model: by_model.into_iter().map(model).collect(),
        more_models,
        by_agent: by_agent.into_iter().map(|(agent_id, spent)| AgentOfTrend { agent_id, spent }).collect(),
        more_agents,
    })
}

/// At most as many as are named, and whether there are more.
fn cut<T>(mut all: Vec<T>) -> (Vec<T>, bool) {
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let more = all.len() > most;
    all.truncate(most);
    (all, more)
}

/// What was asked for, else the default; one end alone keeps the other end of the default.
fn period(
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    default: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Period, Error> {
    let period = Period { from: from.unwrap_or(default.0), until: until.unwrap_or(default.1) };
    if period.from >= period.until {
        return Err(Error::invalid("/from", "must be before `to`"));
    }
    if period.until - period.from > LONGEST {
        return Err(Error::invalid("/from", "must be at most 366 days before `to`"));
    }
    Ok(period)
}

async fn budgets(spine: &Spine, ctx: &CallContext) -> Result<Vec<Budget>, Error> {
    let filter = LimitFilter {
        status: Some(LimitStatus::Active),
        limit_category: Some(LimitCategory::Budget),
        ..LimitFilter::default()
    };
    let (mut all, mut cursor): (Vec<Budget>, Option<ListCursor>) = (Vec::new(), None);
    loop {
        let after = cursor.map(|cursor| cursor.to_string());
        let page = PageRequest::new(Some(200), after.as_deref(), false)
            .map_err(|err| Error::Internal(err.to_string()))?;
        let found = list_limits(spine, ctx, filter.clone(), page).await?;
        all.extend(found.items.iter().map(budget));
        match found.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(all),
        }
    }
}

fn budget(view: &LimitView) -> Budget {
    let definition = &view.limit.definition;
    let (max, used) = (definition.max_value, view.used.unwrap_or_default());
    Budget {
        limit_id: definition.limit_id.clone(),
        name: definition.name.clone(),
        category: definition.limit_category,
        limit_type: definition.limit_type,
        unit: match definition.limit_type {
            LimitType::TokensTotal | LimitType::TokensInput | LimitType::TokensOutput => BudgetUnit::Tokens,
            LimitType::Steps => BudgetUnit::Steps,
            LimitType::ToolCalls => BudgetUnit::Calls,
            // No other type is a budget.
            _ => BudgetUnit::Usd,
        },
        max_value: max,
        used_value: used,
        remaining_value: max.saturating_sub(used),
        status: standing(used, max),
    }
}

fn standing(used: u64, max: u64) -> BudgetStatus {
    if used > max {
        BudgetStatus::Breached
    } else if u128::from(used) * 100 >= u128::from(max) * u128::from(NEAR_THRESHOLD_PERCENT) {
        BudgetStatus::NearThreshold
    } else {
        BudgetStatus::Ok
    }
}

/// The days of a period, those without a call too.
fn every_day(period: Period, found: &[(String, Spent)]) -> Vec<DayOfTrend> {
    let last = (period.until - Duration::microseconds(1)).date_naive();
    let days = period.from.date_naive().iter_days().take_while(|day| *day <= last);
    days.map(|day| {
        let text = day.format("%Y-%m-%d").to_string();
        let spent = found.iter().find(|(of, _)| *of == text).map(|(_, spent)| *spent);
        DayOfTrend { day, spent: spent.unwrap_or_default() }
    })
    .collect()
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        models::time::parse(text).expect("a time")
    }

    #[test]
    fn a_budget_is_near_from_80_percent_and_breached_above_its_cap() {
        let standings = [(0, 100), (79, 100), (80, 100), (100, 100), (101, 100)]
            .map(|(used, max)| standing(used, max).as_str());
        assert_eq!(standings, ["OK", "OK", "NEAR_THRESHOLD", "NEAR_THRESHOLD", "BREACHED"]);
    }

    #[test]
    fn every_day_of_the_period_is_there_once() {
        let period =
            Period { from: at("2026-02-27T12:00:00.000000Z"), until: at("2026-03-02T00:00:00.000000Z") };
        let spent = Spent { calls: 3, ..Spent::default() };
        let days = every_day(period, &[("2026-02-28".to_owned(), spent)]);
        let shown: Vec<_> = days.iter().map(|day| (day.day.to_string(), day.spent.calls)).collect();
        let expected = [("2026-02-27", 0), ("2026-02-28", 3), ("2026-03-01", 0)];
        assert_eq!(shown, expected.map(|(day, calls)| (day.to_owned(), calls)));
    }

    #[test]
    fn a_period_begins_before_it_ends_and_is_at_most_a_year() {
        let default = (at("2026-03-01T00:00:00.000000Z"), at("2026-04-01T00:00:00.000000Z"));
        assert_eq!(period(None, None, default).expect("the default").until, default.1);
        for from in ["2026-04-01T00:00:00.000000Z", "2025-03-01T00:00:00.000000Z"] {
            assert!(period(Some(at(from)), None, default).is_err(), "{from}");
        }
    }
}
