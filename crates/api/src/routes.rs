//! Every route of the API, domain by domain.

use orchestrator::Spine;
use utoipa_axum::router::OpenApiRouter;

use crate::{account, activity, incidents, jobs, logs, overview, paths, policies, preface::preface, system};

/// Every route that the document has.
pub(crate) fn routes() -> OpenApiRouter<Spine> {
    OpenApiRouter::with_openapi(preface())
        .nest(paths::ACTIVITY, activity::routes())
        .nest(paths::POLICIES, policies::routes())
        .nest(paths::INCIDENTS, incidents::routes())
        .nest(paths::LOGS, logs::routes())
        .nest(paths::OVERVIEW, overview::routes())
        .nest(paths::JOBS, jobs::routes())
        .nest(paths::ACCOUNT, account::routes())
        .merge(account::published())
        .merge(activity::collected())
        .merge(system::routes())
}
