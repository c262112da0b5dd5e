//! Connections, from the moment they are taken to their end.
//!
//! If every place has a call that waits for us, a newcomer is told so, unless it asks whether the server lives: a
//! server that is only busy must not be taken for dead and killed. A few places are kept for those questions.
//!
//! The first bytes of a connection tell whether it asks that. They are looked at before any of it is read, so a client
//! that asks anything else is told at once, and a client that sends nothing is there for a second at most.

use std::{
    io::{self, Read as _, Write as _},
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use api::Code;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::MissedTickBehavior,
};

use super::{
    clients::{Clients, Seat},
    room::PROBES,
    watched::{Calls, Watched},
};
use crate::config::Most;

/// How often it is looked whose time is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long nobody is taken in when the system gives no descriptor.
const BREATHE: Duration = Duration::from_millis(50);
/// The longest head of a request. What a client may make us keep for nothing.
const HEAD_BYTES: usize = 64 << 10;
/// What is kept of an answer that was handed over and not taken; of a request, what was not read yet.
const BUFFER_BYTES: usize = 2 * HEAD_BYTES;

/// Who asks whether the server lives, beside all others.
const OF_PROBES: Most = Most {
    clients: PROBES,
    of_peer: PROBES,
    head_within: Duration::from_secs(1),
    idle_within: Duration::from_secs(5),
};
/// How such a question begins.
const QUESTIONS: [&[u8]; 4] = [b"GET /healthz ", b"GET /readyz ", b"HEAD /healthz ", b"HEAD /readyz "];
/// So much of what comes first is looked at.
const LONGEST_QUESTION: usize = 14;

/// Serves until `stop` is true, and the calls that are under way then to their end. Who is not calling then goes at
/// once.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    clients: Arc<Clients>,
    mut stop: watch::Receiver<bool>,
) {
    let calls = TowerToHyperService::new(router);
    let probes = Clients::new(OF_PROBES);
    let mut connections = JoinSet::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = asked(&mut stop) => break,
            _ = look.tick() => {
                for among in [&clients, &probes] {
                    among.let_go_whose_time_is_over(Instant::now());
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            taken = listener.accept() => match taken {
                Ok((stream, address)) => match clients.enter(address.ip()).await {
                    Some(seat) => {
                        connections.spawn(connection(stream, seat, true, calls.clone(), stop.clone()));
                    }
                    None => match probes.enter(address.ip()).await {
                        Some(seat) => {
                            connections.spawn(question(stream, seat, calls.clone(), stop.clone()));
                        }
                        None => refuse(stream),
                    },
                },
                Err(err) if is_its_own_fault(&err) => {}
                Err(err) => {
                    tracing::warn!(error = &err as &dyn std::error::Error, "a connection could not be taken");
                    clients.make_room();
                    tokio::time::sleep(BREATHE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A connection that found no place: answered if it asks whether the server lives, else told that there is none.
async fn question(
    stream: TcpStream,
    seat: Seat,
    routes: TowerToHyperService<Router>,
    mut stop: watch::Receiver<bool>,
) {
    let mut first = [0; LONGEST_QUESTION];
    let is_question = tokio::select! {
        biased;
        read = stream.peek(&mut first) => read.is_ok_and(|read| asks(&first[..read])),
        () = seat.has_to_go() => false,
        () = asked(&mut stop) => return,
    };
    if is_question {
        connection(stream, seat, false, routes, stop).await;
    } else {
        refuse(stream);
    }
}

/// Whether it asks if the server lives.
fn asks(first: &[u8]) -> bool {
    QUESTIONS.iter().any(|question| first.starts_with(question))
}

/// One connection, to its end: that of one call, or of many.
async fn connection(
    stream: TcpStream,
    seat: Seat,
    is_kept: bool,
    routes: TowerToHyperService<Router>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and waited for: none is held back to fill a packet.
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = &err as &dyn std::error::Error, "cannot set TCP_NODELAY");
    }
    let client = &seat.client;
    let watched = TokioIo::new(Watched::new(stream, Arc::clone(client), stop.clone()));
    // Without hyper's own timeout of heads, which takes a rest between two calls for one: see `Clients`.
    let served = http1::Builder::new()
        .max_header_size(HEAD_BYTES)
        .max_buf_size(BUFFER_BYTES)
        .keep_alive(is_kept)
        .serve_connection(watched, Calls::new(routes, Arc::clone(client)));
    let mut served = std::pin::pin!(served);
    let mut ended = tokio::select! {
        biased;
        ended = served.as_mut() => Some(ended),
        () = seat.has_to_go() => return,
        () = asked(&mut stop) => None,
    };
    if ended.is_none() {
        if !client.is_calling() {
            return;
        }
        served.as_mut().graceful_shutdown();
        ended = tokio::select! {
            ended = served.as_mut() => Some(ended),
            () = seat.has_to_go() => return,
        };
    }
    if let Some(Err(err)) = &ended
        && err.is_parse()
    {
        tracing::info!(
            error = err as &dyn std::error::Error,
            "what a client sent is no HTTP: one that speaks https to this port does that; use http://, or put a proxy in \
             front that ends TLS"
        );
    } else if let Some(Err(err)) = ended {
        tracing::debug!(error = &err as &dyn std::error::Error, "a connection ended badly");
    }
}

/// Waits until the server is to stop.
async fn asked(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same wish.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What whoever finds no place is told.
static NO_PLACE: LazyLock<String> = LazyLock::new(|| {
    let code = Code::Overloaded;
    let problem = json!({
        "type": format!("urn:hoc:problem:{}", code.as_str()),
        "title": code.title(),
        "status": code.status().as_u16(),
        "detail": "as many clients as there is room for are calling; try again shortly",
        "instance": "",
        "code": code.as_str(),
        "request_id": "",
        "errors": [],
    })
    .to_string();
    format!(
        "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{problem}",
        code.status(),
        problem.len()
    )
});

/// Says that there is no place, as far as that goes without waiting for anybody.
fn refuse(stream: TcpStream) {
    let Ok(mut stream) = stream.into_std() else { return };
    // What was sent and is not read when a socket is closed takes the answer with it.
    let _ = stream.read(&mut [0; 4_096]);
    let _ = stream.write_all(NO_PLACE.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    tracing::debug!("a connection found no place");
}

/// Whether that one connection failed, as against all that might come.
fn is_its_own_fault(err: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(err.kind(), K::ConnectionAborted | K::ConnectionRefused | K::ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_known_by_how_it_begins() {
        assert_eq!(QUESTIONS.iter().map(|question| question.len()).max(), Some(LONGEST_QUESTION));
        for question in ["GET /healthz HTTP/1.1", "HEAD /readyz HTTP/1.0", "GET /readyz "] {
            assert!(asks(question.as_bytes()), "{question}");
        }
        for other in
            ["", "GET /health", "GET /healthz", "GET /healthz/../api", "GET /healthz?a", "POST /healthz "]
        {
            assert!(!asks(other.as_bytes()), "{other}");
        }
    }
}
