//! `hoc login-link`: a link that logs in to the console, once.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use models::{
    account::{ApiKey, Role},
    ids::KeyId,
};
use orchestrator::{Clock as _, SystemClock, handlers::account};
use serde_json::json;
use tokio::net::lookup_host;

use super::{
    serve::{DEFAULT_TENANT, console_link},
    told,
};
use crate::{
    caller,
    config::{Config, Flags},
    lock::ServeLock,
    logging::{self, Voice},
    out,
    store::{self, Schema},
};

/// Print a link that logs in to the console, once
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc login-link                             as the first admin of tenant `default`
  hoc login-link --tenant acme --key key_0199...   as whoever has that key

Whoever opens the link within an hour is logged in with that key, for twelve hours at most. It
serves once, and who used it is in the system log. It works on the store itself, whether a
server runs or not.")]
pub(crate) struct Args {
    /// Slug of the tenant
    #[arg(long, value_name = "SLUG", default_value = DEFAULT_TENANT)]
    tenant: String,
    /// The key that the session is of, as `hoc keys list` shows it [default: the oldest admin key in force]
    #[arg(long, value_name = "KEY_ID")]
    key: Option<String>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let opened = store::open(&config, Schema::AsItIs).await?;
    let keys = account::list_keys_of(&opened.spine, &args.tenant)
        .await
        .map_err(|err| told::of_tenant(err, &args.tenant, &config))?;
    let key = chosen(&config, &args, keys)?;
    let link = account::create_login_link_as(&opened.spine, &caller::command_line(), key.id).await?;
    opened.db.close().await;
    let (address, runs) = served_at(&config).await?;
    let link = console_link(&config, address, &link);
    if args.json {
        out::line(json!({ "link": link, "key_id": key.id, "role": key.role, "tenant": args.tenant }));
    } else {
        let (owner, role) = (verify::shown(&key.owner), key.role);
        out::line(format!(
            "logs in as {owner}, role {role}, of tenant `{}`; once, within an hour:\n",
            args.tenant
        ));
        out::line(format!("  {link}\n"));
    }
    if !runs {
        out::note(format!("no server runs on this store: start it first, `{}`", config.command("hoc serve")));
    }
    Ok(())
}

/// The key that was asked for, or the first admin's.
fn chosen(config: &Config, args: &Args, keys: Vec<ApiKey>) -> anyhow::Result<ApiKey> {
    let now = SystemClock.now();
    let tenant = &args.tenant;
    let Some(asked) = &args.key else {
        let admin = keys.into_iter().find(|key| key.role == Role::Admin && key.in_force(now));
        return admin.with_context(|| {
            let make = config.command(&format!("hoc keys create --tenant {tenant} --role admin"));
            format!(
                "tenant `{tenant}` has no admin key in force: `{make}` makes one, or name another with --key"
            )
        });
    };
    let id: Option<KeyId> = asked.parse().ok();
    let Some(key) = keys.into_iter().find(|key| Some(key.id) == id) else {
        bail!("tenant `{tenant}` has no key {asked}: `{}` shows them", config.command("hoc keys list"));
    };
    if !key.in_force(now) {
        bail!("key {asked} is revoked or has expired: it opens nothing");
    }
    Ok(key)
}

/// Where the console is, and whether it is served now. On Postgres that is where the configuration says.
async fn served_at(config: &Config) -> anyhow::Result<(SocketAddr, bool)> {
    let listen = &config.server.listen.value;
    let holder = match config.store.sqlite_file() {
        Some(store) => ServeLock::holder(&config.store.data_dir.value, &store)?,
        None => None,
    };
    if let Some(address) = holder.as_deref().and_then(listening) {
        return Ok((address, true));
    }
    let mut addresses = lookup_host(listen).await.with_context(|| format!("cannot resolve {listen}"))?;
    let address = addresses.next().with_context(|| format!("cannot resolve {listen}"))?;
    Ok((address, config.store.sqlite_file().is_none()))
}

/// The address in what a server says of itself in its lock.
pub(super) fn listening(holder: &str) -> Option<SocketAddr> {
    holder.rsplit_once("listening on http://")?.1.trim().parse().ok()
}
