//! `GET /runs/{run_id}/events`: a run, as it goes on.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use models::ids::RunId;
use orchestrator::{
    Error, Spine,
    handlers::activity::{self, RunEvent, RunEvents, RunPlace},
};

use super::{intervention_view::InterventionView, run_view::RunView, step_view::StepView};
use crate::{
    Problem,
    extract::{Caller, Id, LastEventId, ReadsRuns, roles},
    problem::Code,
    view::stream::{self, Follow, Said},
};

/// The id of a run's last event.
const END: &str = "end";

/// Follow a run: its steps as they are recorded, then how it ended. Server-sent events.
///
/// `step` (its id is the step's index) is a step as the list of steps shows it; `killed` and `ended` are the last, with
/// the id `end`. `killed` is for the run's agent: it must stop; when its own stream has taken it, the kill is ACKED. A
/// stream that broke goes on behind `Last-Event-ID`, at any replica; behind a step that is not there yet it goes on
/// from now, and behind `end` there is nothing: 204.
#[utoipa::path(get, path = "/runs/{run_id}/events", operation_id = "activity.events", tag = "activity",
    extensions(("x-roles" = json!(roles::<ReadsRuns>()))),
    params(
        ("run_id" = String, Path, description = "The run."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the reader has."),
    ),
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The reader has the last one.")))]
pub(super) async fn events(
    State(spine): State<Spine>,
    caller: Caller<ReadsRuns>,
    Id(run): Id<RunId>,
    LastEventId(last): LastEventId,
) -> Result<Response, Problem> {
    let from = match last.as_deref() {
        None => RunPlace::Beginning,
        Some(END) => RunPlace::End,
        Some(index) => RunPlace::Step(index.parse().map_err(|_| {
            Problem::new(Code::InvalidHeader, "Last-Event-ID is not one that this stream gave")
        })?),
    };
    let Some(following) = activity::events(&spine, caller.context(), run, from).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Ok(stream::of(following))
}

impl Follow for RunEvents {
    async fn said(&mut self) -> Result<Option<Said>, Error> {
        Ok(self.next().await?.map(said))
    }
}

fn said(event: RunEvent) -> Said {
    match event {
        RunEvent::Step(step) => {
            let id = step.step.record.step_index.to_string();
            Said::new("step", id, &StepView::from(*step))
        }
        RunEvent::Killed(kill, run) => {
            let told =
                serde_json::json!({ "kill": InterventionView::from(*kill), "run": RunView::from(*run) });
            Said::new("killed", END.to_owned(), &told)
        }
        RunEvent::Ended(run) => {
            Said::new("ended", END.to_owned(), &serde_json::json!({ "run": RunView::from(*run) }))
        }
    }
}
