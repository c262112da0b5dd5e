//! What stands before the pages: who is not logged in is led to the login, and a refusal becomes a page.

use axum::{
    extract::{FromRequestParts as _, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use orchestrator::Spine;

use super::{
    links,
    page::{Rendered, problem_page},
    visitor::Frame,
};
use crate::{
    Problem,
    carried::About,
    extract::{Authenticated, by_session},
    problem::Code,
};

/// Pages that need a session.
pub(super) async fn guarded(State(spine): State<Spine>, request: Request, next: Next) -> Response {
    let about = request.extensions().get::<About>().cloned().unwrap_or_default();
    let (mut parts, body) = request.into_parts();
    let context = match by_session(&parts, &spine).await {
        Ok(context) => context,
        Err(problem) if problem.code() == Code::Unauthenticated && parts.method == Method::GET => {
            let asked = parts.uri.path_and_query().map_or("", |asked| asked.as_str());
            return Redirect::to(&links::login(asked)).into_response();
        }
        Err(problem) => return problem_page(&problem, &about, None),
    };
    let frame = Frame::of(&context, &about.instance);
    parts.extensions.insert(context);
    parts.extensions.insert(frame.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    rendered(response, &about, Some(frame))
}

/// Pages that need none.
pub(super) async fn open(request: Request, next: Next) -> Response {
    let about = request.extensions().get::<About>().cloned().unwrap_or_default();
    rendered(next.run(request).await, &about, None)
}

/// The address alone is what anybody types first: a browser is led to the console, whose login leads back. To everybody
/// else nothing is there.
pub(crate) async fn front(State(spine): State<Spine>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let accepts = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accepts.is_some_and(|accept| accept.contains("text/html")) {
        return Redirect::to("/console/overview").into_response();
    }
    match Authenticated::from_request_parts(&mut parts, &spine).await {
        Ok(_) => Problem::of_framework(StatusCode::NOT_FOUND).into_response(),
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn no_such_page() -> Problem {
    Problem::new(Code::RouteNotFound, "there is nothing at this address")
}

pub(super) async fn no_such_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "this address is for a form of a page")
}

fn rendered(mut response: Response, about: &About, frame: Option<Frame>) -> Response {
    if response.extensions().get::<Rendered>().is_some() {
        return response;
    }
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_error(response.status()) => Problem::of_framework(response.status()),
        None => return response,
    };
    problem_page(&problem, about, frame)
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}
