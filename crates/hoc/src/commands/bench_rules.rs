//! `hoc bench-rules`: what evaluating a step takes in process, for `cargo xtask bench`.

use orchestrator::bench;
use serde_json::json;

use crate::out;

/// Evaluate a step against rules of which five apply, in process, and print one line of JSON.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// How many rules there are
    #[arg(long, default_value_t = 100)]
    rules: usize,
    /// How often it is evaluated
    #[arg(long, default_value_t = 20_000)]
    times: usize,
}

pub(crate) fn run(args: &Args) {
    let took = bench::evaluations(args.rules, args.times);
    let nanos: Vec<u128> = took.iter().map(std::time::Duration::as_nanos).collect();
    out::line(json!({ "rules": args.rules, "latencies_ns": nanos }));
}
