//! The costs on Overview: by day as bars, by model and by agent as lines, and the budgets.

use chrono::{DateTime, Utc};
use models::overview::Spent;
use orchestrator::handlers::overview::{Budget, BudgetUnit, Costs, DayOfTrend, Trend};

use crate::console::show::{self, Badge};

/// The height of the chart, in its own units.
const HEIGHT: u64 = 100;
/// How wide a day's bar is at most.
const WIDEST: u64 = 36;
/// Its width.
const WIDTH: u64 = 960;
/// How many models, agents and budgets are shown at once; the rest opens below them.
const SHOWN: usize = 5;

/// What the costs are shown by.
pub(super) struct CostsShown {
    /// The month that all of it is of, and the zone whose month it is.
    pub(super) month: String,
    pub(super) zone: String,
    pub(super) cost: String,
    pub(super) calls: String,
    /// How many calls have a cost that nobody knows.
    pub(super) unknown: Option<String>,
    pub(super) days: Vec<Day>,
    pub(super) dearest_day: String,
    pub(super) first_day: String,
    pub(super) last_day: String,
    pub(super) models: Shares,
    pub(super) agents: Shares,
    pub(super) budgets: Vec<Gauge>,
    pub(super) more_budgets: usize,
}

/// The dearest models, or agents, and the others.
pub(super) struct Shares {
    pub(super) first: Vec<Line>,
    pub(super) others: Vec<Line>,
    /// There are more than the API gives at once.
    pub(super) cut: bool,
}

/// A day of the chart.
pub(super) struct Day {
    pub(super) x: u64,
    /// Where what can be pointed at begins.
    pub(super) hit: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) pitch: u64,
    pub(super) height: u64,
    pub(super) name: String,
}

/// A model or an agent: its share of what is dearest.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) width: u64,
    pub(super) cost: String,
    pub(super) tokens: String,
}

/// A budget and how much of it is used.
pub(super) struct Gauge {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) text: String,
    pub(super) width: u64,
    pub(super) tone: &'static str,
    pub(super) status: Badge,
}

/// None where no model was called this month, and there is no budget.
pub(super) fn shown(costs: Costs, mut trend: Trend, now: DateTime<Utc>, zone: &str) -> Option<CostsShown> {
    trend.by_day.retain(|day| day.day <= now.date_naive());
    let called = trend.by_day.iter().any(|day| day.spent.calls > 0);
    if !called && costs.limits.is_empty() {
        return None;
    }
    let name =
        |day: Option<&DayOfTrend>| day.map(|day| day.day.format("%-d %b").to_string()).unwrap_or_default();
    let dearest = trend.by_day.iter().map(|day| day.spent.cost_nanousd).max().unwrap_or_default();
    let model = |provider: Option<String>, model: Option<String>| match (provider, model) {
        (Some(provider), Some(model)) => format!("{model} · {provider}"),
        (one, other) => other.or(one).unwrap_or_else(|| "unknown model".to_owned()),
    };
    let budgets = costs.limits.len();
    // A month begins at another hour elsewhere: its middle is in it everywhere.
    let middle = costs.period.from + (costs.period.until - costs.period.from) / 2;
    Some(CostsShown {
        month: middle.format("%B %Y").to_string(),
        zone: zone.to_owned(),
        cost: show::cost(costs.spent.cost_nanousd, costs.spent.unknown == 0),
        calls: show::count(costs.spent.calls),
        unknown: (costs.spent.unknown > 0).then(|| show::count(costs.spent.unknown)),
        dearest_day: show::usd(dearest),
        first_day: name(trend.by_day.first()),
        last_day: name(trend.by_day.last()),
        days: days(&trend, dearest),
        models: shares(
            trend.by_model.into_iter().map(|of| (model(of.provider, of.model), of.spent)).collect(),
            trend.more_models,
        ),
        agents: shares(
            trend.by_agent.into_iter().map(|of| (of.agent_id, of.spent)).collect(),
            trend.more_agents,
        ),
        more_budgets: budgets.saturating_sub(SHOWN),
        budgets: costs.limits.into_iter().take(SHOWN).map(gauge).collect(),
    })
}

fn days(trend: &Trend, dearest: u64) -> Vec<Day> {
    let pitch = WIDTH / (trend.by_day.len() as u64).max(1);
    let width = pitch.saturating_sub(6).clamp(1, WIDEST);
    let day = |(at, day): (u64, &DayOfTrend)| {
        let spent = day.spent;
        // A day with calls is seen, however little they cost.
        let least = if spent.calls > 0 { 2 } else { 0 };
        let height = share(spent.cost_nanousd, dearest, HEIGHT).max(least);
        Day {
            x: at * pitch + (pitch - width.min(pitch)) / 2,
            hit: at * pitch,
            y: HEIGHT - height,
            width,
            pitch,
            height,
            name: format!(
                "{}: {}, {} tokens, {} calls",
                day.day,
                show::cost(spent.cost_nanousd, spent.unknown == 0),
                show::count(spent.input_tokens + spent.output_tokens),
                show::count(spent.calls)
            ),
        }
    };
    (0..).zip(&trend.by_day).map(day).collect()
}

fn shares(all: Vec<(String, Spent)>, cut: bool) -> Shares {
    let dearest = all.iter().map(|(_, spent)| spent.cost_nanousd).max().unwrap_or_default();
    let line = |(name, spent): (String, Spent)| Line {
        name,
        width: share(spent.cost_nanousd, dearest, 100),
        cost: show::cost(spent.cost_nanousd, spent.unknown == 0),
        tokens: show::count(spent.input_tokens + spent.output_tokens),
    };
    let mut first: Vec<Line> = all.into_iter().map(line).collect();
    let others = first.split_off(first.len().min(SHOWN));
    Shares { first, others, cut }
}

fn gauge(budget: Budget) -> Gauge {
    let status = budget.status.as_str();
    let amount = |value: u64| match budget.unit {
        BudgetUnit::Usd => show::usd(value),
        unit => format!("{} {}", show::count(value), unit.as_str().to_lowercase()),
    };
    Gauge {
        text: format!("{} of {}", amount(budget.used_value), amount(budget.max_value)),
        width: share(budget.used_value, budget.max_value, 100).min(100),
        tone: match status {
            "OK" => "good",
            "NEAR_THRESHOLD" => "warn",
            _ => "bad",
        },
        status: Badge::of(status),
        path: format!("/console/policies/limits/{}", budget.limit_id),
        name: budget.name,
    }
}

/// `part` of `whole`, as so much of `of`.
fn share(part: u64, whole: u64, of: u64) -> u64 {
    u64::try_from(u128::from(part) * u128::from(of) / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}
