//! What every request passes on its way in and out, in one place and one order:
//! request id, span, time limit, panics, packing, problems' bodies, headers, one line in the log.

mod headers;
mod held;
mod host;
mod leftover;
mod operations;
mod packed;
mod packers;
mod streamed;

use std::{any::Any, panic::AssertUnwindSafe, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use orchestrator::{Spine, errors::redacted};
use tracing::Instrument as _;

pub(crate) use self::{operations::Operations, packers::Packers};
use crate::{
    Problem,
    carried::{About, BodyShare, Bounds, InItsOwnWords, Shown, Stopping, Streamed, request_id},
    console,
    extract::session::Reached,
    problem::Code,
};

/// What the edge is built with.
#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) spine: Spine,
    pub(crate) bounds: Bounds,
    pub(crate) reached: Reached,
    pub(crate) operations: Operations,
    pub(crate) packers: Packers,
}

/// The one middleware.
pub(crate) async fn pass(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(request.headers()).unwrap_or_else(|| edge.spine.request_id());
    let about = About { request_id, instance: redacted(request.uri().path()) };
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let told_method = known(&method);
    let only_read = method.is_safe();
    let packing = packed::Packing::of(&request);
    let operation = edge.operations.name(&method, route.as_deref());
    let span = tracing::info_span!(
        "request",
        request.id = %about.request_id,
        http.method = told_method,
        http.route = route.as_deref(),
        operation,
    );
    request.extensions_mut().insert(about.clone());
    request.extensions_mut().insert(edge.bounds);
    request.extensions_mut().insert(edge.reached);
    request.extensions_mut().get_or_insert_default::<Shown>();
    let held = BodyShare::of(&edge.spine);
    request.extensions_mut().insert(held.clone());
    request.extensions_mut().insert(Stopping(edge.spine.stopping()));
    let (request, leftover) = leftover::lend(request);
    async move {
        let answered = async {
            match host::is_named(&request) {
                Ok(()) => next.run(request).await,
                Err(problem) => problem.into_response(),
            }
        };
        let answer = tokio::time::timeout(edge.bounds.answer_time, answered);
        let mut response = match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => Problem::new(
                Code::Timeout,
                "whether it was done is not known; read, or repeat with the same idempotency_key",
            )
            .into_response(),
            Err(panic) => panicked(panic.as_ref()),
        };
        // What the answer holds is counted before anything else is waited for.
        let share = edge.spine.answers().share(held.tenant());
        drop(held);
        let response = if response.extensions_mut().remove::<Streamed>().is_some() {
            streamed::streamed(packing, share, response)
        } else {
            let response = packing.pack(&edge.packers, &share, response).await;
            held::counted(share, only_read, response)
        };
        let is_last = !leftover.read_off().await;
        let response = headers::on_all(with_problem(response, &about), &about, is_last);
        let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis());
        if response.status().is_client_error() {
            tracing::info!(
                http.status = status,
                duration_ms = ms,
                "{told_method} {} {status}",
                about.instance
            );
        } else {
            tracing::debug!(
                http.status = status,
                duration_ms = ms,
                "{told_method} {} {status}",
                about.instance
            );
        }
        response
    }
    .instrument(span)
    .await
}

/// A method as it is logged: one that there is none of may be anything, a secret too.
fn known(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"]
        .into_iter()
        .find(|known| method == known)
        .unwrap_or("another method")
}

/// A problem's body; for a refusal of the framework, its problem.
fn with_problem(mut response: Response, about: &About) -> Response {
    if response.extensions_mut().remove::<console::Rendered>().is_some() {
        return response;
    }
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if response.extensions().get::<InItsOwnWords>().is_some() => return response,
        None if status.is_client_error() || status.is_server_error() => Problem::of_framework(status),
        None => return response,
    };
    if console::is_console(&about.instance) {
        return console::problem_page(&problem, about, None);
    }
    let view = problem.view(&about.instance, &about.request_id);
    let body = serde_json::to_vec(&view).unwrap_or_else(|err| {
        tracing::error!(%err, "a problem could not be written");
        Vec::new()
    });
    let (mut parts, _) = response.into_parts();
    parts.status = problem.status();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(problem.headers());
    Response::from_parts(parts, Body::from(body))
}

/// A panic is our fault: its message is for the log.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    Problem::of_framework(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{Router, body::to_bytes, middleware, routing::get};
    use kit::Kit;
    use testkit::{Store, TestDatabase};
    use tower::ServiceExt as _;

    use super::*;

    /// What a route answers behind the edge.
    async fn answer(path: &str) -> (StatusCode, serde_json::Value) {
        let request = Request::get(path)
            .header("host", "hoc")
            .header("x-request-id", "req-test")
            .body(Body::empty())
            .expect("a request");
        let response = behind_the_edge().await.oneshot(request).await.expect("infallible");
        let status = response.status();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["x-request-id"], "req-test");
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("a problem"))
    }

    async fn behind_the_edge() -> Router {
        let database = TestDatabase::migrated(Store::Sqlite).await.expect("SQLite is always there");
        let spine = Kit::on(&database).await.spine;
        let bounds = Bounds { answer_time: Duration::from_millis(20), ..Bounds::default() };
        let (reached, operations) = (Reached::default(), Operations::default());
        let edge = Edge { spine, bounds, reached, operations, packers: Packers::default() };
        Router::new()
            .route("/panics", get(panics))
            .route("/panics-in-words", get(panics_in_words))
            .route("/never", get(std::future::pending::<()>))
            .route("/plain", get(|| async { (StatusCode::IM_A_TEAPOT, "the framework's own words") }))
            .route("/fails", get(|| async { (StatusCode::BAD_GATEWAY, "the secret cause") }))
            .layer(middleware::from_fn_with_state(edge, pass))
    }

    async fn panics() -> StatusCode {
        panic!("the secret cause")
    }

    async fn panics_in_words() -> StatusCode {
        std::panic::panic_any("the secret cause".to_owned())
    }

    /// An answer that came before the body would leave the body on the connection, which then ends.
    #[tokio::test]
    async fn a_refusal_waits_for_the_body_that_it_does_not_need() {
        let (mut parts, body) = futures::channel::mpsc::channel::<Result<&'static str, axum::Error>>(2);
        let request =
            Request::post("/nowhere").header("host", "hoc").body(Body::from_stream(body)).expect("a request");
        let mut answered = std::pin::pin!(behind_the_edge().await.oneshot(request));
        parts.try_send(Ok("the first part")).expect("room");
        assert!(futures::poll!(&mut answered).is_pending());
        parts.close_channel();
        let answered = answered.await.expect("infallible");
        assert_eq!(answered.status(), StatusCode::NOT_FOUND);
        assert!(!answered.headers().contains_key(header::CONNECTION), "the connection goes on");
    }

    #[tokio::test]
    async fn an_answer_that_leaves_its_body_unread_says_that_it_is_the_last() {
        let post = || Request::post("/nowhere").header("host", "hoc");
        let never = || {
            Body::from_stream(futures::stream::pending::<Result<&'static str, std::convert::Infallible>>())
        };
        let many =
            futures::stream::iter((0..20).map(|_| Ok::<_, std::convert::Infallible>(vec![0_u8; 20 << 10])));
        for (what, request) in [
            ("a long one", post().body(Body::from(vec![0; 300 << 10]))),
            ("one that does not end", post().body(Body::from_stream(many))),
            ("one that does not come", post().body(never())),
            ("one that is kept back", post().header("expect", "100-continue").body(never())),
        ] {
            let request = request.expect("a request");
            let is_kept_back = request.headers().contains_key("expect");
            let mut answered = std::pin::pin!(behind_the_edge().await.oneshot(request));
            let at_once = futures::poll!(&mut answered);
            assert!(!is_kept_back || at_once.is_ready(), "{what}: it is not asked for");
            let answered = match at_once {
                std::task::Poll::Ready(answered) => answered,
                std::task::Poll::Pending => answered.await,
            };
            let answered = answered.expect("infallible");
            assert_eq!(answered.status(), StatusCode::NOT_FOUND, "{what}");
            assert_eq!(answered.headers()[header::CONNECTION], "close", "{what}");
        }
    }

    #[tokio::test]
    async fn whatever_goes_wrong_is_a_problem_and_shows_no_cause() {
        for (path, status, code) in [
            ("/panics", 500, "internal"),
            ("/panics-in-words", 500, "internal"),
            ("/never", 503, "timeout"),
            ("/plain", 400, "bad_request"),
            ("/fails", 500, "internal"),
        ] {
            let (answered, problem) = answer(path).await;
            assert_eq!((answered.as_u16(), &problem["code"]), (status, &code.into()), "{path}: {problem}");
            assert_eq!((&problem["instance"], &problem["request_id"]), (&path.into(), &"req-test".into()));
            assert!(!problem.to_string().contains("secret"), "{problem}");
        }
    }
}
