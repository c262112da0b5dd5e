//! `hoc erase`: what is kept of a run's texts, for good.

use anyhow::bail;
use models::ids::RunId;
use orchestrator::handlers::{account, logs};
use serde_json::json;

use crate::{
    config::{Config, Flags},
    logging::{self, Voice},
    out,
    store::{self, Schema},
};

/// Erase what is kept of a sealed run's prompts, responses, parameters and results
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  hoc erase run_0199... --by ann --reason \"its subject asked for it\"

There is no way back. The run's records stay, and all that proves them: a bundle that is made
after it verifies, and says who erased it and how much. Backups and bundles of before still have
the texts, and so has every other run in which they were said. Works on the store itself, whether
a server runs or not.")]
pub(crate) struct Args {
    /// The run's id
    #[arg(value_name = "RUN")]
    run: String,
    /// The person who answers for it, for whoever reads the run log
    #[arg(long, value_name = "WHO")]
    by: String,
    /// Why, for whoever reads the run log; what identifies a person is redacted
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print one line of JSON about what was erased
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let Ok(run) = args.run.parse::<RunId>() else {
        bail!("`{}` is no run id: it begins with run_ and has 32 hex digits after it", args.run);
    };
    let opened = store::open(&config, Schema::AsItIs).await?;
    let Some(tenant) = account::tenant_of_run(&opened.spine, run).await? else {
        bail!("there is no run {run} in {}", config.store.shown_url());
    };
    let erased = logs::erase_contents(&opened.spine, tenant.id, run, &args.by, &args.reason);
    let erased = Box::pin(erased).await?;
    opened.db.close().await;
    let (texts, bytes) = (erased.text_count, erased.text_bytes);
    if args.json {
        out::line(json!({ "run_id": run, "tenant": tenant.slug, "texts": texts, "bytes": bytes }));
    } else {
        out::line(format!("{run}: {texts} texts of {bytes} bytes are erased"));
    }
    Ok(())
}
