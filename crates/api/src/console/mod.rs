//! `/console`: pages for people, rendered here from the answers of the same operations that the JSON routes call.
//!
//! Invariants: a page reads and changes nothing that the API does not; its content security policy allows no inline
//! script or style and nothing from elsewhere; what came from outside is escaped by the templates; a refusal is a page.
//! Pages are no part of the contract, so they are not in the OpenAPI document.

mod activity;
mod assets;
mod fields;
mod gate;
mod links;
mod login;
mod overview;
mod page;
mod show;
mod visitor;

use axum::{
    Router, middleware,
    routing::{any, get, post},
};
use orchestrator::Spine;

pub(crate) use self::page::{Rendered, is_console, problem_page};

/// Where the pages are.
const BASE: &str = "/console";

/// The routes, from the top.
pub(crate) fn routes(spine: &Spine) -> Router<Spine> {
    let pages = Router::new()
        .route("/overview", get(overview::overview))
        .route("/activity/runs", get(activity::runs))
        .route("/activity/runs/{run_id}", get(activity::run))
        .route("/{*rest}", any(gate::no_such_page));
    let guarded = Router::new()
        .route(BASE, get(overview::first))
        .route("/console/", get(overview::first))
        .nest(BASE, pages)
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
