//! The developer's shell: what its environment says to these commands.

use std::path::PathBuf;

/// A variable of the environment, where it is set and not empty. The only place of this crate that asks.
#[expect(clippy::disallowed_methods, reason = "xtask is a tool: its settings are the developer's shell")]
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The names of all variables of the environment.
#[expect(clippy::disallowed_methods, reason = "as above")]
pub(crate) fn env_names() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

/// The first program of these names that is in the search path.
pub(crate) fn in_search_path(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&env("PATH")?).collect();
    let paths = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    paths.into_iter().find(|path| path.is_file())
}
