//! What model calls cost by day, model and agent.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use models::overview::{Period, Spent};

use super::period::period;
use crate::{context::CallContext, errors::Error, spine::Spine};

/// How many days a trend has where nobody says.
const DAYS: i64 = 30;
/// How many models, and how many agents, a trend names.
const MOST: usize = 50;

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
    let more = all.len() > MOST;
    all.truncate(MOST);
    (all, more)
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
    fn every_day_of_the_period_is_there_once() {
        let period =
            Period { from: at("2026-02-27T12:00:00.000000Z"), until: at("2026-03-02T00:00:00.000000Z") };
        let spent = Spent { calls: 3, ..Spent::default() };
        let days = every_day(period, &[("2026-02-28".to_owned(), spent)]);
        let shown: Vec<_> = days.iter().map(|day| (day.day.to_string(), day.spent.calls)).collect();
        let expected = [("2026-02-27", 0), ("2026-02-28", 3), ("2026-03-01", 0)];
        assert_eq!(shown, expected.map(|(day, calls)| (day.to_owned(), calls)));
    }
}
