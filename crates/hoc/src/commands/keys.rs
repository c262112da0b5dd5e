//! `hoc keys`: API keys of tenants, and the public keys that others verify with.

use std::time::{Duration, Instant};

use anyhow::bail;
use drivers::Db;
use models::{
    account::{AgentNames, ApiKey, OwnerType, Role},
    bounds,
};
use orchestrator::{
    Entropy as _, SystemEntropy,
    handlers::account::{self, NewKey},
};
use serde_json::{Value, json};
use verify::shown;

use super::{
    serve::{self, DEFAULT_TENANT},
    told,
};
use crate::{
    caller,
    config::{Config, Flags},
    logging::{self, Voice},
    out,
    store::{self, Schema},
};

/// How long sessions of a server that has just ended may be seen, and how often they are looked for.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(50);

/// Make, list and revoke keys; print the public ones.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
All of these work on the store itself, and all but `rotate` whether a server runs or not; changes
are in force at once.

Examples:
  hoc keys create --role agent --agent billing-bot
  hoc keys create --role auditor --tenant acme --owner ana@example.com --json
  hoc keys list --tenant acme
  hoc keys revoke key_0199...
  hoc keys public > hoc.pub
  hoc keys rotate                     another signing key, while no server runs;
                                      publish `hoc keys public` anew")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    /// Make a key; it is shown once
    #[command(after_help = "\
Roles:
  agent      starts runs, asks for permits, records steps; sees its own runs
  viewer     reads runs, policies, incidents, logs
  operator   and handles incidents, stops runs, reads evidence and proof
  policy     viewer, and rules, limits and freezes
  auditor    viewer, and evidence, proof, bundles
  admin      everything, keys and settings included

An agent's key begins runs as the agents that --agent names, or with --any-agent as any; a
limit, a rule or a freeze of an agent holds for whoever has no key of another. A tenant that is
missing is made. So is a store, at a place that was named (a flag, a HOC_* variable, hoc.toml);
in ./hoc-data only with --new-store. With --json the last line is
{\"key_id\",\"key\",\"role\",\"tenant\"}.")]
    Create {
        /// What the key may do
        #[arg(long, value_parser = role)]
        role: Role,
        /// Slug of the tenant
        #[arg(long, value_name = "SLUG", default_value = DEFAULT_TENANT)]
        tenant: String,
        /// Whose it is: a person's or a service's name, as records will show it [default: the role's name]
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// Whether the owner is a person or a service [default: service for role agent, else person]
        #[arg(long, value_name = "TYPE", value_parser = owner_type)]
        owner_type: Option<OwnerType>,
        /// An agent that a key of role agent begins runs as, or a pattern with `*`; again for more
        #[arg(long, value_name = "NAME_OR_PATTERN")]
        agent: Vec<String>,
        /// A key of role agent begins runs as any agent
        #[arg(long, conflicts_with = "agent")]
        any_agent: bool,
        /// Make a store where there is none, although nobody said where
        #[arg(long)]
        new_store: bool,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// List a tenant's keys, without their secrets
    List {
        /// Slug of the tenant
        #[arg(long, value_name = "SLUG", default_value = DEFAULT_TENANT)]
        tenant: String,
        /// Print one line of JSON for each
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key, for good
    Revoke {
        /// Its id, as `create` and `list` show it
        #[arg(value_name = "KEY_ID")]
        key: String,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Make another key the one that signs, while no server runs; the old one says so in every log
    Rotate {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the public keys that verify bundles and logs: active and retired, PEM, nothing else
    Public,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| format!("one of {}", names(Role::ALL)))
}

fn owner_type(text: &str) -> Result<OwnerType, String> {
    text.parse().map_err(|_| format!("one of {}", names(OwnerType::ALL)))
}

fn names<W: std::fmt::Display>(words: &[W]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    match args.command {
        Command::Create { role, tenant, owner, owner_type, agent, any_agent, new_store, json } => {
            if !new_store {
                store::refuse_to_guess(&config)?;
            }
            let agents = agents(role, agent, any_agent)?;
            // Nobody named an owner, so nobody is told that the names of many agents are too long for one.
            let named = agents.as_ref().map(ToString::to_string);
            let named = named.filter(|named| named.chars().count() <= bounds::NAME);
            let owner = owner.or(named).or_else(|| Some(role.to_string()));
            create(&config, &tenant, NewKey { owner, owner_type, agents, ..NewKey::of_role(role) }, json)
                .await
        }
        Command::List { tenant, json } => list(&config, &tenant, json).await,
        Command::Revoke { key, json } => revoke(&config, &key, json).await,
        Command::Rotate { json } => rotate(&config, json).await,
        Command::Public => public(&config).await,
    }
}

/// The agents that a key is bound to. An agent's key is bound, or somebody said in so many words that it is not.
fn agents(role: Role, names: Vec<String>, any: bool) -> anyhow::Result<Option<AgentNames>> {
    match (role, names.is_empty()) {
        (Role::Agent, true) if !any => bail!(
            "a key of role agent says which agents it begins runs as: --agent NAME (again for more; NAME may be a \
             pattern, such as 'billing-*'), or --any-agent"
        ),
        (Role::Agent, true) => Ok(None),
        (Role::Agent, false) if names.iter().any(|name| name.trim().is_empty()) => {
            bail!("--agent: must not be empty")
        }
        (Role::Agent, false) => Ok(Some(AgentNames(names))),
        (_, empty) if any || !empty => {
            bail!("--agent and --any-agent are for keys of role agent, not {role}")
        }
        _ => Ok(None),
    }
}

async fn create(config: &Config, tenant: &str, new: NewKey, json: bool) -> anyhow::Result<()> {
    let opened = store::open(config, Schema::MakeIfEmpty).await?;
    let tenants = account::list_tenants(&opened.spine).await?;
    let made = account::create_key_as(&opened.spine, &caller::command_line(), tenant, new)
        .await
        .map_err(told::of_flags)?;
    opened.db.close().await;
    let store = config.store.shown_url();
    if !opened.applied.is_empty() {
        let keys = opened.keys.signing.parent().unwrap_or(&opened.keys.signing).display().to_string();
        out::note(format!(
            "made a new store, {store}, and its keys in {keys}; `{}` serves it",
            config.command("hoc serve")
        ));
    }
    if tenants.iter().all(|known| known.slug != made.tenant) {
        let others: Vec<&str> = tenants.iter().map(|tenant| tenant.slug.as_str()).collect();
        let others =
            if others.is_empty() { String::new() } else { format!("; there were {}", others.join(", ")) };
        out::note(format!("made tenant `{}`{others}", made.tenant));
    }
    let (key, token) = (&made.key, made.token.expose());
    if json {
        out::line(json!({ "key_id": key.id, "key": token, "role": key.role, "tenant": made.tenant }));
    } else {
        let (id, role, owner, tenant) = (key.id, key.role, &key.owner, &made.tenant);
        let agents = key.agents.as_ref().map(|agents| format!(", agents {agents}")).unwrap_or_default();
        out::line(format!(
            "{id}, role {role}{agents}, owner {owner}, tenant {tenant}, in the store {store}. The key is shown this \
             once:\n\n    {token}\n"
        ));
    }
    Ok(())
}

async fn list(config: &Config, tenant: &str, json: bool) -> anyhow::Result<()> {
    let opened = store::open(config, Schema::AsItIs).await?;
    let keys = account::list_keys_of(&opened.spine, tenant)
        .await
        .map_err(|err| told::of_tenant(err, tenant, config))?;
    if json {
        for key in &keys {
            out::line(of(key));
        }
        return Ok(());
    }
    out::line(format!("keys of tenant `{tenant}` in the store {}", config.store.shown_url()));
    if keys.is_empty() {
        let make = config.command(&format!("hoc keys create --tenant {tenant} --role admin"));
        out::line(format!("none yet: `{make}` makes one"));
        return Ok(());
    }
    out::line(format!(
        "{:<36}  {:<8}  {:<20}  {:<20}  {:<20}  {}",
        "KEY", "ROLE", "OWNER", "AGENTS", "MADE", "STATE"
    ));
    for key in keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {}", second(at)),
            (None, Some(at)) => format!("until {}", second(at)),
            (None, None) => "in force".to_owned(),
        };
        let (id, role, owner) = (key.id, key.role.as_str(), shown(&key.owner));
        let agents = match &key.agents {
            Some(agents) => shown(&agents.to_string()).into_owned(),
            None if key.role == Role::Agent => "any".to_owned(),
            None => String::new(),
        };
        let made = second(key.created_at);
        out::line(format!("{id:<36}  {role:<8}  {owner:<20}  {agents:<20}  {made:<20}  {state}"));
    }
    Ok(())
}

async fn revoke(config: &Config, key: &str, json: bool) -> anyhow::Result<()> {
    let Ok(id) = key.parse() else {
        anyhow::bail!("`{key}` is no key id: that is key_ and 32 hex digits (`hoc keys list` shows them)");
    };
    let opened = store::open(config, Schema::AsItIs).await?;
    let key = account::revoke_key_as(&opened.spine, &caller::command_line(), id).await?;
    opened.db.close().await;
    if json {
        out::line(of(&key));
    } else {
        let (id, owner) = (key.id, shown(&key.owner));
        let store = config.store.shown_url();
        out::line(format!(
            "{id} of {owner} is revoked in the store {store}; servers that run on it refuse it within a second"
        ));
    }
    Ok(())
}

async fn rotate(config: &Config, json: bool) -> anyhow::Result<()> {
    let lock = serve::lock(config)?;
    let opened = store::open(config, Schema::AsItIs).await?;
    refuse_while_served(&opened.db).await?;
    let new = opened.keys.next(|| SystemEntropy.secret())?;
    let (old, key_id) = (&opened.installation.signing_key_id, new.public().id());
    account::rotate_signing_key(&opened.spine, &new.public(), &caller::command_line()).await?;
    opened.keys.finish_rotation(&key_id)?;
    opened.db.close().await;
    drop(lock);
    if json {
        out::line(json!({ "old_key_id": old, "new_key_id": key_id }));
    } else {
        let file = opened.keys.signing.display();
        out::line(format!(
            "key {key_id} signs from now on; it is in {file}, and {old} beside it. Give every server the new file and \
             start it again: with the old one it is refused, and one that runs on signs nothing. Publish `hoc keys \
             public` anew: it has both"
        ));
    }
    Ok(())
}

/// A server signs nothing once its key is replaced. Those of an embedded store are kept away by its lock.
async fn refuse_while_served(db: &Db) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let from = db.served_from().await?;
        if from.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > LEAVES_WITHIN {
            let from: Vec<String> = from.into_iter().filter(|from| !from.is_empty()).collect();
            let from = if from.is_empty() { String::new() } else { format!(", from {}", from.join(", ")) };
            bail!(
                "this store is served{from}: stop every server of it first, for with the old key it would sign nothing. (In \
                 pg_stat_activity they are called `hoc serve`; one whose machine is gone is seen for some ten seconds more)"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn public(config: &Config) -> anyhow::Result<()> {
    let db = store::look(config).await?;
    for key in account::public_keys_of(&db).await? {
        out::text(&key.public_key);
    }
    Ok(())
}

fn of(key: &ApiKey) -> Value {
    json!({
        "key_id": key.id,
        "role": key.role,
        "owner": key.owner,
        "owner_type": key.owner_type,
        "created_at": models::time::text(key.created_at),
        "agents": key.agents,
        "expires_at": key.expires_at.map(models::time::text),
        "revoked_at": key.revoked_at.map(models::time::text),
        "last_used_at": key.last_used_at.map(models::time::text),
    })
}

fn second(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
