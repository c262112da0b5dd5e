//! One job: how far it is, and what happened to it.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::{
    ids::JobId,
    jobs::{Job, JobAuditEvent, JobAuditEventType, JobState},
};
use orchestrator::{
    Spine,
    handlers::jobs::{self, JobDetail},
};

use super::state::state;
use crate::{
    Problem,
    console::{
        activity::Fact,
        folds::Folds as _,
        page::Page,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Handles, Id, Views},
};

#[derive(Template)]
#[template(path = "job.html")]
pub(crate) struct JobPage {
    title: &'static str,
    frame: Frame,
    id: String,
    state: Badge,
    stage: &'static str,
    percentage: u64,
    eta: Option<Moment>,
    error: Option<String>,
    facts: Vec<Fact>,
    timeline: Vec<Event>,
    /// How many events before those are not told here.
    untold: Option<String>,
    may_cancel: bool,
    may_requeue: bool,
}

struct Event {
    what: &'static str,
    tone: &'static str,
    actor: String,
    attempt: u64,
    note: Option<String>,
    at: Moment,
}

/// `GET /console/jobs/{id}`.
pub(crate) async fn get(
    State(spine): State<Spine>,
    visitor: Visitor<Views>,
    Id(id): Id<JobId>,
) -> Result<Page<JobPage>, Problem> {
    let now = spine.now();
    let JobDetail { job, events, .. } = jobs::get(&spine, visitor.context(), id).await?;
    let handles = visitor.may::<Handles>();
    let is_cancellable = !job.state.is_over() && (job.standing.is_none() || job.state == JobState::Running);
    let is_requeueable = job.state.is_over() && job.state != JobState::Succeeded;
    let untold = job.events.saturating_sub(events.len() as u64);
    Ok(Page(JobPage {
        title: job.kind.as_str(),
        frame: visitor.frame.clone(),
        id: job.id.to_string(),
        state: state(&job),
        stage: job.stage.as_str(),
        percentage: job.percentage,
        eta: job.eta_at.map(|at| Moment::of(at, now)),
        facts: facts(&job, now),
        timeline: events.into_iter().map(|event| shown(event, now)).collect(),
        untold: (untold > 0).then(|| show::counted(untold, "earlier event")),
        may_cancel: handles && is_cancellable,
        may_requeue: handles && is_requeueable,
        error: job.error,
    }))
}

fn facts(job: &Job, now: DateTime<Utc>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    let mut when = |name, at: Option<DateTime<Utc>>| {
        if let Some(at) = at {
            fact(name, Moment::of(at, now).exact);
        }
    };
    let (until, due) = match job.state {
        JobState::Running => (job.due_at, None),
        _ => (None, job.due_at),
    };
    when("Created", Some(job.created_at));
    when("Due", due);
    when("Began last", job.started_at);
    when("Its server has it until", until);
    when("Over", job.finished_at);
    if let Some(owner) = &job.lease_owner {
        fact("Server", owner.clone());
    }
    fact("Attempts", show::count(job.attempts));
    fact("Created by", job.created_by.clone());
    if let Some(name) = &job.standing {
        fact("Comes round again as", name.clone());
    }
    fact("Events", show::count(job.events));
    fact("Hash of the last", show::short_hash(&job.head.to_string()));
    facts
}

fn shown(event: JobAuditEvent, now: DateTime<Utc>) -> Event {
    let details: serde_json::Value =
        event.details.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let said = details["reason"].as_str().or_else(|| details["error"].as_str());
    Event {
        what: event.event_type.as_str(),
        tone: match event.event_type {
            JobAuditEventType::Completed => "good",
            JobAuditEventType::Retried => "warn",
            JobAuditEventType::Failed | JobAuditEventType::DeadLettered => "bad",
            _ => "mute",
        },
        actor: event.actor,
        attempt: event.attempt,
        note: said.map(str::to_owned),
        at: Moment::of(event.at, now),
    }
}
