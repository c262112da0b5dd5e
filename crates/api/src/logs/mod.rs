//! `/api/v1/runtime/logs`: the raw truth, as it was recorded.

mod audit_view;
mod get_audit;
mod get_checkpoint;
mod get_llm_run;
mod get_system;
mod list_audit;
mod list_llm_runs;
mod list_system;
mod llm_run_view;
mod metadata_view;
mod proof_view;
mod prove_audit;
mod prove_consistency;
mod system_view;

use orchestrator::Spine;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::{audit_view::AuditItem, llm_run_view::LlmRunView, system_view::SystemView};

/// The routes, below [`crate::paths::LOGS`].
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::new()
        .routes(routes!(list_audit::list_audit))
        .routes(routes!(get_audit::get_audit))
        .routes(routes!(prove_audit::prove_audit))
        .routes(routes!(get_checkpoint::get_checkpoint))
        .routes(routes!(prove_consistency::prove_consistency))
        .routes(routes!(list_llm_runs::list_llm_runs))
        .routes(routes!(get_llm_run::get_llm_run))
        .routes(routes!(list_system::list_system))
        .routes(routes!(get_system::get_system))
}
