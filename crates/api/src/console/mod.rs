//! `/console`: pages for people, rendered here from the answers of the same operations that the JSON routes call.
//!
//! Invariants: a page reads and changes nothing that the API does not; its content security policy allows no inline
//! script or style and nothing from elsewhere; what came from outside is escaped by the templates; a refusal is a page.
//! Pages are no part of the contract, so they are not in the OpenAPI document.

mod activity;
mod assets;
mod changes;
mod fields;
mod folds;
mod forms;
mod frozen;
mod gate;
mod incidents;
mod jobs;
mod links;
mod login;
mod logs;
mod overview;
mod page;
mod policies;
mod select;
mod show;
mod visitor;

use axum::{
    Router, middleware,
    routing::{any, get, post},
};
use orchestrator::Spine;

pub(crate) use self::{
    gate::front,
    page::{Rendered, is_console, problem_page},
};
use crate::paths::CONSOLE;

/// The routes, from the top.
pub(crate) fn routes(spine: &Spine) -> Router<Spine> {
    let pages = Router::new()
        .route("/overview", get(overview::overview))
        .route("/overview/decisions", get(overview::decisions))
        .route("/activity/runs", get(activity::runs))
        .route("/activity/runs/{run_id}", get(activity::run))
        .route("/activity/runs/{run_id}/evidence", get(activity::evidence))
        .route("/activity/runs/{run_id}/proof", get(activity::proof))
        .route("/activity/runs/{run_id}/kill", post(activity::kill))
        .route("/incidents", get(incidents::list))
        .route("/incidents/acknowledge", post(incidents::acknowledge_many))
        .route("/incidents/{id}", get(incidents::get))
        .route("/incidents/{id}/acknowledge", post(incidents::acknowledge))
        .route("/incidents/{id}/resolve", post(incidents::resolve))
        .route("/policies/rules", get(policies::rules).post(policies::create_rule))
        .route("/policies/rules/new", get(policies::new_rule))
        .route("/policies/rules/{id}", get(policies::rule).post(policies::modify_rule))
        .route("/policies/rules/{id}/edit", get(policies::edit_rule))
        .route("/policies/rules/{id}/retire", post(policies::retire_rule))
        .route("/policies/limits", get(policies::limits).post(policies::create_limit))
        .route("/policies/limits/new", get(policies::new_limit))
        .route("/policies/limits/{id}", get(policies::limit).post(policies::update_limit))
        .route("/policies/limits/{id}/edit", get(policies::edit_limit))
        .route("/policies/limits/{id}/disable", post(policies::disable_limit))
        .route("/policies/freezes", get(policies::freezes).post(policies::freeze))
        .route("/policies/freezes/lift", post(policies::unfreeze))
        .route("/policies/stopped", get(policies::stopped))
        .route("/logs/audit", get(logs::audit))
        .route("/logs/audit/{id}", get(logs::entry))
        .route("/logs/system", get(logs::system))
        .route("/logs/system/{id}", get(logs::record))
        .route("/jobs", get(jobs::list).post(jobs::create))
        .route("/jobs/{id}", get(jobs::get))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/jobs/{id}/requeue", post(jobs::requeue))
        .route("/{*rest}", any(gate::no_such_page));
    let guarded = Router::new()
        .route(CONSOLE, get(overview::first))
        .route("/console/", get(overview::first))
        .nest(CONSOLE, pages)
        .method_not_allowed_fallback(gate::no_such_method)
        .layer(middleware::from_fn_with_state(spine.clone(), gate::guarded));
    let open = Router::new()
        .route("/console/login", get(login::form).post(login::log_in))
        .route("/console/logout", post(login::log_out))
        .route("/console/static/{file}", get(assets::file))
        .method_not_allowed_fallback(gate::no_such_method)
        .layer(middleware::from_fn(gate::open));
    guarded.merge(open)
}
