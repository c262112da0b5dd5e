//! `hoc openapi`: the HTTP contract.

use crate::out;

/// Print the OpenAPI document of the API
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  hoc openapi > openapi.json")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> anyhow::Result<()> {
    out::line(serde_json::to_string_pretty(&api::openapi())?);
    Ok(())
}
