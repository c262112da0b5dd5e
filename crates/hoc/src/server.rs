//! The HTTP server and the background work beside it: starting them, and stopping without dropping a call.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use axum::serve::ListenerExt as _;
use orchestrator::{Error, Spine, background, handlers::account};
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// How many connections the system keeps waiting while we are busy.
const BACKLOG: u32 = 4_096;

/// The version of this binary.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Takes the address, before anything else is done that a second server must not do.
pub(crate) async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    let mut last = None;
    for address in lookup_host(listen).await.with_context(|| format!("cannot resolve {listen}"))? {
        match bind_one(address) {
            Ok(listener) => return Ok(listener),
            Err(err) => last = Some(err),
        }
    }
    match last {
        Some(err) => Err(err).with_context(|| {
            format!(
                "cannot listen on {listen} (HOC_LISTEN or --listen takes another; port 0 is any that is free)"
            )
        }),
        None => bail!("{listen} resolves to no address"),
    }
}

fn bind_one(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart takes the port back while connections of the last process still time out.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A server that serves.
pub(crate) struct Running {
    spine: Spine,
    address: SocketAddr,
    stop_serving: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
    stop_working: watch::Sender<bool>,
    working: background::Tasks,
}

/// Starts serving on the listener.
pub(crate) async fn start(spine: Spine, listener: TcpListener) -> anyhow::Result<Running> {
    let address = listener.local_addr()?;
    may_write(account::record_start(&spine, VERSION).await)?;
    let (stop_working, stop) = watch::channel(false);
    let working = background::start(&spine, &stop);
    let (stop_serving, stop) = watch::channel(false);
    // Answers are small and waited for: none is held back to fill a packet.
    let listener = listener.tap_io(|connection| {
        if let Err(err) = connection.set_nodelay(true) {
            tracing::debug!(error = &err as &dyn std::error::Error, "cannot set TCP_NODELAY");
        }
    });
    let router = api::router(spine.clone());
    let serve = axum::serve(listener, router).with_graceful_shutdown(asked(stop));
    let serving = tokio::spawn(serve.into_future());
    Ok(Running { spine, address, stop_serving, serving, stop_working, working })
}

impl Running {
    /// Where it listens: the port is the real one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new calls, finishes those under way for at most `within`, then the background work.
    pub(crate) async fn stop(self, within: Duration) -> anyhow::Result<()> {
        self.stop_serving.send_replace(true);
        self.spine.close_streams();
        match timeout(within, self.serving).await {
            Ok(ended) => ended?.context("serving ended badly")?,
            Err(_) => {
                tracing::warn!(seconds = within.as_secs(), "calls were still under way; they are cut off");
            }
        }
        self.stop_working.send_replace(true);
        self.working.join().await;
        may_write(account::record_stop(&self.spine, VERSION).await)
    }
}

/// A store that is only read does not keep a server from serving what can be read.
fn may_write(written: Result<(), Error>) -> anyhow::Result<()> {
    match written {
        Err(Error::HeldBack(_)) => Ok(()),
        written => written.context("cannot write to the store"),
    }
}

async fn asked(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same wish.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits until the process is asked to end: SIGINT or SIGTERM.
pub(crate) async fn wait_for_the_end() -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}
