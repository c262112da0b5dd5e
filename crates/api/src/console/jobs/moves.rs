//! What people do with jobs: they have one done, cancel it, put it back.

use axum::{extract::State, response::Redirect};
use models::ids::JobId;
use orchestrator::{
    Spine,
    handlers::jobs::{self, JobOrder},
};
use serde::Deserialize;

use crate::{
    Problem,
    console::{fields::Posted, visitor::Visitor},
    extract::{Handles, Id},
    view::words,
};

/// What somebody wants done, at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    kind: words::JobKind,
}

/// Why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    reason: Option<String>,
}

/// `POST /console/jobs`.
pub(crate) async fn create(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Posted(order): Posted<Order>,
) -> Result<Redirect, Problem> {
    let order = JobOrder { kind: order.kind.known(), run_at: None };
    let job = jobs::create(&spine, visitor.context(), order).await?;
    Ok(Redirect::to(&format!("/console/jobs/{}", job.id)))
}

/// `POST /console/jobs/{id}/cancel`.
pub(crate) async fn cancel(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<JobId>,
    Posted(given): Posted<Reason>,
) -> Result<Redirect, Problem> {
    jobs::cancel(&spine, visitor.context(), id, given.reason).await?;
    Ok(Redirect::to(&format!("/console/jobs/{id}")))
}

/// `POST /console/jobs/{id}/requeue`.
pub(crate) async fn requeue(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<JobId>,
    Posted(given): Posted<Reason>,
) -> Result<Redirect, Problem> {
    jobs::requeue(&spine, visitor.context(), id, given.reason).await?;
    Ok(Redirect::to(&format!("/console/jobs/{id}")))
}
