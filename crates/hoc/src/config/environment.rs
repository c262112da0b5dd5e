//! The process's environment: read here, once, and nowhere else.

use std::collections::BTreeMap;

use anyhow::bail;

/// The variables that are ours. An empty one counts as not set.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variables() -> anyhow::Result<BTreeMap<String, String>> {
    let mut ours = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("HOC_")) else { continue };
        match value.into_string() {
            Ok(value) if value.is_empty() => {}
            Ok(value) => {
                ours.insert(name.to_owned(), value);
            }
            Err(_) => bail!("{name} is not UTF-8"),
        }
    }
    Ok(ours)
}
