//! Logging in, by a link that serves once or with an API key, and out.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use models::account::Role;
use orchestrator::{
    Spine,
    handlers::account::{self, AuthError, Opened},
};
use serde::Deserialize;

use super::{
    assets,
    fields::{Asked, Posted},
    links,
    page::html,
    visitor::Frame,
};
use crate::{
    Problem,
    carried::StaysPlain,
    extract::{
        must_be_ours,
        session::{self, Reached},
    },
    problem::Code,
};

/// What a link to the login may carry.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    token: Option<String>,
    next: Option<String>,
}

/// What the login's form sends: a key, or the token of a link.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    key: Option<String>,
    token: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    title: &'static str,
    style: &'static str,
    next: String,
    /// The token of a link that somebody else led to: then a person must say that they mean it.
    token: Option<String>,
    error: Option<&'static str>,
}

/// `GET /console/login`: the form; or, by a link, a session at once.
pub(super) async fn form(
    State(spine): State<Spine>,
    Extension(reached): Extension<Reached>,
    method: Method,
    headers: HeaderMap,
    Asked(link): Asked<Link>,
) -> Result<Response, Problem> {
    let next = links::next(link.next.as_deref().unwrap_or_default()).to_owned();
    let Some(token) = link.token else { return Ok(page(StatusCode::OK, next, None, None)) };
    // A link that a page led to, or that a browser fetches on a guess, waits for a person to press a button.
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let asked_for = method == Method::GET
        && matches!(text("sec-fetch-site"), None | Some("none" | "same-origin"))
        && text("sec-purpose").is_none();
    if !asked_for {
        return Ok(page(StatusCode::OK, next, Some(token), None));
    }
    answer(reached, link.next.as_deref(), account::open_session_by_link(&spine, &token).await)
}

/// `POST /console/login`: a session.
pub(super) async fn log_in(
    State(spine): State<Spine>,
    Extension(reached): Extension<Reached>,
    headers: HeaderMap,
    Posted(given): Posted<Credentials>,
) -> Result<Response, Problem> {
    must_be_ours(&headers)?;
    let opened = match (given.key, given.token) {
        (Some(key), None) => account::open_session(&spine, key.trim()).await,
        (None, Some(token)) => account::open_session_by_link(&spine, &token).await,
        _ => Err(AuthError::Unknown),
    };
    answer(reached, given.next.as_deref(), opened)
}

/// `POST /console/logout`: the session is over, here and everywhere.
pub(super) async fn log_out(
    State(spine): State<Spine>,
    Extension(reached): Extension<Reached>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    must_be_ours(&headers)?;
    if let Some(token) = session::token(reached, &headers) {
        match account::close_session(&spine, &token).await {
            Ok(()) | Err(AuthError::Unknown) => {}
            Err(err) => return Err(err.into()),
        }
    }
    let mut response = Redirect::to("/console/login").into_response();
    response.headers_mut().extend(session::forget(reached).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn answer(
    reached: Reached,
    next: Option<&str>,
    opened: Result<Opened, AuthError>,
) -> Result<Response, Problem> {
    let opened = match opened {
        Ok(opened) => opened,
        Err(AuthError::Failed(err)) => return Err(err.into()),
        Err(err) => {
            let next = links::next(next.unwrap_or_default()).to_owned();
            return Ok(page(StatusCode::UNAUTHORIZED, next, None, Some(refusal(&err))));
        }
    };
    let to = match next.map(links::next) {
        Some(next) if opened.context.role != Role::Agent => next,
        _ => Frame::first_page(opened.context.role),
    };
    let seconds = opened.lasts.num_seconds().max(1);
    let cookie = session::keep(reached, opened.token.expose(), seconds)
        .ok_or_else(|| Problem::new(Code::Internal, "the cookie cannot be written"))?;
    let mut response = Redirect::to(to).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

fn refusal(err: &AuthError) -> &'static str {
    match err {
        AuthError::Used => {
            "This link was used before: it logs in once. `hoc login-link` on the server’s machine makes another; or use an API key."
        }
        AuthError::Expired => "This key or link has expired.",
        AuthError::Revoked => "This key was revoked.",
        _ => "No such key. A key begins with hoc_ and is shown in full once, when it is made.",
    }
}

fn page(status: StatusCode, next: String, token: Option<String>, error: Option<&'static str>) -> Response {
    let page = LoginPage { title: "Log in", style: assets::style(), next, token, error };
    // The token stands beside `next`, which whoever made the link chose.
    (Extension(StaysPlain), html(status, &page)).into_response()
}
