//! `GET /events`: the tenant's runs, as they begin and end.

use axum::{extract::State, response::Response};
use orchestrator::{
    Error, Spine,
    handlers::activity::{self, TenantEvent, TenantEvents},
};
use serde_json::json;

use crate::{
    Problem,
    extract::{Caller, LastEventId, ReadsRuns, roles},
    problem::Code,
    view::stream::{self, Follow, Said},
};

/// Follow the tenant's runs, an agent its own: each as it begins and as it is sealed. Server-sent events.
///
/// `opened`, `sealed`, `added` (something came to a sealed run) and `erased` (its texts were) are in the order of the
/// run log; their ids are its leaf indexes. It begins with what happens from
/// now on, or behind `Last-Event-ID`; behind one that the log does not have, from now on as well.
#[utoipa::path(get, path = "/events", operation_id = "activity.tenant_events", tag = "activity",
    extensions(("x-roles" = json!(roles::<ReadsRuns>()))),
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the reader has.")),
    responses((status = 200, description = "The events.", body = String, content_type = "text/event-stream")))]
pub(super) async fn tenant_events(
    State(spine): State<Spine>,
    caller: Caller<ReadsRuns>,
    LastEventId(last): LastEventId,
) -> Result<Response, Problem> {
    let refused = |_| Problem::new(Code::InvalidHeader, "Last-Event-ID is not one that this stream gave");
    let after = last.as_deref().map(str::parse).transpose().map_err(refused)?;
    let following = activity::tenant_events(&spine, caller.context(), after).await?;
    Ok(stream::of(following))
}

impl Follow for TenantEvents {
    async fn said(&mut self) -> Result<Option<Said>, Error> {
        Ok(self.next().await?.map(|(id, event)| said(id, event)))
    }
}

fn said(id: u64, event: TenantEvent) -> Said {
    let id = id.to_string();
    match event {
        TenantEvent::Opened { run_id, started_at } => {
            Said::new("opened", id, &json!({ "run_id": run_id.to_string(), "started_at": started_at }))
        }
        TenantEvent::Sealed { run_id, status, sealed_at } => {
            let (run_id, status) = (run_id.to_string(), status.as_str());
            Said::new("sealed", id, &json!({ "run_id": run_id, "status": status, "sealed_at": sealed_at }))
        }
        TenantEvent::Erased { run_id, erased_at } => {
            Said::new("erased", id, &json!({ "run_id": run_id.to_string(), "erased_at": erased_at }))
        }
        TenantEvent::Added { run_id, added_at } => {
            Said::new("added", id, &json!({ "run_id": run_id.to_string(), "added_at": added_at }))
        }
    }
}
