//! L1. The `hoc` binary: reads its configuration, builds the parts, and runs one command.

mod caller;
mod causes;
mod commands;
mod config;
mod demo;
mod failure;
mod gzip;
mod http;
mod keyfiles;
mod lock;
mod logging;
mod out;
mod output;
mod packed;
mod packing;
mod private;
mod progress;
mod server;
mod store;
mod unpacking;
mod version;
mod whole;

use std::process::ExitCode;

use clap::Parser as _;
use commands::{
    bench_rows, bench_rules, bundle, doctor, erase, facts, import, jobs, keys, login_link, migrate, openapi,
    serve, verify,
};

/// A step is hundreds of small allocations on one thread that another frees; the system's allocator is slow at that. It
/// asks for no huge pages: see [`small_pages`].
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The governor and the flight recorder of AI agent runs
///
/// HOC decides every step of a run before the step counts, records it so that a stranger can check the record with a
/// public key alone, and shows people what needs them.
#[derive(Clone, Debug, clap::Parser)]
#[command(
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Start here:
  hoc demo      a real agent conversation, governed, sealed and verified, in under a minute
  hoc serve     a server on an embedded store in ./hoc-data

Settings come from flags, HOC_* variables and hoc.toml, in this order; `hoc serve --print-config`
shows each value and where it came from. `hoc COMMAND --help` has examples."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: config::Flags,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Migrate(migrate::Args),
    Keys(keys::Args),
    LoginLink(login_link::Args),
    Import(import::Args),
    Bundle(bundle::Args),
    Erase(erase::Args),
    Verify(Box<verify::Args>),
    Doctor(doctor::Args),
    Jobs(jobs::Args),
    Facts(facts::Args),
    Openapi(openapi::Args),
    #[command(hide = true)]
    BenchRows(bench_rows::Args),
    #[command(hide = true)]
    BenchRules(bench_rules::Args),
}

fn main() -> ExitCode {
    small_pages();
    let Cli { command, flags } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(err) => return out::usage(&err),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(err) => {
            out::note(format!("error: cannot start: {err}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(command, flags)).unwrap_or_else(|err| {
        out::note(format!("error: {}", failure::told(&err)));
        ExitCode::FAILURE
    });
    out::ended(ended)
}

/// Has the system give memory in small pages, also where it gives huge ones unasked: of those a few bytes keep two
/// megabytes, and a server that does nothing is half as large again.
fn small_pages() {
    // Nothing depends on it, and where a sandbox forbids it there is nobody to tell yet.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

async fn run(command: Command, flags: config::Flags) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => serve::run(args, flags).await?,
        Command::Demo(args) => demo::run(args, flags).await?,
        Command::Migrate(args) => migrate::run(args, flags).await?,
        Command::Keys(args) => keys::run(args, flags).await?,
        Command::LoginLink(args) => Box::pin(login_link::run(args, flags)).await?,
        Command::Erase(args) => Box::pin(erase::run(args, flags)).await?,
        Command::Bundle(args) => return Box::pin(bundle::run(args, flags)).await,
        Command::Import(args) => return import::run(args, flags).await,
        Command::Verify(args) => return Box::pin(verify::run(*args, flags)).await,
        Command::Doctor(args) => return Box::pin(doctor::run(args, flags)).await,
        Command::Jobs(args) => return Box::pin(jobs::run(args, flags)).await,
        Command::Facts(args) => facts::run(&args)?,
        Command::Openapi(args) => openapi::run(&args)?,
        Command::BenchRows(args) => bench_rows::run(args, flags).await?,
        Command::BenchRules(args) => bench_rules::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::*;

    /// What is broken into lines here is not broken a second time where it is shown.
    #[test]
    fn help_is_wrapped_once() {
        fn look(command: &mut Command, path: &str) {
            let help = command.render_long_help().to_string();
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in after.lines() {
                assert!(line.chars().count() <= 98, "{path}: {line}");
                assert!(help.lines().any(|shown| shown == line), "{path} is shown otherwise: {line}");
            }
            for each in command.get_subcommands_mut() {
                let path = format!("{path} {}", each.get_name());
                look(each, &path);
            }
        }
        look(&mut Cli::command(), "hoc");
    }
}
