//! The filters of the list of runs.

use entities::activity::runs::Column;
use models::activity::RunFilter;
use sea_orm::{
    ColumnTrait as _, Condition,
    sea_query::{Expr, ExprTrait as _},
};

/// That a run is one of those which the filter asks for.
pub(super) fn matches(filter: &RunFilter) -> Condition {
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
        started_after,
        started_before,
        integrity_status,
        evidence_health,
        latency_bucket,
        assurance,
        key_id,
    } = filter;
    Condition::all()
        .add_option(state.map(|word| Column::State.eq(word.as_str())))
        .add_option(status.map(|word| Column::Status.eq(word.as_str())))
        // A generated column: nobody writes it, so the entity does not have it.
        .add_option(risk.map(|risk| Expr::col("at_risk").eq(risk)))
        .add_option(risk_level.map(|word| Column::RiskLevel.eq(word.as_str())))
        .add_option(agent_id.as_deref().map(|id| Column::AgentId.eq(id)))
        .add_option(project_id.as_deref().map(|id| Column::ProjectId.eq(id)))
        .add_option(conversation_id.as_deref().map(|id| Column::ConversationId.eq(id)))
        .add_option(source.map(|word| Column::Source.eq(word.as_str())))
        .add_option(provider_type.as_deref().map(|of| Column::ProviderType.eq(of)))
        .add_option(is_synthetic.map(|is| Column::IsSynthetic.eq(is)))
        .add_option(started_after.map(|at| Column::StartedAt.gt(at)))
        .add_option(started_before.map(|at| Column::StartedAt.lt(at)))
        .add_option(integrity_status.map(|word| Column::IntegrityStatus.eq(word.as_str())))
        .add_option(evidence_health.map(|word| Column::EvidenceHealth.eq(word.as_str())))
        .add_option(latency_bucket.map(|word| Column::LatencyBucket.eq(word.as_str())))
        .add_option(assurance.map(|word| Column::Assurance.eq(word.as_str())))
        .add_option(key_id.map(|id| Column::KeyId.eq(id.0)))
}
