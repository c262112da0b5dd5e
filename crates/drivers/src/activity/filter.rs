//! The filters of the list of runs.

use entities::activity::runs::Column;
use models::activity::RunFilter;
use sea_orm::{ColumnTrait as _, Condition, DbBackend, Value};

use crate::dialect;

/// That a run is one of those which the filter asks for; found by the index of the column that leads, where one does.
pub(super) fn matches(filter: &RunFilter, leads: Option<(DbBackend, &str)>) -> Condition {
    dialect::equal(asked(filter), leads)
        .add_option(filter.started_after.map(|at| Column::StartedAt.gt(at)))
        .add_option(filter.started_before.map(|at| Column::StartedAt.lt(at)))
}

/// The columns that are to hold a value, each of which has an index. `at_risk` is a generated one: nobody writes it, so
/// the entity does not have it.
fn asked(filter: &RunFilter) -> Vec<(&'static str, Value)> {
    let RunFilter {
        state,
        status,
        risk,
        risk_level,
        agent_id,
        project_id,
        conversation_id,
        source,
        provider_type,
        is_synthetic,
        started_after: _,
        started_before: _,
        integrity_status,
        evidence_health,
        latency_bucket,
        assurance,
        key_id,
    } = filter;
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let all: [(&'static str, Option<Value>); 15] = [
        ("state", state.map(|word| word.as_str().into())),
        ("status", status.map(|word| word.as_str().into())),
        ("at_risk", risk.map(Value::from)),
        ("risk_level", risk_level.map(|word| word.as_str().into())),
        ("agent_id", text(agent_id)),
        ("project_id", text(project_id)),
        ("conversation_id", text(conversation_id)),
        ("source", source.map(|word| word.as_str().into())),
        ("provider_type", text(provider_type)),
        ("is_synthetic", is_synthetic.map(Value::from)),
        ("integrity_status", integrity_status.map(|word| word.as_str().into())),
        ("evidence_health", evidence_health.map(|word| word.as_str().into())),
        ("latency_bucket", latency_bucket.map(|word| word.as_str().into())),
        ("assurance", assurance.map(|word| word.as_str().into())),
        ("key_id", key_id.map(|id| id.0.into())),
    ];
    all.into_iter().filter_map(|(column, value)| Some((column, value?))).collect()
}
