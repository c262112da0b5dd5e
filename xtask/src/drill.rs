//! `cargo xtask drill NAME`: what is worth a quarter of an hour before a release, and not at every change.
//!
//! A drill is a test of the suite that is told by a variable to go on for longer than the suite lets it.

use crate::{
    test::{self, Files},
    tree,
};
use anyhow::{Context as _, bail};
use std::process::ExitCode;

/// A test, and how long it is made to run.
struct Drill {
    name: &'static str,
    /// Where it is: arguments of `cargo test`.
    test: &'static [&'static str],
    options: &'static [Choice],
}

/// A number that may be given.
struct Choice {
    option: &'static str,
    /// The variable that tells it to the test.
    variable: &'static str,
    /// What it is where it is not given.
    default: Option<u64>,
}

const HELP: &str = "\
cargo xtask drill NAME [OPTION N]

  interleave   replicas on one Postgres, whose statements are let through one at a time, in the order of a seed;
               --seeds N: so many of them, 1000 where not said; --seed N: that one again, and how it went
  kill         kill -9 of a server under load, on each store; --rounds N: so often, 200 where not said
  kill-between a process that asks for what an agent writes, and for what a person changes that governs it, dies after
               each of its statements that write, on each store; and one that writes what was answered in an outage;
               --every N: after one of so many, each where not said; --at N: after that one alone
";

const DRILLS: &[Drill] = &[
    Drill {
        name: "interleave",
        test: &["-p", "orchestrator", "--test", "choke", "--", "interleaving::", "--nocapture"],
        options: &[
            Choice { option: "--seeds", variable: "HOC_DRILL_SEEDS", default: Some(1_000) },
            Choice { option: "--seed", variable: "HOC_DRILL_SEED", default: None },
        ],
    },
    Drill {
        name: "kill",
        test: &["-p", "hoc", "--test", "it", "--", "crash::", "--nocapture"],
        options: &[Choice { option: "--rounds", variable: "HOC_DRILL_ROUNDS", default: Some(200) }],
    },
    Drill {
        name: "kill-between",
        test: &["-p", "orchestrator", "--test", "choke", "--", "killed_between::", "--nocapture"],
        options: &[
            Choice { option: "--every", variable: "HOC_DRILL_EVERY", default: Some(1) },
            Choice { option: "--at", variable: "HOC_DRILL_AT", default: None },
        ],
    },
];

/// Runs the drill that `args` name.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    let (drill, variables) = parse(args)?;
    let mut cargo = tree::cargo()?;
    cargo.arg("test").args(drill.test).envs(variables);
    test::on_both_stores(cargo, &format!("drill {}", drill.name), Files::OnDisk)
}

/// The drill, and its variables with what they are set to.
fn parse(args: &[String]) -> anyhow::Result<(&'static Drill, Vec<(&'static str, String)>)> {
    let (name, rest) = args.split_first().with_context(|| format!("which drill?\n\n{HELP}"))?;
    let drill = DRILLS.iter().find(|drill| drill.name == name);
    let drill = drill.with_context(|| format!("there is no drill `{name}`\n\n{HELP}"))?;
    let mut given = Vec::new();
    for pair in rest.chunks(2) {
        let [option, value] = pair else { bail!("{} needs a number\n\n{HELP}", pair[0]) };
        let choice = drill.options.iter().find(|choice| choice.option == option);
        let choice = choice.with_context(|| format!("{name} has no option `{option}`\n\n{HELP}"))?;
        let value: u64 = value.parse().with_context(|| format!("{option} {value}"))?;
        given.push((choice.variable, value.to_string()));
    }
    for choice in drill.options {
        if let Some(default) = choice.default
            && !given.iter().any(|(variable, _)| *variable == choice.variable)
        {
            given.push((choice.variable, default.to_string()));
        }
    }
    Ok((drill, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_takes_its_own_options_and_no_others() {
        let parsed = |line: &str| {
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            parse(&args).map(|(drill, variables)| (drill.name, variables))
        };
        let of = |name, value: u64| (name, value.to_string());
        assert_eq!(parsed("kill").expect("it is one"), ("kill", vec![of("HOC_DRILL_ROUNDS", 200)]));
        assert_eq!(
            parsed("interleave --seed 8").expect("it is one"),
            ("interleave", vec![of("HOC_DRILL_SEED", 8), of("HOC_DRILL_SEEDS", 1_000)])
        );
        assert_eq!(
            parsed("kill-between").expect("it is one"),
            ("kill-between", vec![of("HOC_DRILL_EVERY", 1)])
        );
        for wrong in ["", "kil", "kill --seeds 3", "kill --rounds", "kill --rounds many"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
