//! `[server]`: where it listens, how many it serves, how long it waits for them, and how long it finishes.

use std::time::Duration;

use anyhow::bail;
use api::Reached;

use super::{
    Flags, Shown, duration,
    origin::{Name, Setting, Sources, at_least_one},
};

pub(super) static LISTEN: Name =
    Name { section: "server", key: "listen", variable: "HOC_LISTEN", flag: Some("--listen") };
pub(super) static PUBLIC_URL: Name = name("public_url", "HOC_PUBLIC_URL");
pub(super) static STOP_WITHIN: Name = name("stop_within", "HOC_STOP_WITHIN");
pub(super) static HEAD_WITHIN: Name = name("head_within", "HOC_HEAD_WITHIN");
pub(super) static IDLE_WITHIN: Name = name("idle_within", "HOC_IDLE_WITHIN");
pub(super) static MAX_CLIENTS: Name = name("max_clients", "HOC_MAX_CLIENTS");
pub(super) static MAX_CLIENTS_PER_PEER: Name = name("max_clients_per_peer", "HOC_MAX_CLIENTS_PER_PEER");

const fn name(key: &'static str, variable: &'static str) -> Name {
    Name { section: "server", key, variable, flag: None }
}

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// `host:port`; port 0 is any that is free.
    pub(crate) listen: Setting<String>,
    /// Where browsers reach it; empty for where it listens.
    pub(crate) public_url: Setting<String>,
    /// How long calls under way may take when the server is to stop.
    pub(crate) stop_within: Setting<Duration>,
    /// How long the head of a request may take to arrive.
    pub(crate) head_within: Setting<Duration>,
    /// How long a connection may rest between calls, and an answer may wait to be taken.
    pub(crate) idle_within: Setting<Duration>,
    /// How many connections there may be.
    pub(crate) max_clients: Setting<usize>,
    /// How many of them from one address.
    pub(crate) max_clients_per_peer: Setting<usize>,
}

impl Server {
    pub(super) fn read(sources: &Sources, flags: &Flags) -> anyhow::Result<Self> {
        let listen = flags.listen.as_deref();
        let time = |name, seconds| sources.setting(name, None, Duration::from_secs(seconds), duration::some);
        let max_clients = sources.setting(&MAX_CLIENTS, None, 4_096_usize, at_least_one)?;
        let half = max_clients.value.div_ceil(2);
        Ok(Self {
            listen: sources.setting(&LISTEN, listen, "127.0.0.1:8080".to_owned(), host_and_port)?,
            public_url: sources.setting(&PUBLIC_URL, None, String::new(), origin_of)?,
            stop_within: sources.setting(&STOP_WITHIN, None, Duration::from_secs(30), duration::any)?,
            head_within: time(&HEAD_WITHIN, 10)?,
            idle_within: time(&IDLE_WITHIN, 75)?,
            max_clients_per_peer: sources.setting(&MAX_CLIENTS_PER_PEER, None, half, at_least_one)?,
            max_clients,
        })
    }

    /// How browsers reach it.
    pub(crate) fn reached(&self) -> Reached {
        if self.public_url.value.starts_with("https://") { Reached::ByHttps } else { Reached::ByHttp }
    }

    /// How many clients the server takes, where there is room for so many.
    pub(crate) fn most(&self, room: usize) -> Most {
        let (asked, of_peer) = (self.max_clients.value, self.max_clients_per_peer.value);
        let clients = asked.min(room);
        // Where there is less room in all, there is less for each.
        let of_peer = (of_peer.min(asked) * clients).div_ceil(asked);
        Most { clients, of_peer, head_within: self.head_within.value, idle_within: self.idle_within.value }
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        let length = |name, setting: &Setting<Duration>| {
            Shown::text(name, duration::text(setting.value), &setting.origin)
        };
        vec![
            Shown::text(&LISTEN, &self.listen.value, &self.listen.origin),
            Shown::text(&PUBLIC_URL, &self.public_url.value, &self.public_url.origin),
            length(&STOP_WITHIN, &self.stop_within),
            length(&HEAD_WITHIN, &self.head_within),
            length(&IDLE_WITHIN, &self.idle_within),
            Shown::number(&MAX_CLIENTS, self.max_clients.value, &self.max_clients.origin),
            Shown::number(
                &MAX_CLIENTS_PER_PEER,
                self.max_clients_per_peer.value,
                &self.max_clients_per_peer.origin,
            ),
        ]
    }
}

/// How many may be connected, and for how long without a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most {
    /// In all.
    pub(crate) clients: usize,
    /// From one address.
    pub(crate) of_peer: usize,
    /// How long the head of a request may take.
    pub(crate) head_within: Duration,
    /// How long a connection may rest between calls, and an answer may wait to be taken.
    pub(crate) idle_within: Duration,
}

/// Scheme, host and port, for the console is at the root. Empty for none, so that a file's value can be taken back.
fn origin_of(text: &str) -> anyhow::Result<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
    if !text.is_empty() && !host.is_some_and(fits) {
        bail!("`{text}` must be like https://hoc.example.com, with nothing behind the host");
    }
    Ok(text.to_owned())
}

fn host_and_port(text: &str) -> anyhow::Result<String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => bail!("`{text}` must be host:port, such as 127.0.0.1:8080"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_room_in_all_is_less_for_each() {
        let of = |clients, of_peer, room| {
            let plain = |value| Setting { value, origin: crate::config::origin::Origin::Default };
            let time =
                || Setting { value: Duration::from_secs(1), origin: crate::config::origin::Origin::Default };
            let server = Server {
                listen: Setting { value: String::new(), origin: crate::config::origin::Origin::Default },
                public_url: Setting { value: String::new(), origin: crate::config::origin::Origin::Default },
                stop_within: time(),
                head_within: time(),
                idle_within: time(),
                max_clients: plain(clients),
                max_clients_per_peer: plain(of_peer),
            };
            let most = server.most(room);
            (most.clients, most.of_peer)
        };
        assert_eq!(of(4_096, 2_048, 4_096), (4_096, 2_048));
        assert_eq!(of(4_096, 2_048, 200), (200, 100));
        assert_eq!(of(4_096, 9_999, 200), (200, 200), "behind a proxy all come from one address");
        assert_eq!(of(4_096, 1, 1), (1, 1));
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for (text, read) in [
            ("https://hoc.example.com", Some("https://hoc.example.com")),
            ("http://10.0.0.1:8080/", Some("http://10.0.0.1:8080")),
            ("", Some("")),
            ("hoc.example.com", None),
            ("https://", None),
            ("https://hoc.example.com/console", None),
            ("https://ana@hoc.example.com", None),
        ] {
            assert_eq!(origin_of(text).ok().as_deref(), read, "{text}");
        }
    }
}
