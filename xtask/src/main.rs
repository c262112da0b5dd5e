//! `cargo xtask`: the project's own commands, in plain Rust, none of which links our crates.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod bench;
mod check_layers;
mod drill;
mod features;
mod finding;
mod fuzz;
mod manifests;
mod prices;
mod settings;
mod test;
mod tidy;
mod tree;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  check-layers   who may name whom: crates, third parties, imports
  tidy           what every file and manifest owes the next reader; what is tested is built as what ships
  test [ARGS]    all tests on SQLite, a throw-away Postgres and a browser; ARGS go to `cargo test`
  screenshots    every page of the console into target/screenshots, the README's into docs/images
  fuzz [ARGS]    bytes of any kind through every door, a minute each; --help says more
  drill NAME     a test of the suite for as long as a release is worth; --help says which
  prices         a newer price book, from its public data set
  bench [ARGS]   speed, against what the machine can do; --help says more
";

fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("check-layers") => Ok(finding::report("layers", &check_layers::check(&tree::root()?)?)),
        Some("tidy") => {
            let root = tree::root()?;
            let findings = [tidy::check(&root)?, features::check(&root)?].concat();
            Ok(finding::report("tidy", &findings))
        }
        Some("test") => test::run(&args.collect::<Vec<_>>()),
        Some("screenshots") => test::screenshots(),
        Some("fuzz") => fuzz::run(&args.collect::<Vec<_>>()),
        Some("drill") => drill::run(&args.collect::<Vec<_>>()),
        Some("prices") => prices::run(&tree::root()?),
        Some("bench") => bench::run(&args.collect::<Vec<_>>()),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => {
            eprint!("{}{HELP}", other.map(|name| format!("no command `{name}`\n\n")).unwrap_or_default());
            Ok(ExitCode::from(2))
        }
    }
}
