//! `hoc serve`: the server.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context as _;
use console::style;
use models::account::Role;
use orchestrator::{
    Error, Spine,
    handlers::account::{self, NewKey, Token},
};

use crate::{
    caller,
    config::{Config, Flags},
    lock::ServeLock,
    logging::{self, Voice},
    out, private, server, store,
    version::VERSION,
};

/// The tenant that there is without anybody asking for one.
pub(crate) const DEFAULT_TENANT: &str = "default";

/// Serve the API.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc serve                                            SQLite in ./hoc-data, on 127.0.0.1:8080
  hoc serve --listen 0.0.0.0:9000 --data-dir /var/lib/hoc
  HOC_ENV=production HOC_DATABASE_URL=postgres://hoc@db/hoc hoc serve
  hoc serve --print-config                             each setting, and where it comes from

The first start on an empty store makes the keys and prints, once, a link to the console and an
admin key. The server is ready when it prints `listening on http://HOST:PORT`. SIGINT and
SIGTERM stop it when the calls under way are answered; kill -9 loses no verdict that was
answered.")]
pub(crate) struct Args {
    /// host:port; port 0 is any that is free [env: HOC_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Print each setting with its origin, as a hoc.toml, and do nothing else
    #[arg(long)]
    print_config: bool,
    /// With --print-config: as JSON
    #[arg(long, requires = "print_config")]
    json: bool,
}

pub(crate) async fn run(args: Args, mut flags: Flags) -> anyhow::Result<()> {
    flags.listen = args.listen;
    let config = Config::load(&flags, "./hoc-data")?;
    if args.print_config {
        if args.json {
            out::line(config.to_json());
        } else {
            out::text(&config.to_toml());
        }
        return Ok(());
    }
    logging::start(&config, Voice::Serves)?;
    serve(&config).await
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    // An address that cannot be had makes nothing; but of a store that another server has, that is to be told.
    let bound = server::bind(&config.server.listen.value).await;
    if bound.is_err() && config.store.data_dir.value.is_dir() {
        drop(lock(config)?);
    }
    let listener = bound?;
    let lock = lock(config)?;
    let most = server::most(config);
    let config = &config.clone().with_room_for(most.clients);
    let opened = store::open_to_serve(config).await?;
    let admin = first_admin_key(&opened.spine).await?;
    let mut running = server::start(opened.spine, listener, most, config.server.reached()).await?;
    let at = format!("listening on http://{}", running.address());
    if let Some(lock) = &lock {
        lock.tell(&at)?;
    }
    tracing::info!(
        version = VERSION,
        installation = opened.installation.name,
        signing_key = opened.installation.signing_key_id,
        store = config.store.shown_url(),
        applied_migrations = opened.applied.len(),
        "ready"
    );
    match admin {
        Some(admin) => greet(config, &admin, running.address()),
        None => out::line(format!(
            "the console: {}/console   (`{}` prints a link that logs in)",
            base(config, running.address()),
            config.command("hoc login-link")
        )),
    }
    out::line(at);
    let ended = running.until_the_end().await;
    match &ended {
        Ok(signal) => {
            tracing::info!(signal, "stopping: calls under way are finished, new ones are not taken");
        }
        Err(err) => tracing::error!(error = %format_args!("{err:#}"), "stopping: this server serves no more"),
    }
    tokio::spawn(async {
        if let Ok(signal) = server::wait_for_the_end().await {
            tracing::warn!(signal, "stopping at once");
            std::process::exit(130);
        }
    });
    running.stop(config.server.stop_within.value).await?;
    opened.db.close().await;
    tracing::info!("stopped");
    drop(lock);
    ended.map(drop)
}

/// The lock of an embedded store. Many servers may share a Postgres, and a store in memory is one process's anyway.
pub(crate) fn lock(config: &Config) -> anyhow::Result<Option<ServeLock>> {
    let Some(store) = config.store.sqlite_file() else { return Ok(None) };
    let folder = &config.store.data_dir.value;
    private::folder(folder).with_context(|| format!("cannot make the data folder {}", folder.display()))?;
    ServeLock::take(folder, &store).map(Some)
}

/// An admin key and a link to the console, if nobody has ever had an admin key of the default tenant.
async fn first_admin_key(spine: &Spine) -> anyhow::Result<Option<Admin>> {
    match account::list_keys_of(spine, DEFAULT_TENANT).await {
        Ok(keys) if keys.iter().all(|key| key.role != Role::Admin) => {}
        Err(Error::NotFound { .. }) => {}
        // Nothing is written: a store that is only read is served too.
        Ok(_) => return Ok(None),
        Err(err) => return Err(err.into()),
    }
    let owner = Some("admin".to_owned());
    let new = NewKey { owner, ..NewKey::of_role(Role::Admin) };
    let made = account::create_first_key_as(spine, &caller::command_line(), DEFAULT_TENANT, new).await?;
    let Some(made) = made else { return Ok(None) };
    let link = account::create_login_link_as(spine, &caller::command_line(), made.key.id).await?;
    Ok(Some(Admin { key: made.token, link }))
}

/// What the first start gives its owner.
struct Admin {
    key: Token,
    link: Token,
}

/// The address by which somebody reaches the console, logged in once: the public one, or that of this machine.
pub(crate) fn console_link(config: &Config, address: SocketAddr, link: &Token) -> String {
    format!("{}/console/login?token={}", base(config, address), link.expose())
}

/// Where a server that listens there is reached.
fn base(config: &Config, address: SocketAddr) -> String {
    let mut reachable = address;
    if address.ip().is_unspecified() {
        reachable.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    let public = &config.server.public_url.value;
    if public.is_empty() { format!("http://{reachable}") } else { public.clone() }
}

/// What whoever starts an empty store must know. The key is shown here and nowhere else, ever.
fn greet(config: &Config, admin: &Admin, address: SocketAddr) {
    let folder = config.keys.signing_key_file.value.parent().unwrap_or(&config.keys.signing_key_file.value);
    out::line(format!(
        "\n{title}\n\n\
         The installation's own keys are in {folder}. Back them up apart from the store: without them the store cannot\n\
         be served, and with them and the store anybody can sign anything.\n\n\
         The console, logged in as admin of tenant `{DEFAULT_TENANT}`; the link serves once, within an hour:\n\n  \
         {link}\n\n\
         The admin key of that tenant is shown this once:\n\n  \
         export KEY={key}\n  \
         curl -s {base}/api/v1/account/whoami -H \"Authorization: Bearer $KEY\"\n\n\
         Next:\n\n  \
         {agent_key}     a key for an agent\n  \
         {link_again}     another link to the console\n  \
         {public} > hoc.pub     what others verify with\n",
        agent_key = config.command("hoc keys create --role agent --agent my-agent"),
        link_again = config.command("hoc login-link"),
        public = config.command("hoc keys public"),
        title = style("hoc: a store that nobody has a key to yet").bold(),
        base = base(config, address),
        folder = folder.display(),
        link = console_link(config, address, &admin.link),
        key = admin.key.expose(),
    ));
}
