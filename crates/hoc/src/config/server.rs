//! `[server]`: where it listens, and how long it finishes.

use std::time::Duration;

use anyhow::bail;

use super::{
    Flags, Shown, duration,
    origin::{Name, Setting, Sources},
};

pub(super) static LISTEN: Name =
    Name { section: "server", key: "listen", variable: "HOC_LISTEN", flag: Some("--listen") };
pub(super) static STOP_WITHIN: Name =
    Name { section: "server", key: "stop_within", variable: "HOC_STOP_WITHIN", flag: None };

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// `host:port`; port 0 is any that is free.
    pub(crate) listen: Setting<String>,
    /// How long calls under way may take when the server is to stop.
    pub(crate) stop_within: Setting<Duration>,
}

impl Server {
    pub(super) fn read(sources: &Sources, flags: &Flags) -> anyhow::Result<Self> {
        let listen = flags.listen.as_deref();
        Ok(Self {
            listen: sources.setting(&LISTEN, listen, "127.0.0.1:8080".to_owned(), host_and_port)?,
            stop_within: sources.setting(&STOP_WITHIN, None, Duration::from_secs(30), duration::parse)?,
        })
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        vec![
            Shown::text(&LISTEN, &self.listen.value, &self.listen.origin),
            Shown::text(&STOP_WITHIN, duration::text(self.stop_within.value), &self.stop_within.origin),
        ]
    }
}

fn host_and_port(text: &str) -> anyhow::Result<String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => bail!("`{text}` must be host:port, such as 127.0.0.1:8080"),
    }
}
