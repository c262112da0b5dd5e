//! `hoc demo`: the whole of the main job in under a minute, through the same API that agents use.

mod conversation;
mod play;
mod scene;
mod screen;

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use console::style;
use serde_json::{Value, json};
use verify::{Options, Word};

use self::{
    conversation::Conversation,
    play::Agent,
    scene::Scene,
    screen::{Screen, Timeline},
};
use crate::{
    commands::{
        serve,
        verify::{
            file::{document, kept_steps},
            log::own_keys,
        },
    },
    config::{Config, Flags},
    logging::{self, Voice},
    out,
    output::{Own, write_whole},
    server,
    store::{self, Opened},
};

/// Between two verdicts, where somebody watches.
const PACE: Duration = Duration::from_millis(300);

/// Play a real agent conversation through a server, seal it, verify its evidence
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc demo                                              then look around: the server stays open
  hoc demo --once                                       ends by itself
  hoc demo --once --json                                the same for machines: one line at its end
  HOC_DATABASE_URL=postgres://hoc@db/hoc hoc demo --once

The conversation is a recorded one: its prompts, tool calls and tokens are played, no model is
called. The demo makes a tenant of its own each time, a rule that blocks and a budget that runs
out. It keeps what it makes in ./hoc-demo, or in the store and folder that HOC_DATABASE_URL and
HOC_DATA_DIR name, and listens on any free port unless HOC_LISTEN names one.")]
pub(crate) struct Args {
    /// End when the bundle is verified, instead of leaving the server open
    #[arg(long)]
    once: bool,
    /// One line of JSON when the bundle is verified: what was decided, the files, what was checked
    #[arg(long)]
    json: bool,
    /// host:port [env: HOC_LISTEN] [default: any free port of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

pub(crate) async fn run(args: Args, mut flags: Flags) -> anyhow::Result<()> {
    flags.listen = args.listen;
    let config = configure(&flags)?;
    logging::start(&config, Voice::Answers)?;
    let lock = serve::lock(&config)?;
    let most = server::most(&config);
    let config = config.with_room_for(most.clients);
    let opened = store::open_to_serve(&config).await?;
    let listen = &config.server.listen;
    let listener = server::bind(if listen.is_given() { &listen.value } else { "127.0.0.1:0" }).await?;
    let mut running = server::start(opened.spine.clone(), listener, most, config.server.reached()).await?;
    if let Some(lock) = &lock {
        lock.tell(&format!("the demo on http://{}", running.address()))?;
    }
    let scene = Scene::set(&opened.spine, running.address()).await?;
    let screen = if args.json { Screen::none() } else { Screen::of_terminal() };
    let played = play(&config, &opened, &scene, screen).await;
    let played = match played {
        Ok(mut told) => {
            if args.json {
                if !args.once {
                    told["console"] = serve::console_link(&config, scene.address, &scene.link).into();
                    told["admin_key"] = scene.admin.expose().into();
                }
                out::line(told);
            } else if !args.once {
                look_around(&config, &scene);
            }
            if args.once { Ok(()) } else { running.until_the_end().await.map(drop) }
        }
        Err(err) => Err(err),
    };
    running.stop(config.server.stop_within.value).await?;
    opened.db.close().await;
    drop(lock);
    played
}

/// The demo has a folder of its own, unless somebody names a store.
fn configure(flags: &Flags) -> anyhow::Result<Config> {
    let config = Config::load(flags, "./hoc-demo")?;
    if config.store.database_url.is_given() {
        return Config::load(flags, "./hoc-data");
    }
    Ok(config)
}

/// The whole of it; gives what there is to tell of it to a machine.
async fn play(config: &Config, opened: &Opened, scene: &Scene, screen: Screen) -> anyhow::Result<Value> {
    let conversation = Conversation::captured()?;
    screen.opening(scene, &config.store.shown_url(), &conversation);
    let mut agent = Agent::start(scene, &conversation).await?;
    screen.run_started(&agent.run_id);
    let mut timeline = Timeline::of(&conversation);
    let mut steps = Vec::new();
    for turn in &conversation.turns {
        let played = agent.play(turn).await?;
        screen.print(timeline.lines(screen, turn, &played));
        steps.push(
            json!({ "step_index": played.step_index, "what": turn.title(), "verdict": played.verdict }),
        );
        if screen.is_watched() {
            tokio::time::sleep(PACE).await;
        }
    }
    let incidents = play::incidents(scene, &agent.run_id).await?;
    screen.incidents(&incidents);
    let run = agent.complete().await?;
    screen.sealed(&run);
    let bundle = play::bundle(scene, &agent.run_id).await?;
    let folder = &config.store.data_dir.value;
    let file = folder.join(format!("{}.bundle.json", agent.run_id));
    let own = Own::of(config);
    write_whole(&file, &own, &bundle)?;
    screen.named("bundle", &format!("{} ({} bytes)", file.display(), bundle.len()));
    let public = folder.join("public.pem");
    let keys = own_keys(&opened.spine).await?;
    let pem: String = keys.iter().map(proof::keys::PublicKey::to_pem).collect();
    write_whole(&public, &own, pem.as_bytes())?;
    let verified = check(&file, &public, &agent.seen, screen)?;
    Ok(json!({
        "run_id": agent.run_id,
        "tenant": scene.tenant,
        "server": format!("http://{}", scene.address),
        "steps": steps,
        "incidents": incidents,
        "run": run,
        "bundle": file,
        "public_keys": public,
        "verified": verified,
    }))
}

/// From here on nothing but the two files and what the agent kept: no store, no server.
fn check(file: &Path, public: &Path, seen: &str, screen: Screen) -> anyhow::Result<Value> {
    let bundle = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let pem = fs::read_to_string(public).with_context(|| format!("cannot read {}", public.display()))?;
    let keys = proof::keys::PublicKey::all_from_pem(&pem)?;
    let options = Options { seen: kept_steps(seen)?, reexecute: true, ..Options::default() };
    let report = verify::bundle(&bundle, &keys, &options)?;
    // A command is not folded: it is there to be copied.
    screen.print([format!(
        "  {}    hoc verify {} --key {} --reexecute",
        style("verify").cyan(),
        file.display(),
        public.display()
    )]);
    report.checks.iter().for_each(|check| screen.check(check));
    screen.print(report.grade.map(|grade| format!("            grade {grade}")));
    if report.word != Word::Complete {
        bail!("the bundle is {}: that is a bug, please report it with {}", report.word, file.display());
    }
    screen.print([format!("\n{}", style(report.word).green().bold())]);
    Ok(document(&report))
}

fn look_around(config: &Config, scene: &Scene) {
    let at = format!("http://{}/api/v1/runtime", scene.address);
    let key = scene.admin.expose();
    out::line(format!(
        "\nThe server stays open; Ctrl-C ends it. The console, logged in once as admin of tenant {tenant}:\n\n  \
         {link}\n\n\
         Or the API, with its admin key:\n\n  \
         export KEY={key}\n  \
         curl -s {at}/overview/highlights -H \"Authorization: Bearer $KEY\"\n  \
         curl -s {at}/activity/runs -H \"Authorization: Bearer $KEY\"\n  \
         curl -s {at}/incidents -H \"Authorization: Bearer $KEY\"\n  \
         curl -s {at}/logs/audit -H \"Authorization: Bearer $KEY\"\n  \
         curl -s http://{address}/api/v1/openapi.json",
        tenant = scene.tenant,
        address = scene.address,
        link = serve::console_link(config, scene.address, &scene.link),
    ));
}
