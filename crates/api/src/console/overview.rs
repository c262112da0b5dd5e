//! Overview: is the system okay right now, and what waits for a person?

mod costs;
mod decisions;

use askama::Template;
use axum::{extract::State, response::Redirect};
use models::{
    activity::{Run, RunFilter},
    page::PageRequest,
};
use orchestrator::{
    Spine,
    handlers::{
        activity,
        overview::{self, DecisionCounts, Priority},
    },
};

pub(super) use self::decisions::decisions;
use self::{
    costs::CostsShown,
    decisions::{Decision, shown},
};
use super::{
    folds::Folds as _,
    frozen::Frozen,
    page::Page,
    show::{self, Badge, Moment},
    visitor::{Frame, Visitor},
};
use crate::{
    Problem,
    extract::{Anyone, Handles, Views},
    problem::Code,
};

/// How many runs the chart has.
const CHARTED: u64 = 48;
/// How many decisions are listed: the most urgent.
const LISTED: u64 = 10;
/// The height of the chart, in its own units.
const HEIGHT: u64 = 100;
/// How far one bar is from the next.
const PITCH: u64 = 20;

#[derive(Template)]
#[template(path = "overview.html")]
pub(super) struct OverviewPage {
    title: &'static str,
    frame: Frame,
    pulse: Badge,
    because: String,
    /// Spans that could not be recorded, where there are any.
    rejected: Option<String>,
    /// How many of what waits are critical, and how many high; those that there are.
    urgent: Vec<String>,
    numbers: Vec<Number>,
    decisions: Vec<Decision>,
    waiting: u64,
    /// How many of them are on another page.
    more: u64,
    may_acknowledge: bool,
    costs: Option<CostsShown>,
    bars: Vec<Bar>,
    most_steps: String,
    last_activity: Option<Moment>,
    /// Who is frozen.
    frozen: Option<String>,
}

/// One of the pulse's numbers.
struct Number {
    name: &'static str,
    value: String,
    tone: &'static str,
    path: &'static str,
}

/// A run in the chart.
struct Bar {
    x: u64,
    y: u64,
    height: u64,
    tone: &'static str,
    path: String,
    name: String,
}

/// `GET /console`: the page that the role begins with.
pub(super) async fn first(visitor: Visitor<Anyone>) -> Redirect {
    Redirect::to(Frame::first_page(visitor.context().role))
}

/// `GET /console/overview`.
pub(super) async fn overview(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
) -> Result<Page<OverviewPage>, Problem> {
    let now = spine.now();
    let found = overview::highlights(&spine, visitor.context()).await?;
    let waiting = overview::decisions(&spine, visitor.context(), first_of(LISTED)?).await?;
    let runs =
        activity::list(&spine, visitor.context(), RunFilter::default(), first_of(CHARTED)?).await?.items;
    let counts = overview::decisions_count(&spine, visitor.context()).await?;
    let frozen = Frozen::now(&spine, visitor.context()).await?;
    let costs = overview::costs(&spine, visitor.context(), None, None).await?;
    // The same time, so that the parts of the card add up.
    let (from, until) = (costs.period.from, costs.period.until);
    let trend = overview::costs_trend(&spine, visitor.context(), Some(from), Some(until)).await?;
    let pulse = found.pulse;
    let toned = |value: u64, tone: &'static str| if value > 0 { tone } else { "mute" };
    let number = |name, value: u64, tone, path| Number { name, value: show::count(value), tone, path };
    let most = runs.iter().map(|run| run.step_count).max().unwrap_or_default();
    Ok(Page(OverviewPage {
        title: "Overview",
        frame: visitor.frame.clone(),
        because: because(pulse.status.as_str()).to_owned(),
        pulse: Badge::of(pulse.status.as_str()),
        numbers: vec![
            number(
                "Active incidents",
                pulse.active_incidents,
                toned(pulse.active_incidents, "bad"),
                "/console/incidents?topic=ACTIVE",
            ),
            number(
                "Pending decisions",
                pulse.pending_decisions,
                toned(pulse.pending_decisions, "warn"),
                "/console/overview/decisions",
            ),
            number(
                "Breaches in 24 h",
                pulse.recent_breaches,
                toned(pulse.recent_breaches, "warn"),
                "/console/policies/limits",
            ),
            number(
                "Live runs",
                pulse.live_runs,
                toned(pulse.live_runs, "info"),
                "/console/activity/runs?state=LIVE",
            ),
        ],
        rejected: rejected(pulse.rejected_spans),
        urgent: urgent(&counts),
        waiting: waiting.total.unwrap_or(waiting.items.len() as u64),
        more: waiting.total.unwrap_or_default().saturating_sub(waiting.items.len() as u64),
        may_acknowledge: visitor.may::<Handles>(),
        decisions: waiting.items.iter().map(|decision| shown(decision, now)).collect(),
        costs: costs::shown(costs, trend, now, &visitor.context().tenant.time_zone),
        bars: bars(&runs, most),
        most_steps: show::count(most),
        frozen: frozen.line(),
        last_activity: found.last_activity_at.map(|at| Moment::of(at, now)),
    }))
}

fn first_of(limit: u64) -> Result<PageRequest, Problem> {
    PageRequest::new(Some(limit), None, false)
        .map_err(|err| Problem::new(Code::InvalidParameter, err.to_string()))
}

/// Spans of exporters that were rejected, in words.
fn rejected(spans: u64) -> Option<String> {
    match spans {
        0 => None,
        1 => Some("1 span of an exporter".to_owned()),
        _ => Some(format!("{} spans of exporters", show::count(spans))),
    }
}

/// What of it is not to wait.
fn urgent(counts: &DecisionCounts) -> Vec<String> {
    let of = |priority: Priority| {
        let count = counts.by_priority.get(&priority).copied().unwrap_or_default();
        (count > 0).then(|| format!("{} {}", show::count(count), priority.as_str().to_lowercase()))
    };
    [Priority::Critical, Priority::High].into_iter().filter_map(of).collect()
}

fn because(status: &str) -> &'static str {
    match status {
        "CRITICAL" => "An active incident is critical or high.",
        "ATTENTION_NEEDED" => "Something waits for a decision, or a limit was passed in the last 24 hours.",
        _ => "No active incident, nothing to decide, no breach in the last 24 hours.",
    }
}

/// The runs as bars, the newest at the right: as high as they have steps, and each as bad as its risk.
fn bars(runs: &[Run], most: u64) -> Vec<Bar> {
    let free = CHARTED - runs.len() as u64;
    let bar = |(at, run): (usize, &Run)| {
        let height = (run.step_count * HEIGHT / most.max(1)).max(3);
        let risk = run.risk_level.as_str();
        Bar {
            x: (free + at as u64) * PITCH,
            y: HEIGHT - height,
            height,
            tone: match risk {
                "NORMAL" => "good",
                "NEAR_THRESHOLD" => "near",
                "VIOLATED" => "bad",
                _ => "warn",
            },
            path: format!("/console/activity/runs/{}", run.id),
            name: format!(
                "{}: {}, {} refused, {}, {risk}",
                run.agent_id,
                show::counted(run.step_count, "step"),
                run.refused_count,
                run.status.as_str()
            ),
        }
    };
    runs.iter().rev().enumerate().map(bar).collect()
}
