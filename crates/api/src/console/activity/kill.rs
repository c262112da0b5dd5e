//! What people did to a run, with what is known of its effect, and the form that kills one.

use axum::{extract::State, response::Redirect};
use chrono::{DateTime, Utc};
use models::{
    activity::{Ack, AckVia, Intervention, InterventionOutcome},
    ids::RunId,
};
use orchestrator::{
    Spine,
    handlers::activity::{self, InterventionView},
};
use serde::Deserialize;

use crate::{
    Problem,
    console::{
        fields::Posted,
        show::{self, Badge, Moment},
        visitor::Visitor,
    },
    extract::{Handles, Id},
};

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    reason: Option<String>,
}

/// One act of a person.
pub(super) struct Act {
    pub(super) what: Badge,
    /// Never more than is known.
    pub(super) outcome: Badge,
    pub(super) by: String,
    pub(super) reason: Option<String>,
    pub(super) at: Moment,
    /// What came of it, in words.
    pub(super) says: String,
}

/// `POST /console/activity/runs/{run_id}/kill`.
pub(crate) async fn kill(
    State(spine): State<Spine>,
    visitor: Visitor<Handles>,
    Id(id): Id<RunId>,
    Posted(given): Posted<Why>,
) -> Result<Redirect, Problem> {
    activity::kill(&spine, visitor.context(), id, given.reason).await?;
    Ok(Redirect::to(&format!("/console/activity/runs/{id}#interventions")))
}

/// `reported` is whether the run is a trace.
pub(super) fn shown(view: InterventionView, reported: bool, now: DateTime<Utc>) -> Act {
    let InterventionView { intervention, outcome, ack } = view;
    let says = came_of_it(&intervention, outcome, ack.as_ref(), reported);
    let kind = intervention.kind.as_str();
    Act {
        what: Badge::toned(kind, if kind == "KILL" { "bad" } else { "warn" }),
        outcome: Badge::toned(
            outcome.as_str(),
            match outcome {
                InterventionOutcome::Acked => "good",
                InterventionOutcome::Unacked => "warn",
                InterventionOutcome::Ended => "mute",
            },
        ),
        by: intervention.actor_id.unwrap_or_else(|| intervention.actor_type.as_str().to_owned()),
        reason: intervention.reason,
        at: Moment::of(intervention.requested_at, now),
        says,
    }
}

fn came_of_it(act: &Intervention, outcome: InterventionOutcome, ack: Option<&Ack>, reported: bool) -> String {
    let holds = match (act.kind.as_str(), act.target_type.as_str()) {
        ("KILL", _) if reported => "Spans that its tracer still sends are recorded as late ones.",
        ("KILL", _) => "Nothing that its agent sends is stored any more.",
        (_, "TENANT") => "The tenant is frozen: what it asked was refused.",
        _ => "Its agent is frozen: what it asked was refused.",
    };
    match (outcome, ack) {
        (InterventionOutcome::Ended, _) => "The run had ended already: nothing was stopped.".to_owned(),
        (InterventionOutcome::Acked, Some(ack)) => {
            let waited = (ack.acked_at - act.requested_at).num_milliseconds();
            let how = match ack.via {
                AckVia::Call => "the answer to its call",
                AckVia::Stream => "its open stream",
            };
            let waited = show::duration(u64::try_from(waited).unwrap_or_default());
            format!("{holds} The agent knows: {how} told it, {waited} after the request.")
        }
        _ if reported => {
            format!("{holds} Nobody knows whether the agent stopped: an exporter is told nothing.")
        }
        _ => format!("{holds} Nobody knows yet whether the agent stopped: its next call will tell it."),
    }
}
