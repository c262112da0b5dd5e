//! `hoc bench-rows`: many rows of a list, for `cargo xtask bench` to read pages of.

use anyhow::bail;
use clap::ValueEnum;
use orchestrator::bench::{self, Rows};

use crate::{
    config::{Config, Flags, installation::Environment},
    out, store,
};

/// Multiply the rows of a list, on a store that is thrown away: no log has what is added.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Which list
    #[arg(long)]
    list: List,
    /// How many were added before
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many there are to be
    #[arg(long)]
    until: u64,
    /// Whose
    #[arg(long, default_value = "default")]
    tenant: String,
    /// That nobody needs the store: what is added cannot be proven, nor taken away
    #[arg(long, required = true)]
    throw_away: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum List {
    Runs,
    Audit,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    if config.installation.env.value == Environment::Production || !args.throw_away {
        bail!(
            "rows that no log has are for a store that is thrown away, and HOC_ENV=production says that this is none"
        );
    }
    let db = store::look(&config).await?;
    let rows = match args.list {
        List::Runs => Rows::Runs,
        List::Audit => Rows::Audit,
    };
    bench::multiply(&db, &args.tenant, rows, args.from, args.until).await?;
    db.close().await;
    out::line(format!("{} rows", args.until));
    Ok(())
}
