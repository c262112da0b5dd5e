//! The server: the one that serves this store, and no other's that happens to listen where one would.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use hyper::Method;
use serde_json::Value;
use tokio::{net::lookup_host, time::timeout};

use super::findings::Findings;
use crate::{causes, commands::login_link::listening, config::Config, http::Client, lock::ServeLock};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server may take to notice that a loss was accepted.
const NOTICES_WITHIN: Duration = Duration::from_secs(15);

/// What answers at an address.
struct Answers {
    status: u16,
    said: String,
    /// The signing keys that it publishes; none where it does not say them.
    keys: Option<Vec<String>>,
}

impl Answers {
    /// Whether it serves the store that has this signing key; none where that cannot be told.
    fn serves(&self, signing_key: Option<&str>) -> Option<bool> {
        let (key, keys) = (signing_key?, self.keys.as_ref()?);
        Some(keys.iter().any(|its| its == key))
    }
}

/// Whether this store is served, and by a server that is ready. That none serves it is no failure. `signing_key` is the
/// store's; `accepted`: a loss may have been accepted a moment ago, which a server that runs is still to notice.
pub(super) async fn look(
    config: &Config,
    signing_key: Option<&str>,
    accepted: bool,
    findings: &mut Findings,
) {
    let listen = &config.server.listen.value;
    let folder = &config.store.data_dir.value;
    let own = match config.store.sqlite_file().map(|store| ServeLock::holder(folder, &store)) {
        None => None,
        Some(Ok(holder)) => Some(holder),
        Some(Err(err)) => {
            return findings.failed(
                "server",
                causes::line(err.as_ref()),
                "who serves the store cannot be told",
            );
        }
    };
    // Whoever holds the lock of an embedded store serves it, wherever that is.
    let holds_it = matches!(own, Some(Some(_)));
    let at = match own {
        Some(Some(holder)) => match listening(&holder) {
            Some(address) => address.to_string(),
            None => {
                return findings.note(
                    "server",
                    format!("{holder}: it does not say where it listens"),
                    "look again; if it goes on, restart it: its serve.lock was removed",
                );
            }
        },
        Some(None) => return none_serves(config, listen, findings).await,
        None => listen.clone(),
    };
    let begun = Instant::now();
    loop {
        match timeout(PATIENCE, ask(&at)).await {
            Ok(Ok(None)) => return none(config, &at, findings),
            Ok(Ok(Some(found))) if found.serves(signing_key) == Some(false) => {
                return findings.note(
                    "server",
                    format!(
                        "http://{at} answers, and serves another store: its keys are {}",
                        found.keys.unwrap_or_default().join(", ")
                    ),
                    format!("`{}` serves this one", config.command("hoc serve")),
                );
            }
            Ok(Ok(Some(found))) if found.serves(signing_key).is_none() && !holds_it => {
                let whose =
                    if signing_key.is_none() { "this store's signing key" } else { "its signing keys" };
                return findings.note(
                    "server",
                    format!("http://{at} answers; whether it serves this store cannot be told, for {whose} cannot be read"),
                    "compare http://HOST:PORT/.well-known/hoc/keys with `hoc keys public`",
                );
            }
            Ok(Ok(Some(Answers { status: 200, .. }))) => {
                return findings.ok("server", format!("http://{at} serves this store, and is ready"));
            }
            Ok(Ok(Some(_))) if accepted && begun.elapsed() < NOTICES_WITHIN => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(Ok(Some(Answers { status, said, .. }))) => {
                // As it is told of a store that lost something.
                let advice = if said.contains("--accept-restore") {
                    "where no loss is told above, or another: it has seen more than the checkpoint folders of this command \
                     have. Run the command once more with those that the server's log names, in HOC_CHECKPOINT_FOLDERS"
                } else {
                    "see its log"
                };
                let why = format!("http://{at}/readyz answers {status}: {said}");
                return findings.failed("server", why, advice);
            }
            Ok(Err(err)) => {
                let why = format!("http://{at}: {}", causes::line(err.as_ref()));
                return findings.failed("server", why, "is it a server of ours?");
            }
            Err(_) => {
                let why = format!("http://{at} does not answer in {} s", PATIENCE.as_secs());
                return findings.failed("server", why, "see its log");
            }
        }
    }
}

/// Asks the server of this store, where one answers, whether it is ready. One that has met a loss has what it missed
/// written down before it answers that, for whoever looks outside the store after this.
pub(super) async fn have_it_look(config: &Config) {
    let store = config.store.sqlite_file();
    let at = match store.map(|store| ServeLock::holder(&config.store.data_dir.value, &store)) {
        None => config.server.listen.value.clone(),
        Some(Ok(Some(holder))) => match listening(&holder) {
            Some(address) => address.to_string(),
            None => return,
        },
        Some(Ok(None) | Err(_)) => return,
    };
    // What it answers is told at the end, by [`look`].
    _ = timeout(PATIENCE, ask(&at)).await;
}

fn none(config: &Config, at: &str, findings: &mut Findings) {
    let start = format!("`{}` starts one", config.command("hoc serve"));
    findings.note("server", format!("none listens on {at}"), start);
}

/// Nobody has the lock; but somebody may answer where a server of this store would.
async fn none_serves(config: &Config, listen: &str, findings: &mut Findings) {
    let start = format!("`{}` starts one", config.command("hoc serve"));
    match timeout(PATIENCE, ask(listen)).await {
        Ok(Ok(None)) => none(config, listen, findings),
        Ok(Ok(Some(found))) => {
            let other = if found.keys.is_some() { "serves another" } else { "is something else" };
            findings.note(
                "server",
                format!("none serves this store; what answers at http://{listen} {other}"),
                format!("{start}, at an address of its own (--listen)"),
            );
        }
        _ => findings.note("server", "none serves this store".to_owned(), start),
    }
}

/// What answers there; none where nothing listens.
async fn ask(at: &str) -> anyhow::Result<Option<Answers>> {
    let addresses: Vec<SocketAddr> = lookup_host(at).await?.filter(|address| address.port() != 0).collect();
    for address in addresses {
        let Ok(mut client) = Client::connect(address).await else { continue };
        let ready = client.call(Method::GET, "/readyz", None, None).await?;
        let published = client.call(Method::GET, "/.well-known/hoc/keys", None, None).await?;
        let published: Value = serde_json::from_slice(&published.body).unwrap_or_default();
        let id = |key: &Value| key["key_id"].as_str().map(str::to_owned);
        let keys = published["keys"].as_array().map(|keys| keys.iter().filter_map(id).collect());
        let said = String::from_utf8_lossy(&ready.body).into_owned();
        return Ok(Some(Answers { status: ready.status, said, keys }));
    }
    Ok(None)
}
