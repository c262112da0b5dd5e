//! What every page is: a template, and the headers that go with it.

use askama::Template;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{assets, folds::Folds as _, show, visitor::Frame};
use crate::{
    Problem,
    carried::About,
    paths::CONSOLE,
    problem::{Code, ProblemView},
};

/// Nothing inline, nothing from elsewhere, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page has these where every other answer has the edge's. Without a referrer to its own origin, a browser would not
/// say where a form comes from.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Says that an answer is a page already, whatever its status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rendered;

/// A page, rendered as it is answered.
#[derive(Debug)]
pub(super) struct Page<T>(pub(super) T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        html(StatusCode::OK, &self.0)
    }
}

/// A page of that status.
pub(super) fn html(status: StatusCode, template: &impl Template) -> Response {
    let text = match template.render() {
        Ok(text) => text,
        Err(err) => return Problem::internal(&err).into_response(),
    };
    let mut response = (status, text).into_response();
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.extensions_mut().insert(Rendered);
    response
}

/// Whether a path is one of the console's.
pub(crate) fn is_console(path: &str) -> bool {
    path.strip_prefix(CONSOLE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A refusal, as a page.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    frame: Option<Frame>,
    style: &'static str,
    detail: String,
    problem: ProblemView,
    /// What to do next, where there is more to say than the problem says.
    advice: &'static str,
}

/// A problem, as a page: with the way to other pages where somebody is logged in.
pub(crate) fn problem_page(problem: &Problem, about: &About, frame: Option<Frame>) -> Response {
    let status = problem.status();
    let view = problem.view(&about.instance, &about.request_id);
    let page = ErrorPage {
        title: if problem.code() == Code::RouteNotFound { "No such page" } else { problem.code().title() },
        frame,
        style: assets::style(),
        detail: show::sentence(&view.detail),
        problem: view,
        advice: advice(status),
    };
    let mut response = html(status, &page);
    let mut headers = problem.headers();
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::WWW_AUTHENTICATE);
    response.headers_mut().extend(headers);
    response
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        403 => "Log in with a key of another role, or ask an administrator of your tenant for one.",
        404 => "It may belong to another tenant, or never have been. The lists show all that there is.",
        409 => "Somebody may have been faster. Go back and look at how it stands now.",
        500.. => "Try again in a moment. The server's log has the cause under the request id.",
        _ => "",
    }
}
