//! `hoc bench-commits`: what the store itself commits in a second, for `cargo xtask bench` to compare steps with.

use std::time::Duration;

use orchestrator::bench;
use serde_json::json;

use crate::{
    config::{Config, Flags},
    out, store,
};

/// Commit small rows for a while, on a store that is thrown away: they stay in it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many commit at the same time
    #[arg(long, default_value_t = 1)]
    callers: usize,
    /// For how long
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Print one line of JSON, with what each commit took
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(&flags, "./hoc-data")?;
    let db = store::look(&config).await?;
    let commits = bench::commits(&db, args.callers, Duration::try_from_secs_f64(args.seconds)?).await?;
    db.close().await;
    let per_second = commits.per_second();
    if args.json {
        let micros: Vec<u128> = commits.latencies.iter().map(Duration::as_micros).collect();
        out::line(json!({ "commits_per_second": per_second, "latencies_us": micros }));
    } else {
        out::line(format!("{per_second:.0} commits a second at {} callers", args.callers));
    }
    Ok(())
}
