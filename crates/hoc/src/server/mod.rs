//! The HTTP server and the background work beside it: starting them, and stopping without dropping a call.

mod accept;
mod client;
mod clients;
mod parts;
mod room;
mod watched;

use std::{fs, future::pending, net::SocketAddr, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use api::{Bounds, Reached};
use orchestrator::{
    Error, Spine, background,
    handlers::{account, system},
};
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use self::clients::Clients;
use crate::{
    config::{Config, Most},
    version::VERSION,
};

/// How many connections the system keeps waiting while we are busy.
const BACKLOG: u32 = 4_096;

/// Takes the address, before anything else is done that a second server must not do.
pub(crate) async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    let mut last = None;
    for address in lookup_host(listen).await.with_context(|| {
        format!("cannot resolve {listen}: HOC_LISTEN and --listen take host:port, without http:// before it")
    })? {
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

/// How many clients are taken: what the configuration says, as far as there is room.
pub(crate) fn most(config: &Config) -> Most {
    let wanted = config.server.max_clients.value;
    config.server.most(room::clients(wanted, config.store.max_connections.value))
}

/// A server that serves.
pub(crate) struct Running {
    spine: Spine,
    address: SocketAddr,
    stop_serving: watch::Sender<bool>,
    /// Takes connections; none when it has ended.
    serving: Option<JoinHandle<()>>,
    stop_working: watch::Sender<bool>,
    working: background::Tasks,
    ends: Ends,
}

/// Starts serving on the listener.
pub(crate) async fn start(
    spine: Spine,
    listener: TcpListener,
    most: Most,
    reached: Reached,
) -> anyhow::Result<Running> {
    let address = listener.local_addr()?;
    // Before anybody is told that it serves: who asks it to end at once is heard.
    let ends = Ends::listen()?;
    may_write(account::record_start(&spine, VERSION).await)?;
    system::look_at_clock(&spine).await.context("cannot ask the store for the time")?;
    let (stop_working, stop) = watch::channel(false);
    let working = background::start(&spine, &stop);
    let (stop_serving, stop) = watch::channel(false);
    // What a stranger has to say may take as long as a head.
    let bounds = Bounds { strangers_time: most.head_within, ..Bounds::default() };
    let router = api::router_within(spine.clone(), bounds, reached);
    let serving = tokio::spawn(accept::serve(listener, router, Clients::new(most), stop));
    Ok(Running { spine, address, stop_serving, serving: Some(serving), stop_working, working, ends })
}

impl Running {
    /// Where it listens: the port is the real one.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process is asked to end; gives by what. It fails where nobody asks and no connection is taken
    /// any more: whoever started the process is to start it again.
    pub(crate) async fn until_the_end(&mut self) -> anyhow::Result<&'static str> {
        tokio::select! {
            signal = self.ends.asked() => Ok(signal),
            why = serves_no_more(&mut self.serving) => Err(why.context("no connection is taken any more")),
        }
    }

    /// Takes no new calls, finishes those under way for at most `within`, then the background work.
    pub(crate) async fn stop(self, within: Duration) -> anyhow::Result<()> {
        self.stop_serving.send_replace(true);
        self.spine.close_streams();
        if let Some(mut serving) = self.serving {
            if let Ok(ended) = timeout(within, &mut serving).await {
                ended.context("serving ended badly")?;
            } else {
                tracing::warn!(seconds = within.as_secs(), "calls were still under way; they are cut off");
                serving.abort();
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

async fn serves_no_more(serving: &mut Option<JoinHandle<()>>) -> anyhow::Error {
    let Some(task) = serving else { return std::future::pending().await };
    let ended = task.await;
    *serving = None;
    match ended {
        Ok(()) => anyhow!("serving has ended, and nobody had asked for it"),
        Err(err) => anyhow::Error::new(err),
    }
}

/// Hears that the process is asked to end, from when it is made on: before that, a signal ends the process as it
/// stands.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    /// None where whoever started the process wants it to outlive its terminal, as `nohup` does.
    hang_up: Option<Signal>,
}

impl Ends {
    fn listen() -> std::io::Result<Self> {
        let hang_up = SignalKind::hangup();
        let hang_up = if is_ignored(hang_up) { None } else { Some(signal(hang_up)?) };
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, hang_up })
    }

    async fn asked(&mut self) -> &'static str {
        let Self { interrupt, terminate, hang_up } = self;
        let hung_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            _ = hung_up => "SIGHUP",
        }
    }
}

/// Whether the process was started so that it does not hear a signal. Where nobody says, it does.
fn is_ignored(signal: SignalKind) -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

/// The same by what Linux says of a process.
fn ignores(status: &str, signal: SignalKind) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0);
    // The first of its bits is of signal 1.
    let bit = u32::try_from(signal.as_raw_value() - 1).ok().and_then(|place| 1_u64.checked_shl(place));
    bit.is_some_and(|bit| ignored & bit != 0)
}

/// Waits until the process is asked to end: SIGINT, SIGTERM, or SIGHUP.
pub(crate) async fn wait_for_the_end() -> anyhow::Result<&'static str> {
    Ok(Ends::listen()?.asked().await)
}

#[cfg(test)]
mod tests {
    use kit::Kit;

    use super::*;

    #[test]
    fn a_signal_that_is_ignored_from_the_start_is_known() {
        let status =
            "Name:\thoc\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(ignores(status, SignalKind::hangup()) && ignores(status, SignalKind::pipe()));
        assert!(!ignores(status, SignalKind::interrupt()) && !ignores(status, SignalKind::terminate()));
        assert!(!ignores("", SignalKind::hangup()) && !ignores("SigIgn:\tno number", SignalKind::hangup()));
    }

    #[tokio::test]
    async fn a_server_that_takes_no_connection_any_more_ends() {
        let kit = Kit::narrow("sqlite::memory:").await;
        let (stop_working, stop) = watch::channel(false);
        let mut running = Running {
            working: background::start(&kit.spine, &stop),
            spine: kit.spine.clone(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ends: Ends::listen().expect("signals"),
            stop_serving: watch::Sender::new(false),
            serving: Some(tokio::spawn(async { panic!("as a test wants it") })),
            stop_working,
        };
        let ended = timeout(Duration::from_mins(1), running.until_the_end()).await.expect("it is noticed");
        let why = format!("{:#}", ended.expect_err("nobody asked for it"));
        assert!(why.contains("no connection is taken any more") && why.contains("panicked"), "{why}");
        running.stop(Duration::from_secs(1)).await.expect("what goes on beside it ends in order");
    }
}
