//! `GET /system`: what happened to the tenant's keys and settings, and to the installation.

use axum::extract::State;
use models::logs::SystemFilter;
use orchestrator::{Spine, handlers::logs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{metadata_view::LoggedView, system_view::SystemView};
use crate::{
    Problem,
    extract::{Caller, Json, List, PageParams, Params, Views, roles},
    view::{
        PageView, Time,
        words::{self, known},
    },
};

/// The filters of the list of system records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemParams {
    component: Option<String>,
    event_type: Option<words::SystemEventType>,
    severity: Option<words::SystemSeverity>,
    correlation_id: Option<String>,
    created_after: Option<Time>,
    created_before: Option<Time>,
}

impl Params for SystemParams {}

impl SystemParams {
    fn filter(self) -> SystemFilter {
        SystemFilter {
            component: self.component,
            event_type: known(self.event_type),
            severity: known(self.severity),
            correlation_id: self.correlation_id,
            created_after: self.created_after.map(Into::into),
            created_before: self.created_before.map(Into::into),
        }
    }
}

/// List system records, newest first.
///
/// Those of the installation (starts, stops, migrations, outages) are among them for operator, auditor and admin.
#[utoipa::path(get, path = "/system", operation_id = "logs.list_system", tag = "logs",
    extensions(("x-roles" = json!(roles::<Views>()))),
    params(SystemParams, PageParams),
    responses((status = 200, description = "A page of system records.", body = PageView<LoggedView<SystemView>>)))]
pub(super) async fn list_system(
    State(spine): State<Spine>,
    caller: Caller<Views>,
    List { filter, page }: List<SystemParams>,
) -> Result<Json<PageView<LoggedView<SystemView>>>, Problem> {
    let page = logs::list_system(&spine, caller.context(), filter.filter(), page).await?;
    Ok(Json(page.into()))
}
