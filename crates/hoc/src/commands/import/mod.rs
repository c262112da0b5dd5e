//! `hoc import`: brings in what was recorded elsewhere.

mod bodies;
mod otlp;

use std::process::ExitCode;

use crate::config::Flags;

/// Bring in what was recorded elsewhere
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    Otlp(otlp::Args),
}

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Otlp(args) => otlp::run(args, flags).await,
    }
}
