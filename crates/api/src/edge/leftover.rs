//! The rest of a body that has not come when the answer is there. A refusal that needs no body is made before the body
//! has come.
//!
//! If the rest were not read, the connection would end with the answer, and the client's next call on it would fail for
//! no reason of its own. A short rest is read to its end; a long one is not worth that, and one that its sender keeps
//! back until it is wanted is not asked for. Then the answer says that it is the connection's last.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
};
use futures::channel::oneshot::{Receiver, Sender, channel};
use http_body_util::BodyExt as _;

/// What is read off at most.
const LONGEST: usize = 256 << 10;
/// How long it may take to come.
const TIME: Duration = Duration::from_secs(1);

/// A body that comes back from whoever drops it before its end.
struct Lent {
    body: Body,
    /// Its sender sends it when it is asked for, which nobody has done.
    is_kept_back: bool,
    back: Option<Sender<Left>>,
}

/// What has come back.
struct Left {
    body: Body,
    is_kept_back: bool,
}

/// Where a body comes back to.
pub(super) struct Leftover(Receiver<Left>);

/// Lends the request's body to whoever answers it.
pub(super) fn lend(request: Request) -> (Request, Leftover) {
    let (back, leftover) = channel();
    let is_kept_back = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| Body::new(Lent { body, is_kept_back, back: Some(back) }));
    (request, Leftover(leftover))
}

impl Leftover {
    /// Reads off what is left; gives whether nothing is left then, so that the connection can go on.
    pub(super) async fn read_off(mut self) -> bool {
        let Ok(Some(Left { body, is_kept_back })) = self.0.try_recv() else { return true };
        if is_kept_back || HttpBody::size_hint(&body).lower() > LONGEST as u64 {
            return false;
        }
        // Whether it comes or not: the answer stands.
        tokio::time::timeout(TIME, comes_to_its_end(body)).await.unwrap_or(false)
    }
}

/// Reads it without keeping it; gives whether that was all of it.
async fn comes_to_its_end(mut body: Body) -> bool {
    let mut room = LONGEST;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = room.checked_sub(bytes) else { return false };
        room = left;
    }
    true
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        self.is_kept_back = false;
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
            let body = std::mem::take(&mut self.body);
            // Nobody waits for it where the connection is gone.
            let _ = back.send(Left { body, is_kept_back: self.is_kept_back });
        }
    }
}
