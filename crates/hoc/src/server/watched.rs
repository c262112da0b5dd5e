//! A connection that tells where its client stands: whether it has said anything, whether more of a body is waited for,
//! whether it takes what it is told.
//!
//! A socket that is closed with something unread in it takes back what it has said last. Many clients send all of a
//! body before they look for an answer; so where one was given before the body was read, the rest is read off and
//! thrown away for a while after the answer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use api::Shown;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    service::Service,
};
use hyper_util::service::TowerToHyperService;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Sleep, sleep},
};

use super::client::Client;

/// How long what comes after the last answer is read off.
const LINGER: Duration = Duration::from_secs(5);

/// The socket.
pub(super) struct Watched {
    stream: TcpStream,
    client: Arc<Client>,
    /// Whether the server stops: that waits for nothing that nobody wants.
    stop: watch::Receiver<bool>,
    /// Until when what comes is read off, once all is said.
    lingers: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, client: Arc<Client>, stop: watch::Receiver<bool>) -> Self {
        Self { stream, client, stop, lingers: None }
    }

    fn told<T>(&self, taken: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.client.takes(taken.is_ready());
        taken
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.client.spoke();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.told(taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.told(taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.client.took_all();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, client, stop, lingers } = &mut *self;
        if lingers.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
            if !client.is_unread() || *stop.borrow() {
                return Poll::Ready(Ok(()));
            }
        }
        let until = lingers.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; 8 << 10];
        loop {
            let mut read = ReadBuf::new(&mut bytes);
            let more = ready!(Pin::new(&mut *stream).poll_read(cx, &mut read));
            if more.is_err() || read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// The routes, for one client.
pub(super) struct Calls {
    routes: TowerToHyperService<Router>,
    client: Arc<Client>,
}

impl Calls {
    pub(super) fn new(routes: TowerToHyperService<Router>, client: Arc<Client>) -> Self {
        Self { routes, client }
    }
}

impl Service<Request<Incoming>> for Calls {
    type Response = Response<Answer>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let shown = Shown::default();
        request.extensions_mut().insert(shown.clone());
        self.client.calls(shown);
        let client = Arc::clone(&self.client);
        let answered =
            self.routes.call(request.map(|body| Said { body, is_read: false, client: Arc::clone(&client) }));
        Box::pin(async move { Ok(answered.await?.map(|body| Answer { body, client })) })
    }
}

/// A request's body, as far as it has come.
struct Said {
    body: Incoming,
    /// All of it has come, and was read.
    is_read: bool,
    client: Arc<Client>,
}

impl hyper::body::Body for Said {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.client.says_all(polled.is_ready());
        self.is_read |= matches!(polled, Poll::Ready(None));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        hyper::body::Body::size_hint(&self.body)
    }
}

impl Drop for Said {
    /// Nobody waits for the rest of it.
    fn drop(&mut self) {
        self.client.says_all(true);
        if !self.is_read && !hyper::body::Body::is_end_stream(&self.body) {
            self.client.leaves_unread();
        }
    }
}

/// An answer's body. When it is dropped, the last of it was taken to be sent, or nobody wants it any more.
pub(super) struct Answer {
    body: Body,
    client: Arc<Client>,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        hyper::body::Body::size_hint(&self.body)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.client.is_answered();
    }
}
