//! What people stopped: kills and freezes, who asked for them and why, and who let it go on.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::activity::{Intervention, InterventionFilter};
use orchestrator::{
    Spine,
    handlers::activity::{self, Stopped},
};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        fields::Listed,
        folds::Folds as _,
        links,
        page::Page,
        select::Select,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::Views,
    view::words::{self, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    state: Option<words::InterventionState>,
    target_type: Option<words::InterventionTarget>,
    target_id: Option<String>,
}

#[derive(Template)]
#[template(path = "stopped.html")]
pub(crate) struct StoppedPage {
    title: &'static str,
    frame: Frame,
    selects: Vec<Select>,
    target_id: String,
    rows: Vec<Row>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
}

struct Row {
    kind: Badge,
    /// What it was aimed at, and where that is to be seen.
    target: String,
    path: String,
    effect: String,
    asked: Act,
    /// Why the other half is empty, where it is.
    holds: &'static str,
    lifted: Option<Act>,
}

/// One half of the story.
struct Act {
    by: String,
    reason: Option<String>,
    at: Moment,
}

/// `GET /console/policies/stopped`.
pub(crate) async fn stopped(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<StoppedPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let wanted = InterventionFilter {
        state: known(filter.state),
        target_type: known(filter.target_type),
        target_id: filter.target_id.clone(),
    };
    let found = activity::list_interventions(&spine, visitor.context(), wanted, page).await?;
    let selects = vec![
        Select::of("state", "State", filter.state),
        Select::of("target_type", "Aimed at", filter.target_type),
    ];
    let target_id = filter.target_id.unwrap_or_default();
    let typed = [("target_id", target_id.as_str())];
    Ok(Page(StoppedPage {
        title: "Kills and freezes",
        frame: visitor.frame.clone(),
        filtered: !links::list(&selects, &typed, None).is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &typed, Some(cursor))),
        is_first,
        selects,
        target_id,
        rows: found.items.into_iter().map(|one| row(one, now)).collect(),
    }))
}

fn row(stopped: Stopped, now: DateTime<Utc>) -> Row {
    let Stopped { intervention, state, lifted, runs_met } = stopped;
    let is_kill = intervention.kind.as_str() == "KILL";
    let (target, path) = match (&intervention.target_id, is_kill) {
        (None, _) => ("all agents".to_owned(), "/console/activity/runs".to_owned()),
        (Some(run), true) => (show::short_id(run), format!("/console/activity/runs/{run}")),
        (Some(agent), false) => {
            (agent.clone(), format!("/console/activity/runs?{}", links::query([("agent_id", agent.clone())])))
        }
    };
    let effect = match (is_kill, runs_met) {
        (true, 0) => "the run had ended by itself".to_owned(),
        (true, _) => "ended the run".to_owned(),
        (false, 0) => "refused nothing".to_owned(),
        (false, 1) => "refused something to 1 run".to_owned(),
        (false, met) => format!("refused something to {} runs", show::count(met)),
    };
    Row {
        kind: Badge::toned(intervention.kind.as_str(), if is_kill { "bad" } else { "info" }),
        target,
        path,
        effect,
        holds: match (state.as_str(), is_kill) {
            (_, true) => "for good",
            ("IN_FORCE", false) => "in force",
            _ => "lifted; by whom was not kept then",
        },
        lifted: lifted.map(|end| act(end, now)),
        asked: act(intervention, now),
    }
}

fn act(intervention: Intervention, now: DateTime<Utc>) -> Act {
    Act {
        by: intervention.actor_id.unwrap_or_else(|| intervention.actor_type.as_str().to_owned()),
        reason: intervention.reason,
        at: Moment::of(intervention.requested_at, now),
    }
}
