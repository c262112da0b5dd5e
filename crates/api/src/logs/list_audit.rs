//! `GET /audit`: who decided what.

use axum::extract::State;
use models::logs::AuditFilter;
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::audit_view::AuditItem;
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles, run_of_filter},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the Audit Ledger. There is none by severity: every row counts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditParams {
    event_type: Option<words::AuditEventType>,
    entity_type: Option<words::AuditEntityType>,
    actor_type: Option<words::ActorType>,
    entity_id: Option<String>,
    /// Rows whose states name the run.
    run_id: Option<String>,
    created_after: Option<Time>,
    created_before: Option<Time>,
}

impl Params for AuditParams {}

impl AuditParams {
    fn filter(self) -> Result<AuditFilter, Problem> {
        Ok(AuditFilter {
            event_type: known(self.event_type),
            entity_type: known(self.entity_type),
            actor_type: known(self.actor_type),
            entity_id: self.entity_id,
            run_id: self.run_id.as_deref().map(run_of_filter).transpose()?,
            created_after: self.created_after.map(Into::into),
            created_before: self.created_before.map(Into::into),
        })
    }
}

/// List the Audit Ledger, newest first.
#[utoipa::path(get, path = "/audit", operation_id = "logs.list_audit", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(AuditParams, PageParams),
    responses((status = 200, description = "A page of governance actions.", body = PageView<AuditItem>)))]
pub(super) async fn list_audit(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<AuditParams>,
) -> Result<Json<PageView<AuditItem>>, Problem> {
    let page = logs::list_audit(&spine, caller.context(), filter.filter()?, page).await?;
    Ok(Json(page.into()))
}
