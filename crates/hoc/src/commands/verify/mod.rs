//! `hoc verify`: a bundle with a public key and nothing else, or the logs of a store.

mod args;
pub(crate) mod file;
pub(crate) mod log;
mod source;

use std::process::ExitCode;

pub(crate) use self::args::Args;
use crate::{config::Flags, out};

pub(crate) async fn run(args: Args, flags: Flags) -> anyhow::Result<ExitCode> {
    let word = match (&args.file, args.log) {
        (Some(_), None) if args.key.is_none() => {
            return Ok(usage("give the public key of the installation, too"));
        }
        (Some(path), None) => file::check(path, &args)?,
        (_, Some(log)) => Box::pin(log::check(log, &args, &flags)).await?,
        (None, None) => return Ok(usage("give a bundle and a public key, or a log of the store")),
    };
    Ok(ExitCode::from(word.exit_code()))
}

/// What is missing, as the shell's other errors of usage are told.
fn usage(missing: &str) -> ExitCode {
    out::note(format!(
        "error: {missing}\n\nUsage: hoc verify FILE --key PUB\n       hoc verify --log audit|runs [--tenant SLUG]\n\n\
         For more information, try '--help'."
    ));
    ExitCode::from(2)
}
