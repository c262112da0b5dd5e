//! A system record, as it is written.

use models::logs::SystemRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{Kept, Time, words};

/// What happened to the system itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SystemRecord)]
pub(crate) struct SystemView {
    id: String,
    /// Whose it is: `INSTALLATION` for starts, stops, migrations and outages of the server.
    #[schema(value_type = words::SystemScope)]
    scope: &'static str,
    component: String,
    #[schema(value_type = words::SystemEventType)]
    event_type: &'static str,
    #[schema(value_type = words::SystemSeverity)]
    severity: &'static str,
    summary: String,
    #[schema(value_type = serde_json::Value)]
    details: Option<Kept>,
    caused_by: Option<String>,
    correlation_id: Option<String>,
    created_at: Time,
}

impl From<SystemRecord> for SystemView {
    fn from(record: SystemRecord) -> Self {
        Self {
            id: record.id.to_string(),
            scope: record.scope().as_str(),
            component: record.component,
            event_type: record.event_type.as_str(),
            severity: record.severity.as_str(),
            summary: record.summary,
            details: record.details.map(Kept::from),
            caused_by: record.caused_by,
            correlation_id: record.correlation_id,
            created_at: record.created_at.into(),
        }
    }
}
