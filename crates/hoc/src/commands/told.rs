//! Errors of operations, in the words of the command line.

use anyhow::anyhow;
use orchestrator::Error;

use crate::config::Config;

/// Of a tenant that is not there: in which store it was looked for, and what makes it.
pub(super) fn of_tenant(err: Error, tenant: &str, config: &Config) -> anyhow::Error {
    match err {
        Error::NotFound { what: "tenant", .. } => {
            let make = config.command(&format!("hoc keys create --tenant {tenant} --role admin"));
            anyhow!("there is no tenant `{tenant}` in {}: `{make}` makes it", config.store.shown_url())
        }
        other => other.into(),
    }
}

/// Of what was given wrong: the flags that it was given by.
pub(super) fn of_flags(err: Error) -> anyhow::Error {
    match err {
        Error::Invalid(faults) => {
            let typed =
                |message: &str| message.replace("`any_agent`", "--any-agent").replace("`agents`", "--agent");
            let each =
                faults.iter().map(|fault| format!("{}: {}", flag(&fault.pointer), typed(&fault.message)));
            anyhow!("{}", each.collect::<Vec<_>>().join("; "))
        }
        other => other.into(),
    }
}

/// The flag that a member of a new key is given by.
fn flag(pointer: &str) -> String {
    match pointer.split('/').nth(1).unwrap_or_default() {
        "slug" => "--tenant".to_owned(),
        "agents" => "--agent".to_owned(),
        other => format!("--{}", other.replace('_', "-")),
    }
}
