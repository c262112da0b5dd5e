//! What tests need that is no Rust: looked for at once, and what is not here is fetched at once.

use super::{
    browser::CHROMIUM,
    commands::{NODE, SQLITE},
    faketime::FAKETIME,
    install::Missing,
    postgres::{POSTGRES, POSTGRES_URL},
    python::{Environment, PYTHON},
    redis::REDIS,
    tool::Tool,
};
use crate::{settings::env, tree};
use std::path::PathBuf;

/// What a run needs of which nobody has said where it is.
pub(super) struct Needs {
    tools: Vec<&'static Tool>,
    /// Those of them that are not here.
    missing: Option<Missing>,
    python: Option<Environment>,
    /// Whether that is there, with all that is to be in it.
    python_is_made: bool,
}

impl Needs {
    /// Looks for what a run needs that tests the binary, or does not. What is not here and may not be installed is an
    /// error, which says what to install.
    pub(super) fn look(binary: bool) -> anyhow::Result<Self> {
        let mut tools: Vec<&'static Tool> = Vec::new();
        if env(POSTGRES_URL).is_none() {
            tools.push(&POSTGRES);
        }
        if binary {
            tools.extend([&CHROMIUM, &REDIS, &NODE, &SQLITE]);
            if cfg!(target_os = "linux") {
                tools.push(&FAKETIME);
            }
        }
        tools.retain(|tool| tool.variable.is_none_or(|variable| env(variable).is_none()));
        let python = if binary { Environment::of(&tree::root()?)? } else { None };
        let python_is_made = python.as_ref().is_none_or(Environment::is_made);
        if !python_is_made {
            tools.push(&PYTHON);
        }
        Ok(Self { missing: Missing::of(&tools)?, tools, python, python_is_made })
    }

    /// Fetches what is not here; gives the variables by which tests find all of it.
    pub(super) fn fetch(self) -> anyhow::Result<Vec<(&'static str, PathBuf)>> {
        if let Some(missing) = &self.missing {
            missing.install()?;
        }
        let tools = self.tools.iter().filter_map(|tool| Some((tool.variable?, (tool.find)()?)));
        let mut found: Vec<_> = tools.collect();
        if let Some(python) = &self.python {
            let packages = if self.python_is_made { python.packages().to_vec() } else { python.make()? };
            found.extend(packages.iter().map(|packages| (packages.variable, python.python())));
        }
        Ok(found)
    }
}
