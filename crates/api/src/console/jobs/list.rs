//! The list of jobs.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::jobs::{Job, JobFilter, JobState};
use orchestrator::{Spine, handlers::jobs};
use serde::Deserialize;

use super::state::state;
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
    extract::{Handles, Views},
    view::words::{self, known},
};

/// The filters of the list, as its form has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    state: Option<words::JobState>,
    kind: Option<words::JobKind>,
}

#[derive(Template)]
#[template(path = "jobs.html")]
pub(crate) struct JobsPage {
    title: &'static str,
    frame: Frame,
    selects: Vec<Select>,
    jobs: Vec<Row>,
    /// What may be ordered; nothing for who may not.
    kinds: Vec<&'static str>,
    filtered: bool,
    older: Option<String>,
    is_first: bool,
}

struct Row {
    path: String,
    id: String,
    kind: &'static str,
    comes_again: bool,
    state: Badge,
    percentage: u64,
    /// When it is due, while it waits.
    due: Option<Moment>,
    error: Option<String>,
    at: Moment,
}

/// `GET /console/jobs`.
pub(crate) async fn list(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Listed { filter, page }: Listed<Filters>,
) -> Result<Page<JobsPage>, Problem> {
    let (now, is_first) = (spine.now(), page.cursor.is_none());
    let wanted = JobFilter { state: known(filter.state), kind: known(filter.kind) };
    let found = jobs::list(&spine, visitor.context(), wanted, page).await?;
    let selects = vec![Select::of("state", "State", filter.state), Select::of("kind", "Kind", filter.kind)];
    Ok(Page(JobsPage {
        title: "Jobs",
        frame: visitor.frame.clone(),
        filtered: !links::list(&selects, &[], None).is_empty(),
        older: found.next_cursor.map(|cursor| links::list(&selects, &[], Some(cursor))),
        is_first,
        selects,
        jobs: found.items.into_iter().map(|job| row(job, now)).collect(),
        kinds: if visitor.may::<Handles>() { words::JobKind::all() } else { Vec::new() },
    }))
}

fn row(job: Job, now: DateTime<Utc>) -> Row {
    let id = job.id.to_string();
    Row {
        path: format!("/console/jobs/{id}"),
        id: show::short_id(&id),
        kind: job.kind.as_str(),
        comes_again: job.standing.is_some(),
        state: state(&job),
        percentage: job.percentage,
        due: job.due_at.filter(|_| job.state != JobState::Running).map(|at| Moment::of(at, now)),
        error: job.error,
        at: Moment::of(job.created_at, now),
    }
}
