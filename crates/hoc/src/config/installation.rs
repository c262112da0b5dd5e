//! `[installation]`: what this installation is called, and how strict it is.

use anyhow::bail;

use super::{
    Shown,
    origin::{Name, Setting, Sources},
};

pub(super) static NAME: Name =
    Name { section: "installation", key: "name", variable: "HOC_INSTALLATION", flag: None };
pub(super) static ENV: Name = Name { section: "installation", key: "env", variable: "HOC_ENV", flag: None };

/// What the installation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Refuses the embedded store.
    Production,
    Development,
    /// Takes a Postgres that would not survive a power cut.
    Test,
}

impl Environment {
    fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "production" => Self::Production,
            "development" => Self::Development,
            "test" => Self::Test,
            _ => bail!("`{text}` is none of production, development, test"),
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
            Self::Test => "test",
        }
    }
}

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    /// The first part of each checkpoint's origin. The store keeps the name that it was begun with.
    pub(crate) name: Setting<String>,
    pub(crate) env: Setting<Environment>,
}

impl Installation {
    pub(super) fn read(sources: &Sources) -> anyhow::Result<Self> {
        Ok(Self {
            name: sources.setting(&NAME, None, "hoc".to_owned(), fit_for_an_origin)?,
            env: sources.setting(&ENV, None, Environment::Development, Environment::parse)?,
        })
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        vec![
            Shown::text(&NAME, &self.name.value, &self.name.origin),
            Shown::text(&ENV, self.env.value.as_str(), &self.env.origin),
        ]
    }
}

/// A part of a checkpoint's origin, which names a key in signed notes: no white space, no `+`, no `/`.
fn fit_for_an_origin(text: &str) -> anyhow::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() || text.len() > 100 || !text.chars().all(plain) {
        bail!("`{text}` must be 1 to 100 letters, digits, `.`, `-` or `_`");
    }
    Ok(text.to_owned())
}
