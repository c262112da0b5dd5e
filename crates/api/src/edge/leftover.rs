//! The rest of a body that has not come when the answer is there. A refusal that needs no body is made before the body
//! has come.
//!
//! If the rest were not read, the connection would end with the answer, and the client's next call on it would fail for
//! no reason of its own. A short rest is read to its end; a long one is not worth that.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use futures::channel::oneshot::{Receiver, Sender, channel};
use http_body_util::{BodyExt as _, Limited};

/// What is read off at most.
const LONGEST: usize = 64 << 10;
/// How long it may take to come.
const TIME: Duration = Duration::from_secs(1);

/// A body that comes back from whoever drops it before its end.
struct Lent {
    body: Body,
    back: Option<Sender<Body>>,
}

/// Where a body comes back to.
pub(super) struct Leftover(Receiver<Body>);

/// Lends the request's body to whoever answers it.
pub(super) fn lend(request: Request) -> (Request, Leftover) {
    let (back, leftover) = channel();
    (request.map(|body| Body::new(Lent { body, back: Some(back) })), Leftover(leftover))
}

impl Leftover {
    /// Reads off what is left.
    pub(super) async fn read_off(mut self) {
        let Ok(Some(body)) = self.0.try_recv() else { return };
        if HttpBody::size_hint(&body).lower() <= LONGEST as u64 {
            // Whether it comes or not: the answer stands.
            let _ = tokio::time::timeout(TIME, Limited::new(body, LONGEST).collect()).await;
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        HttpBody::size_hint(&self.body)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (false, Some(back)) = (self.body.is_end_stream(), self.back.take()) {
            // Nobody waits for it where the connection is gone.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}
