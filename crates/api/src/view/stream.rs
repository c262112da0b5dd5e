//! Server-sent events: one after another, and a comment now and then so that nobody thinks the connection dead.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderValue, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use orchestrator::Error;
use serde::Serialize;

/// How long nothing is said before a comment is.
const QUIET: Duration = Duration::from_secs(15);

/// One event, ready to be sent.
#[derive(Debug)]
pub(crate) struct Said(Event);

impl Said {
    pub(crate) fn new(what: &str, id: String, data: &impl Serialize) -> Self {
        // What is serialized here is views, which are texts, numbers and lists: this cannot fail.
        let data = serde_json::to_string(data).unwrap_or_default();
        Self(Event::default().event(what).id(id).data(data))
    }
}

/// What is followed.
pub(crate) trait Follow: Send + 'static {
    /// The next event, as soon as there is one; none when nothing follows.
    fn said(&mut self) -> impl Future<Output = Result<Option<Said>, Error>> + Send;
}

/// The answer that tells what happens in `following`. An error ends the stream: its reader comes again, and goes on
/// where it was.
pub(crate) fn of(following: impl Follow) -> Response {
    let events = stream::unfold(following, |mut following| async move {
        match following.said().await {
            Ok(said) => said.map(|Said(event)| (Ok::<_, Infallible>(event), following)),
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, "a stream of events broke off");
                None
            }
        }
    });
    let keep_alive = KeepAlive::new().interval(QUIET);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // Proxies that gather what they hand on would hold events back.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
