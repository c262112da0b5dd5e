//! L2. HTTP in, one operation, an answer or a problem out.
//!
//! Invariants: a handler extracts, calls one operation of L4, and answers; only this crate and the binary that serves
//! it know HTTP; no route of the API is mounted that the OpenAPI document does not have; every error of every route is
//! `application/problem+json`, or a page where it is one of the console's.
//!
//! To add an operation: a file named after it in its domain's folder, with the handler, its `utoipa::path` (whose
//! `operation_id` is `<folder>.<file>` and whose `x-roles` are those of its [`extract::Caller`]) and what it alone
//! reads and writes; one line in the folder's `routes()`. Then `tests/it/authz` fails until the walk knows a body for
//! it, and `tests/it/openapi` until docs/openapi.json is written anew.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "of proof this crate names the words of the wire alone: for the others, `word.as_str()` needs its closure"
)]

mod account;
mod activity;
mod answer;
mod carried;
mod coding;
mod console;
mod document;
mod edge;
mod extract;
mod incidents;
mod jobs;
mod logs;
mod overview;
mod packer;
mod paths;
mod policies;
mod preface;
mod problem;
mod routes;
mod system;
mod view;

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, Uri},
    middleware,
    routing::get,
};
use orchestrator::Spine;

pub use self::{
    carried::{Bounds, Shown, Whose},
    coding::{Coding, Effort},
    document::{openapi, openapi_json},
    extract::session::Reached,
    packer::Packer,
    problem::{Code, Problem},
};
use self::{
    edge::{Edge, Operations, Packers},
    extract::Authenticated,
};

/// Every route over the operations of `spine`.
pub fn router(spine: Spine) -> Router {
    router_within(spine, Bounds::default(), Reached::default())
}

/// The same, with other bounds to what a request may take, and for browsers that reach it so.
pub fn router_within(spine: Spine, bounds: Bounds, reached: Reached) -> Router {
    let operations = Operations::of(&openapi());
    let packers = Packers::default();
    let edge = Edge { spine: spine.clone(), bounds, reached, operations, packers };
    let (routes, _) = routes::routes().split_for_parts();
    routes
        .route("/", get(console::front))
        .method_not_allowed_fallback(method_not_allowed)
        .merge(console::routes(&spine))
        .fallback(no_such_route)
        .layer(Extension(system::Document(&document::WRITTEN)))
        .layer(middleware::from_fn_with_state(edge, edge::pass))
        .with_state(spine)
}

/// Nothing is told about the API to who has no credential, not even what is not there.
async fn no_such_route(_: State<Spine>, _: Authenticated, uri: Uri) -> Problem {
    if uri.path().starts_with("/v1/") {
        let detail =
            "HOC takes traces, by OTLP over HTTP: POST /v1/traces (docs/otlp.md says what exporters need)";
        return Problem::new(Code::RouteNotFound, detail);
    }
    Problem::of_framework(StatusCode::NOT_FOUND)
}

async fn method_not_allowed(_: State<Spine>, _: Authenticated) -> Problem {
    Problem::of_framework(StatusCode::METHOD_NOT_ALLOWED)
}
