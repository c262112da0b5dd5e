//! Freezes: what is frozen now and what came of it, freezing an agent or all of them, and lifting that.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono::{DateTime, Utc};
use models::{
    bounds,
    page::{Page as Found, PageRequest},
};
use orchestrator::{
    Spine,
    handlers::policies::{self, FreezeView},
};
use serde::Deserialize;

use super::said;
use crate::{
    Problem,
    console::{
        fields::{Listed, Posted},
        folds::Folds as _,
        forms::{self, Field, Form},
        links,
        page::{Page, html},
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{NoParams, SetsPolicy, Views},
};

/// Where the page is.
const HERE: &str = "/console/policies/freezes";

/// Whom to freeze, and why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    agent_id: Option<String>,
    reason: Option<String>,
    /// All agents: it is said, never taken from an empty name.
    #[serde(default)]
    all: bool,
}

/// Whose freeze to lift: an agent's, or that of all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifted {
    agent_id: Option<String>,
    reason: Option<String>,
}

#[derive(Template)]
#[template(path = "freezes.html")]
pub(crate) struct FreezesPage {
    title: &'static str,
    frame: Frame,
    freezes: Vec<Row>,
    /// For who may freeze: an agent, and all of them where they are not.
    form: Option<Form>,
    may_freeze_all: bool,
    older: Option<String>,
    is_first: bool,
}

struct Row {
    /// None for all agents.
    agent: Option<String>,
    runs: Option<String>,
    by: String,
    reason: Option<String>,
    at: Moment,
    outcome: Badge,
    effect: String,
}

/// `GET /console/policies/freezes`.
pub(crate) async fn freezes(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { page, .. }: Listed<NoParams>,
) -> Result<Page<FreezesPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let found = policies::list_freezes(&spine, visitor.context(), page).await?;
    let form = visitor.may::<SetsPolicy>().then(|| form(&Asked::default()));
    Ok(Page(shown(visitor.frame.clone(), found, form, is_first, now)))
}

fn shown(
    frame: Frame,
    found: Found<FreezeView>,
    form: Option<Form>,
    is_first: bool,
    now: DateTime<Utc>,
) -> FreezesPage {
    let freezes: Vec<Row> = found.items.into_iter().map(|view| row(view, now)).collect();
    FreezesPage {
        title: "Freezes",
        frame,
        may_freeze_all: form.is_some() && is_first && freezes.iter().all(|freeze| freeze.agent.is_some()),
        form,
        freezes,
        older: found.next_cursor.map(|cursor| links::query([("cursor", cursor.to_string())])),
        is_first,
    }
}

fn row(view: FreezeView, now: DateTime<Utc>) -> Row {
    let (_, agent) = view.freeze.target();
    let live = |count: u64| {
        if count == 1 { "1 live run".to_owned() } else { format!("{} live runs", show::count(count)) }
    };
    let effect = match (view.live_runs, view.unacked_runs) {
        (0, _) => "No live run is left that it could stop; none begins.".to_owned(),
        (live_runs, 0) => format!("{}, and every agent of one knows.", live(live_runs)),
        (live_runs, unacked) => {
            format!(
                "{}; of {} nobody knows yet whether its agent stopped.",
                live(live_runs),
                show::count(unacked)
            )
        }
    };
    let met = match view.runs_met {
        0 => String::new(),
        1 => " 1 run was refused something.".to_owned(),
        met => format!(" {} runs were refused something.", show::count(met)),
    };
    let outcome = view.outcome.as_str();
    Row {
        runs: agent
            .as_ref()
            .map(|agent| format!("/console/activity/runs?{}", links::query([("agent_id", agent.clone())]))),
        agent,
        by: view.freeze.actor_id.unwrap_or_else(|| view.freeze.actor_type.as_str().to_owned()),
        reason: view.freeze.reason,
        at: Moment::of(view.freeze.requested_at, now),
        outcome: Badge::toned(
            outcome,
            match outcome {
                "ACKED" => "good",
                "UNACKED" => "warn",
                _ => "mute",
            },
        ),
        effect: format!("{effect}{met}"),
    }
}

fn form(given: &Asked) -> Form {
    let fields = vec![
        Field::line("agent_id", "Agent", given.agent_id.as_deref())
            .required()
            .hint("Exactly as its runs name it. It may begin no run, and its next step is refused."),
        Field::line("reason", "Reason", given.reason.as_deref())
            .longest(bounds::REASON)
            .required()
            .hint("Whoever meets the freeze is told."),
    ];
    Form {
        id: "freeze",
        action: HERE.to_owned(),
        submit: "Freeze the agent",
        fields,
        version: None,
        others: Vec::new(),
    }
}

/// `POST /console/policies/freezes`.
pub(crate) async fn freeze(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Posted(given): Posted<Asked>,
) -> Result<Response, Problem> {
    let form = form(&given);
    if given.agent_id.is_none() && !given.all {
        return again(
            &spine,
            &visitor,
            StatusCode::UNPROCESSABLE_ENTITY,
            form.with(vec![forms::needed("agent_id")]),
        )
        .await;
    }
    let agent_id = given.agent_id.filter(|_| !given.all);
    match policies::freeze(&spine, visitor.context(), agent_id, given.reason.unwrap_or_default()).await {
        Ok(_) => Ok(Redirect::to(HERE).into_response()),
        Err(err) => {
            let (status, form) = said::refused(err, form)?;
            again(&spine, &visitor, status, form).await
        }
    }
}

/// The page once more, with what is wrong.
async fn again(
    spine: &Spine,
    visitor: &Visitor<SetsPolicy>,
    status: StatusCode,
    form: Form,
) -> Result<Response, Problem> {
    let found = policies::list_freezes(spine, visitor.context(), PageRequest::default()).await?;
    Ok(html(status, &shown(visitor.frame.clone(), found, Some(form), true, spine.now())))
}

/// `POST /console/policies/freezes/lift`.
pub(crate) async fn unfreeze(
    State(spine): State<Spine>,
    visitor: Visitor<SetsPolicy>,
    Posted(given): Posted<Lifted>,
) -> Result<Redirect, Problem> {
    policies::unfreeze(&spine, visitor.context(), given.agent_id, given.reason).await?;
    Ok(Redirect::to(HERE))
}
