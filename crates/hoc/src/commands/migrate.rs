//! `hoc migrate`: brings a store's schema up to date, or makes a store.

use serde_json::json;

use crate::{
    config::{Config, Flags},
    logging::{self, Voice},
    out,
    store::{self, Schema},
};

/// Bring the store up to date; an empty one is made.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  HOC_DATABASE_URL=postgres://hoc@db/hoc hoc migrate

`hoc serve` does the same before it serves. Back up first: there is no way back but the backup
(docs/operations.md).")]
pub(crate) struct Args {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    logging::start(&config, Voice::Answers)?;
    let opened = store::open(&config, Schema::Migrate).await?;
    let url = config.store.shown_url();
    if args.json {
        out::line(json!({ "store": url, "applied": opened.applied }));
        return Ok(());
    }
    for name in &opened.applied {
        out::line(format!("applied {name}"));
    }
    out::line(format!("{url} is up to date"));
    Ok(())
}
