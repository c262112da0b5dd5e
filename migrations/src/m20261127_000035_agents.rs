//! The agents that a key speaks for. Keys that were made before speak for any: they were made without being asked.

use crate::dialect::Dialect;

pub(crate) fn statements(_: Dialect) -> Vec<String> {
    vec!["ALTER TABLE api_keys ADD COLUMN agents text".to_owned()]
}
