//! The list of runs.

use askama::Template;
use axum::extract::State;
use models::activity::{Run, RunFilter, RunState};
use orchestrator::{Spine, handlers::activity};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        fields::{Listed, When},
        folds::Folds as _,
        frozen::Frozen,
        links,
        page::Page,
        select::Select,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{ReadsRuns, Views},
    view::words::{self, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    state: Option<words::RunState>,
    status: Option<words::RunStatus>,
    risk: Option<bool>,
    risk_level: Option<words::RiskLevel>,
    agent_id: Option<String>,
    started_after: Option<When>,
    started_before: Option<When>,
}

#[derive(Template)]
#[template(path = "runs.html")]
pub(crate) struct RunsPage {
    title: &'static str,
    frame: Frame,
    topics: Vec<Topic>,
    selects: Vec<Select>,
    agent_id: String,
    started_after: String,
    started_before: String,
    runs: Vec<Row>,
    /// Who is frozen, for who may see more than runs.
    frozen: Option<String>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
}

/// A list that is one click away.
pub(crate) struct Topic {
    name: &'static str,
    query: &'static str,
    here: bool,
}

/// A run in the list.
struct Row {
    path: String,
    short_id: String,
    agent_id: String,
    goal: Option<String>,
    status: Badge,
    state: Badge,
    frozen: Option<Badge>,
    risk: Badge,
    steps: String,
    refused: u64,
    tokens: String,
    cost: String,
    duration: String,
    started: Moment,
}

/// `GET /console/activity/runs`.
pub(crate) async fn runs(
    State(spine): State<Spine>,
    visitor: Visitor<ReadsRuns>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<RunsPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let found = activity::list(&spine, visitor.context(), wanted(&filter), page).await?;
    let frozen = Frozen::now(&spine, visitor.context()).await?;
    let selects = vec![
        Select::of("state", "State", filter.state),
        Select::of("status", "Status", filter.status),
        Select::of("risk_level", "Risk", filter.risk_level),
    ];
    let [started_after, started_before] = [filter.started_after, filter.started_before].map(When::typed);
    let risk = filter.risk.map(|risk| risk.to_string()).unwrap_or_default();
    let agent_id = filter.agent_id.unwrap_or_default();
    let typed = [
        ("risk", risk.as_str()),
        ("agent_id", agent_id.as_str()),
        ("started_after", started_after.as_str()),
        ("started_before", started_before.as_str()),
    ];
    let current = links::list(&selects, &typed, None);
    let topic = |name, query| Topic { name, query, here: current == query };
    Ok(Page(RunsPage {
        title: "Runs",
        frame: visitor.frame.clone(),
        topics: vec![
            topic("All", ""),
            topic("Live", "state=LIVE"),
            topic("Completed", "state=COMPLETED"),
            topic("At risk", "risk=true"),
        ],
        filtered: !current.is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &typed, Some(cursor))),
        is_first,
        selects,
        agent_id,
        started_after,
        started_before,
        runs: found.items.into_iter().map(|run| row(run, &frozen, now)).collect(),
        frozen: frozen.line().filter(|_| visitor.may::<Views>()),
    }))
}

fn wanted(filters: &Filters) -> RunFilter {
    RunFilter {
        state: known(filters.state),
        status: known(filters.status),
        risk: filters.risk,
        risk_level: known(filters.risk_level),
        agent_id: filters.agent_id.clone(),
        started_after: filters.started_after.map(|when| when.0),
        started_before: filters.started_before.map(|when| when.0),
        ..RunFilter::default()
    }
}

fn row(run: Run, frozen: &Frozen, now: chrono::DateTime<chrono::Utc>) -> Row {
    let (id, totals) = (run.id.to_string(), run.totals());
    Row {
        path: format!("/console/activity/runs/{id}"),
        frozen: frozen.badge(&run.agent_id).filter(|_| run.state == RunState::Live),
        short_id: show::short_id(&id),
        agent_id: run.agent_id,
        goal: run.goal,
        status: Badge::of(run.status.as_str()),
        state: Badge::of(run.state.as_str()),
        risk: Badge::of(run.risk_level.as_str()),
        steps: show::count(totals.step_count),
        refused: run.refused_count,
        tokens: show::count(totals.input_tokens + totals.output_tokens),
        cost: show::cost(totals.cost_nanousd, totals.cost_known),
        duration: run.duration_ms.map_or_else(|| "running".to_owned(), show::duration),
        started: Moment::of(run.started_at, now),
    }
}
