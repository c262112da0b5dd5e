//! `GET /{id}/events`: a job, as it goes on.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use models::ids::JobId;
use orchestrator::{
    Error, Spine,
    handlers::jobs::{self, JobEvent, JobEvents, JobPlace},
};

use super::view::{JobEventView, JobView};
use crate::{
    Problem,
    extract::{Caller, Id, LastEventId, Views, roles},
    problem::Code,
    view::stream::{self, Follow, Said},
};

/// The id of a job's last event.
const END: &str = "end";

/// Follow a job: what happens to it, how far it is, then how it ended. Server-sent events.
///
/// `event` (its id is its place in the chain) is an event as the job's detail shows it; `progress` is the job as it
/// stands, where it is further on; `ended` is the last, with the id `end`: a job that comes round again for ever has
/// none. A stream that broke goes on behind `Last-Event-ID`, at any replica; behind `end` there is nothing: 204.
#[utoipa::path(get, path = "/{id}/events", operation_id = "jobs.events", tag = "jobs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(
        ("id" = String, Path, description = "The job."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the reader has."),
    ),
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The reader has the last one.")))]
pub(super) async fn events(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    Id(id): Id<JobId>,
    LastEventId(last): LastEventId,
) -> Result<Response, Problem> {
    let from = match last.as_deref() {
        None => JobPlace::Beginning,
        Some(END) => JobPlace::End,
        Some(seq) => JobPlace::Event(seq.parse().map_err(|_| {
            Problem::new(Code::InvalidHeader, "Last-Event-ID is not one that this stream gave")
        })?),
    };
    let Some(following) = jobs::events(&spine, caller.context(), id, from).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Ok(stream::of(following))
}

impl Follow for JobEvents {
    async fn said(&mut self) -> Result<Option<Said>, Error> {
        Ok(self.next().await?.map(said))
    }
}

fn said(event: JobEvent) -> Said {
    match event {
        JobEvent::Happened(event) => {
            let id = event.seq.to_string();
            Said::new("event", id, &JobEventView::from(*event))
        }
        JobEvent::Progress(job, seq) => Said::new("progress", seq.to_string(), &JobView::from(*job)),
        JobEvent::Ended(job) => Said::new("ended", END.to_owned(), &JobView::from(*job)),
    }
}
