//! Bodies: JSON of at most 4 MiB, which must arrive in time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};

use super::strict;
use crate::{
    Problem,
    carried::{BodyShare, Bounds, Shown, Stopping},
    problem::Code,
};

/// How long the rest of a body may take when the server stops.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// JSON: a body that is required, or an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body whose members are all optional, and which may be missing, or null.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let limit = bounds(&request).body_bytes;
        strict::parse(&read(request, limit).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = must_be_json(request.headers());
        let limit = bounds(&request).body_bytes;
        let body = read(request, limit).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        is_json?;
        if body.trim_ascii() == b"null" {
            return Ok(Self(T::default()));
        }
        strict::parse(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(err) => Problem::internal(&err).into_response(),
        }
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    let given = if given.is_empty() { "not given" } else { given };
    let detail = format!("send `content-type: application/json`; it is {given}");
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

/// What the request may take.
pub(super) fn bounds(request: &Request) -> Bounds {
    request.extensions().get().copied().unwrap_or_default()
}

pub(super) fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("a body may have {limit} bytes"))
}

/// The body, if it has at most `limit` bytes and arrives in time.
pub(crate) async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let Bounds { body_time, strangers_time, .. } = bounds(&request);
    let is_known = request.extensions().get().and_then(Shown::whose).is_some();
    let body_time = if is_known { body_time } else { body_time.min(strangers_time) };
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    let held = share(&request);
    let stopping = request.extensions().get::<Stopping>().cloned();
    let collected = tokio::time::timeout(body_time, collect(request.into_body(), limit, held));
    tokio::select! {
        biased;
        collected = collected => {
            collected.unwrap_or_else(|_| Err(Problem::of_framework(StatusCode::REQUEST_TIMEOUT)))
        }
        () = has_stopped(stopping) => {
            Err(Problem::new(Code::NotReady, "the server stops, and the body has not come; send it again"))
        }
    }
}

/// Waits until the server has been stopping for longer than what is still on its way may take.
async fn has_stopped(stopping: Option<Stopping>) {
    if let Some(Stopping(mut stopping)) = stopping
        && stopping.wait_for(|stops| *stops).await.is_ok()
    {
        tokio::time::sleep(ON_ITS_WAY).await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// What the request's body holds until it is answered.
pub(super) fn share(request: &Request) -> Option<BodyShare> {
    request.extensions().get().cloned()
}

/// Counts bytes that are held from now on.
pub(super) fn hold(held: Option<&BodyShare>, bytes: usize) -> Result<(), Problem> {
    held.map_or(Ok(()), |BodyShare(share)| share.take(bytes).map_err(Problem::from))
}

async fn collect(body: Body, limit: usize, held: Option<BodyShare>) -> Result<Bytes, Problem> {
    let mut body = Limited::new(body, limit);
    // Not kept in the pieces in which it came: however small those are, each of them takes as much again and more.
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|err| {
            if err.is::<LengthLimitError>() {
                too_large(limit)
            } else {
                Problem::new(Code::BadRequest, "the body broke off")
            }
        })?;
        if let Ok(part) = frame.into_data() {
            hold(held.as_ref(), part.len())?;
            whole.extend_from_slice(&part);
        }
    }
    Ok(whole.into())
}
